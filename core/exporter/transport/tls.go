package transport

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// tlsOptions say whom a transport trusts and who it is.
type tlsOptions struct {
	attr       string // prefix of the attributes, for messages: syslog.tls
	ca         string // file of certificates; empty: the system's
	cert, key  string // files; empty: the client shows no certificate
	serverName string
	insecure   bool // trust everybody
}

// config reads the files. That is done for every connection, so that a renewed certificate is noticed.
func (o tlsOptions) config() (*tls.Config, error) {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: o.serverName, InsecureSkipVerify: o.insecure}
	if o.ca != "" {
		pem, err := os.ReadFile(o.ca)
		if err != nil {
			return nil, fmt.Errorf("%s.ca: %w", o.attr, err)
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s.ca: %s holds no certificate in PEM form", o.attr, o.ca)
		}
	}
	if o.cert != "" {
		pair, err := tls.LoadX509KeyPair(o.cert, o.key)
		if err != nil {
			return nil, fmt.Errorf("%s.cert: %w", o.attr, err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return cfg, nil
}

// explain adds to a failed handshake what can be done about it.
func (o tlsOptions) explain(err error) error {
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return fmt.Errorf("%w; if this is the right receiver, set %s.servername to a name that its certificate has", err, o.attr)
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return fmt.Errorf("%w; set %s.ca to the certificate of the authority that has signed the receiver's", err, o.attr)
	}
	return err
}

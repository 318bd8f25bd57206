package transport

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// ESConfig are the attributes of export es, Elasticsearch's bulk API.
type ESConfig struct {
	Addresses    []string      `attr:"es.addresses" required:"true" when:"export=es" help:"URLs of the servers; https if they have no scheme"`
	Index        string        `attr:"es.index" required:"true" when:"export=es" help:"index or data stream"`
	Username     string        `attr:"es.username" required:"true" unless:"es.apikey" secret:"true" when:"export=es" help:"user of basic authentication"`
	Password     string        `attr:"es.password" required:"true" unless:"es.apikey" secret:"true" when:"export=es" help:"password of basic authentication"`
	APIKey       string        `attr:"es.apikey" secret:"true" when:"export=es" help:"API key, instead of user and password"`
	NumWorkers   int           `attr:"es.bulk.numWorkers" default:"0" min:"0" max:"256" when:"export=es" help:"requests at a time; 0: as many as CPUs"`
	FlushBuffer  int64         `attr:"es.bulk.flushBuffer" alias:"es.bulk.flashBuffer" default:"5000000" min:"1" kind:"size" when:"export=es" help:"bytes per request, at most; a larger document goes alone"`
	FlushTimeout time.Duration `attr:"es.bulk.flushTimeout" default:"30s" unit:"s" when:"export=es" help:"how long a document waits for others"`
	Timeout      time.Duration `attr:"es.timeout" default:"60s" min:"1ms" unit:"s" when:"export=es" help:"time limit of a request"`
	Gzip         bool          `attr:"es.gzip" default:"false" when:"export=es" help:"compress requests"`
	CA           string        `attr:"es.tls.ca" kind:"path" when:"export=es" help:"certificates of the authorities to trust, instead of the system's"`
	Cert         string        `attr:"es.tls.cert" kind:"path" when:"export=es" help:"certificate of this client"`
	Key          string        `attr:"es.tls.key" kind:"path" secret:"true" when:"export=es" help:"key of that certificate"`
	ServerName   string        `attr:"es.tls.servername" when:"export=es" help:"name that the server's certificate must have; default: the host"`
	Insecure     bool          `attr:"es.tls.insecure" default:"false" when:"export=es" help:"do not verify the server's certificate"`
}

// Validate reports every fault that no single attribute shows, each beginning with the attribute.
func (c *ESConfig) Validate() error {
	var errs []error
	for _, a := range c.Addresses {
		if !strings.Contains(a, "://") {
			a = "https://" + a
		}
		// The parser's error would show the address, which may hold a password.
		if u, err := url.Parse(a); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			errs = append(errs, errors.New("es.addresses: want URLs such as https://host:9200"))
		}
	}
	if err := checkIndex(c.Index); err != nil {
		errs = append(errs, fmt.Errorf("es.index: %w", err))
	}
	if c.APIKey != "" && (c.Username != "" || c.Password != "") {
		errs = append(errs, errors.New("es.apikey: cannot be used together with es.username and es.password"))
	}
	if (c.Cert == "") != (c.Key == "") {
		errs = append(errs, errors.New("es.tls.cert: needs es.tls.key, and the reverse"))
	}
	return errors.Join(errs...)
}

// checkIndex knows the naming rules of indices and data streams. An empty name is for others to refuse.
func checkIndex(name string) error {
	switch {
	case name == "":
		return nil
	case len(name) > 255:
		return fmt.Errorf("a name has at most 255 bytes, this one has %d", len(name))
	case name == "." || name == "..":
		return fmt.Errorf("%q is not a name", name)
	case strings.ContainsAny(name[:1], "-_+"):
		return fmt.Errorf("%q begins with %q", name, name[:1])
	case strings.ContainsAny(name, `\/*?"<>| ,#:`):
		return fmt.Errorf("%q holds one of the characters \\ / * ? \" < > | , # : or a blank", name)
	case strings.ToLower(name) != name:
		return fmt.Errorf("%q must be in lower case", name)
	}
	return nil
}

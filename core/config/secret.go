package config

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Vault says where credentials that are not configured are looked up: each is a file, named as the attribute. Embed it
// in a Config struct whose attributes have the tag secret.
type Vault struct {
	Enabled  bool   `attr:"vault.secrets" help:"look up missing credentials in files"`
	Dir      string `attr:"vault.path" kind:"dir" default:"/run/secrets" help:"directory of the credential files"`
	Encoding string `attr:"vault.encoding" enum:"none,base64" default:"none" help:"encoding of the credential files"`
}

// errOpenSecret is what Secret returns beside a secret that others on the machine can read.
var errOpenSecret = errors.New("readable by everybody")

// Secret reads the credential of an attribute. Errors name the path, never the content. It reads anew each time, so it
// also serves to pick up a credential that has been replaced.
func (v *Vault) Secret(attr string) (string, error) {
	if err := v.check(); err != nil {
		return "", err
	}
	s, err := v.read(attr)
	if errors.Is(err, errOpenSecret) {
		err = nil
	}
	return s, err
}

// check says whether there is a directory to look in.
func (v *Vault) check() error {
	dir, err := os.Stat(v.Dir)
	if err != nil {
		return fmt.Errorf("secret directory %s: %w", v.Dir, reason(err))
	}
	if !dir.IsDir() {
		return fmt.Errorf("secret directory %s: not a directory", v.Dir)
	}
	return nil
}

// read returns errOpenSecret together with the secret if others can read it.
func (v *Vault) read(attr string) (string, error) {
	path := filepath.Join(v.Dir, attr)
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("secret %s: %w", path, reason(err))
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("secret %s: %w", path, reason(err))
	}
	text := strings.TrimSpace(string(data))
	if v.Encoding == "base64" {
		if text, err = decodeBase64(text); err != nil {
			return "", fmt.Errorf("secret %s: not valid base64", path) // err would quote the content
		}
	}
	if text == "" {
		return "", fmt.Errorf("secret %s: empty", path)
	}
	if info.Mode().Perm()&0o004 != 0 {
		return text, fmt.Errorf("secret %s: %w", path, errOpenSecret)
	}
	return text, nil
}

// decodeBase64 reads the standard or the URL alphabet; padding is required.
func decodeBase64(s string) (string, error) {
	enc := base64.StdEncoding
	if strings.ContainsAny(s, "-_") {
		enc = base64.URLEncoding
	}
	b, err := enc.Strict().DecodeString(s)
	return string(b), err
}

// reason strips the operation and the path from an error, for messages that name the path themselves.
func reason(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

// secrets looks up the credentials that matter and are not set, if a target says where.
func (d *decoder) secrets() {
	enabled := d.schema.names[fold("vault.secrets")]
	if enabled == nil || enabled.fields == nil || !enabled.fields[0].Bool() {
		return
	}
	vault := &Vault{
		Dir:      d.schema.names[fold("vault.path")].fields[0].String(),
		Encoding: d.schema.names[fold("vault.encoding")].fields[0].String(),
	}
	for _, a := range d.schema.attrs {
		if !a.Secret || d.has(a) || !d.matters(a) {
			continue
		}
		if err := vault.check(); err != nil {
			d.diags.Errorf(d.entry.Pos, "P501", "%s.%s: %v", d.entry.Instance, a.Name, err)
			return
		}
		d.secret(vault, a)
	}
}

// secret looks up one credential. That it is not there is no fault if it is not needed, or another may take its place.
func (d *decoder) secret(vault *Vault, a *attribute) {
	path := filepath.Join(vault.Dir, a.Name)
	text, err := vault.read(a.Name)
	switch {
	case err == nil:
	case errors.Is(err, errOpenSecret):
		d.diags.Warnf(d.entry.Pos, "P501", "%s.%s: %v", d.entry.Instance, a.Name, err).
			Hint("take the permission away from others: chmod o-r %s", path)
	case errors.Is(err, fs.ErrNotExist) && (!a.Required || len(a.Unless) > 0):
		d.sought[a] = path
		return
	default:
		d.diags.Errorf(d.entry.Pos, "P501", "%s.%s: %v", d.entry.Instance, a.Name, err)
		return
	}
	if a.isPath { // whoever wants the file reads it
		text = path
	}
	at := Pos{File: path}
	d.given[a] = []*Member{{Key: a.Name, Pos: at, Val: &Value{Pos: at, Kind: String, Text: text}}}
	a.store(text)
}

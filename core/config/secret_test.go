package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSecrets(t *testing.T) {
	for name, tt := range map[string]struct {
		files map[string]string
		attrs string
		want  string // the user name
		diags string // DIR stands for the directory of the secrets
	}{
		"found":           {map[string]string{"es.username": "  me\n"}, ``, "me", ""},
		"base64":          {map[string]string{"es.username": "bWU=\n"}, `, "vault.encoding": "base64"`, "me", ""},
		"base64 of URLs":  {map[string]string{"es.username": "Pz8-"}, `, "vault.encoding": "base64"`, "??>", ""},
		"the file wins":   {map[string]string{"es.username": "vault"}, `, "es.username": "file"`, "file", ""},
		"the other key":   {map[string]string{"es.apikey": "k"}, ``, "", ""},
		"turned off":      {map[string]string{"es.username": "me"}, `, "vault.secrets": false`, "", "p.json:1:1: error: exporter: required attribute 'es.username' is missing [P302]"},
		"missing":         {map[string]string{"x": "y"}, ``, "", "p.json:1:1: error: exporter: required attribute 'es.username' is missing [P302]\n    hint: there is no secret DIR/es.username either"},
		"empty":           {map[string]string{"es.username": " \n"}, ``, "", "p.json:1:1: error: exporter.es.username: secret DIR/es.username: empty [P501]"},
		"bad base64":      {map[string]string{"es.username": "s3cret!"}, `, "vault.encoding": "base64"`, "", "p.json:1:1: error: exporter.es.username: secret DIR/es.username: not valid base64 [P501]"},
		"without padding": {map[string]string{"es.username": "bWU"}, `, "vault.encoding": "base64"`, "", "p.json:1:1: error: exporter.es.username: secret DIR/es.username: not valid base64 [P501]"},
		"a directory":     {map[string]string{"es.username/x": "y"}, ``, "", "p.json:1:1: error: exporter.es.username: secret DIR/es.username: is a directory [P501]"},
		"another export":  {nil, `, "export": "terminal"`, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, text := range tt.files {
				path := filepath.Join(dir, file)
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			text := `{"export": "es", "es.addresses": "a", "vault.secrets": "true", "vault.path": "` + dir + `"` + tt.attrs + `}`
			for _, key := range []string{`"export": "es", `, `"vault.secrets": "true", `} { // said again in attrs
				if strings.Contains(tt.attrs, strings.SplitAfter(key, ":")[0]) {
					text = strings.Replace(text, key, "", 1)
				}
			}
			cfg, diags := decode(t, text)
			if got := strings.ReplaceAll(formatted(diags), dir, "DIR"); got != tt.diags {
				t.Errorf("diagnostics are\n%s\nwant\n%s", got, tt.diags)
			}
			if cfg.User != tt.want {
				t.Errorf("user is %q, want %q", cfg.User, tt.want)
			}
		})
	}
}

func TestSecretDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		file:           "secret directory " + file + ": not a directory",
		file + ".none": "secret directory " + file + ".none: no such file or directory",
	} {
		_, diags := decode(t, `{"export": "es", "es.addresses": "a", "vault.secrets": true, "vault.path": "`+path+`"}`)
		if len(diags) == 0 || diags[0].Code != "P501" || !strings.Contains(diags[0].Message, want) {
			t.Errorf("got %v, want %s", diags, want)
		}
	}
}

func TestSecretReadableByAll(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "es.username")
	if err := os.WriteFile(path, []byte("me"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	cfg, diags := decode(t, `{"export": "es", "es.addresses": "a", "vault.secrets": true, "vault.path": "`+dir+`"}`)
	if len(diags) != 1 || diags[0].Severity != Warning || !strings.Contains(diags[0].Message, "readable by everybody") {
		t.Errorf("got %v, want a warning", diags)
	}
	if cfg.User != "me" {
		t.Errorf("user is %q", cfg.User)
	}
	v := &Vault{Dir: dir, Encoding: "none"}
	if s, err := v.Secret("es.username"); s != "me" || err != nil {
		t.Errorf("Secret returned %q, %v", s, err)
	}
}

// TestSecretKinds looks up a credential that has no alternative, and one that is a file.
func TestSecretKinds(t *testing.T) {
	dir := t.TempDir()
	text := `{"export": "syslog", "vault.secrets": true, "vault.path": "` + dir + `"}`
	_, diags := decode(t, text)
	want := "p.json:1:1: error: exporter.findings.apikey: secret " + dir + "/findings.apikey: no such file or directory [P501]"
	if got := formatted(diags); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, name := range []string{"findings.apikey", "syslog.tls.key"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("k"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg, diags := decode(t, text)
	if len(diags) > 0 {
		t.Error(diags)
	}
	if cfg.APIKey != "k" || cfg.TLSKey != dir+"/syslog.tls.key" {
		t.Errorf("keys are %q and %q", cfg.APIKey, cfg.TLSKey)
	}
}

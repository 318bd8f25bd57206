package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"
)

// Kind is the kind of a JSON value.
type Kind uint8

// Kinds.
const (
	Null Kind = iota
	Bool
	Number
	String
	Array
	Object
)

// String returns the kind as messages name it.
func (k Kind) String() string {
	return [...]string{"null", "a boolean", "a number", "a string", "an array", "an object"}[k]
}

// Value is a JSON value with its place.
type Value struct {
	Pos
	Kind Kind

	// Text is the value of a String, and what the file says for a Number, Bool or Null.
	Text string

	Elems   []*Value  // of an Array
	Members []*Member // of an Object, in file order
}

// Member is a key of an object with its value.
type Member struct {
	Key string
	Pos Pos // of the key
	Val *Value
}

// Comment says whether the member is there for people to read: its key begins with '_'.
func (m *Member) Comment() bool { return strings.HasPrefix(m.Key, "_") }

// Member returns the value of a key, whatever its case, or nil.
func (v *Value) Member(key string) *Value {
	for _, m := range v.Members {
		if strings.EqualFold(m.Key, key) {
			return m.Val
		}
	}
	return nil
}

// Any returns the value as encoding/json would: nil, bool, float64, string, []any or map[string]any. Comments are left
// out.
func (v *Value) Any() any {
	switch v.Kind {
	case Bool:
		return v.Text == "true"
	case Number:
		var f float64
		if json.Unmarshal([]byte(v.Text), &f) != nil {
			return json.Number(v.Text) // outside the range of a float64
		}
		return f
	case String:
		return v.Text
	case Array:
		list := make([]any, len(v.Elems))
		for i, e := range v.Elems {
			list[i] = e.Any()
		}
		return list
	case Object:
		m := make(map[string]any, len(v.Members))
		for _, member := range v.Members {
			if !member.Comment() {
				m[member.Key] = member.Val.Any()
			}
		}
		return m
	default:
		return nil
	}
}

var byteOrderMark = []byte("\xef\xbb\xbf")

// Parse reads one JSON document. It reports broken JSON (then the value is nil) and every key that occurs twice in an
// object, whatever its case.
func Parse(file string, data []byte) (*Value, Diagnostics) {
	data = bytes.TrimPrefix(data, byteOrderMark)
	w := &walker{data: data, at: Pos{File: file, Line: 1, Col: 1}, dec: json.NewDecoder(bytes.NewReader(data))}
	w.dec.UseNumber()
	if !utf8.Valid(data) {
		n := 0
		for n < len(data) {
			r, size := utf8.DecodeRune(data[n:])
			if r == utf8.RuneError && size == 1 {
				break
			}
			n += size
		}
		w.diags.Errorf(w.pos(n), "P103", "invalid JSON: not UTF-8")
		return nil, w.diags
	}
	// A first pass finds faults of syntax, so that the second, which notes places, can take the file to be sound.
	var whole json.RawMessage
	if err := json.Unmarshal(data, &whole); err != nil {
		at := len(data)
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok && syntax.Offset > 0 {
			at = int(syntax.Offset) - 1
			if strings.HasPrefix(syntax.Error(), "unexpected end") {
				at = len(bytes.TrimRight(data, " \t\r\n"))
			}
		}
		w.diags.Errorf(w.pos(at), "P103", "invalid JSON: %v", err)
		return nil, w.diags
	}
	return w.value(), w.diags
}

// walker builds values from the tokens of a document whose syntax has been checked.
type walker struct {
	data  []byte
	dec   *json.Decoder
	diags Diagnostics

	// at is the place of the byte at offset; pos moves both forward.
	at     Pos
	offset int
}

// pos returns the place of a byte, which must not be before that of the last call.
func (w *walker) pos(offset int) Pos {
	for _, c := range string(w.data[w.offset:offset]) {
		if c == '\n' {
			w.at.Line++
			w.at.Col = 1
		} else {
			w.at.Col++
		}
	}
	w.offset = offset
	return w.at
}

// next returns the next token and its place. What lies between the end of one token and the start of the next is
// white space and separators only.
func (w *walker) next() (json.Token, Pos) {
	start := int(w.dec.InputOffset())
	for start < len(w.data) && strings.IndexByte(" \t\r\n,:", w.data[start]) >= 0 {
		start++
	}
	at := w.pos(start)
	tok, err := w.dec.Token()
	if err != nil {
		panic("config: token in checked JSON: " + err.Error())
	}
	return tok, at
}

func (w *walker) value() *Value {
	tok, at := w.next()
	v := &Value{Pos: at}
	switch tok := tok.(type) {
	case nil:
		v.Kind, v.Text = Null, "null"
	case bool:
		v.Kind, v.Text = Bool, "false"
		if tok {
			v.Text = "true"
		}
	case json.Number:
		v.Kind, v.Text = Number, tok.String()
	case string:
		v.Kind, v.Text = String, tok
	case json.Delim:
		if tok == '[' {
			v.Kind = Array
			for w.dec.More() {
				v.Elems = append(v.Elems, w.value())
			}
		} else {
			v.Kind = Object
			w.members(v)
		}
		w.next() // the closing bracket
	}
	return v
}

func (w *walker) members(v *Value) {
	seen := map[string]bool{}
	for w.dec.More() {
		tok, at := w.next()
		m := &Member{Key: tok.(string), Pos: at}
		m.Val = w.value()
		if folded := strings.ToLower(m.Key); seen[folded] && !m.Comment() {
			w.diags.Errorf(m.Pos, "P102", "key '%s' appears twice", m.Key)
			continue
		} else {
			seen[folded] = true
		}
		v.Members = append(v.Members, m)
	}
}

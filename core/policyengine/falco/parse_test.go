package falco

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestGrammarStaysHidden wants parse.go to be the only file that knows ANTLR.
func TestGrammarStaysHidden(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if known := strings.Contains(string(src), `antlr4-go/antlr/v4"`); known != (name == "parse.go") {
			t.Errorf("%s: imports ANTLR: %v", name, known)
		}
	}
}

// TestTrees compares the syntax trees of conditions with what they must look like.
func TestTrees(t *testing.T) {
	for cond, want := range map[string]string{
		`a`:                               `a`,
		`not not a`:                       `(not (not a))`,
		`not a.b = c and d`:               `(and (not (= a.b c)) d)`,
		`a or b and c`:                    `(or a (and b c))`,
		`(a or b) and c or d`:             `(or (and (or a b) c) d)`,
		`not(a)and(b)or(c)`:               `(or (and (not a) b) c)`,
		`exists a.b and a.b exists`:       `(and (exists a.b) (exists a.b))`,
		`evt.dir=<`:                       `(= evt.dir <)`,
		`a.b==c and a.b!=-1`:              `(and (== a.b c) (!= a.b -1))`,
		`a.b >= 3 and a.b<=4`:             `(and (>= a.b 3) (<= a.b 4))`,
		`a.b contains -i`:                 `(contains a.b -i)`,
		`a.b contains :latest`:            `(contains a.b :latest)`,
		`a.b = ?`:                         `(= a.b ?)`,
		`a.b endswith \`:                  `(endswith a.b \)`,
		`a.b in (x:[0:Y], exe)`:           `(in a.b [x:[0:Y] exe])`,
		`a.b in (list, rule, and, in)`:    `(in a.b [list rule and in])`,
		`a.b in(x,y)or c`:                 `(or (in a.b [x y]) c)`,
		`a.b in shells`:                   `(in a.b {shells})`,
		`a.b in ()`:                       `(in a.b [])`,
		`a.b in ([x, (y)], "z, w",)`:      `(in a.b [x y "z, w"])`,
		`a.b = ["x", 'y']`:                `(= a.b ["x" "y"])`,
		`a.b = "it's" or a.b = 'a"b'`:     `(or (= a.b "it's") (= a.b "a\"b"))`,
		`a.b = "\\ \/\t\x41\"\ x"`:        `(= a.b "\\ /\tA\"\\x")`,
		`a.b startswith oneof (x, y)`:     `(startswith oneof a.b [x y])`,
		"a.b = allof\n[x]":                `(= allof a.b [x])`,
		`a.b startswith oneof`:            `(startswith a.b oneof)`,
		`a.b = oneof and c`:               `(and (= a.b oneof) c)`,
		`a.b[2] = x and a.b["c[0] d"] =y`: `(and (= a.b[2] x) (= a.b[c[0] d] y))`,
		`tolower( a.b ) = x`:              `(= tolower(a.b) x)`,
		`toupper(b64(a.b[1])) = x`:        `(= toupper(b64(a.b[1])) x)`,
		`a.b = tolower(basename(c.d))`:    `(= a.b tolower(basename(c.d)))`,
		`a.b = val(c.d[1]) and e`:         `(and (= a.b c.d[1]) e)`,
		`a.b in len(c.d)`:                 `(in a.b len(c.d))`,
		`a.b = val`:                       `(= a.b val)`,
		`a.b = tolower or c`:              `(or (= a.b tolower) c)`,
		`join("(", (x), a.b) = c`:         `(= join! c)`,
		`a.b = concat(x) and c`:           `(and (= a.b concat!) c)`,
		"a\tand\r\n b":                    `(and a b)`,
		`a-b_c and 0x1`:                   `(and a-b_c 0x1)`,
		`a.é = x`:                         ``,
		`a.b = é世 and a.b = "é"`:          `(and (= a.b é世) (= a.b "é"))`,
	} {
		x, err := newParser().parse(cond)
		if want == "" {
			if err == nil {
				t.Errorf("%s: no error", cond)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %s at %v", cond, err.message, err.span)
		} else if got := tree(x); got != want {
			t.Errorf("%s: got %s, want %s", cond, got, want)
		}
	}
}

// tree returns the text of a tree.
func tree(x expr) string {
	switch x := x.(type) {
	case *logical:
		word := "and"
		if x.or {
			word = "or"
		}
		var parts []string
		for _, x := range x.xs {
			parts = append(parts, tree(x))
		}
		return "(" + word + " " + strings.Join(parts, " ") + ")"
	case *negation:
		return "(not " + tree(x.x) + ")"
	case *reference:
		return x.name
	case *exists:
		return "(exists " + operandTree(x.x) + ")"
	}
	c := x.(*comparison)
	var right string
	switch c.form {
	case callForm:
		right = operandTree(*c.call)
	case listName:
		right = "{" + c.list[0].text + "}"
	default:
		var parts []string
		for _, v := range c.list {
			if parts = append(parts, v.text); v.quoted {
				parts[len(parts)-1] = fmt.Sprintf("%q", v.text)
			}
		}
		if right = strings.Join(parts, " "); c.form == explicitList {
			right = "[" + right + "]"
		}
	}
	return fmt.Sprintf("(%s %s %s)", strings.TrimSpace(c.op.text+" "+c.quant), operandTree(c.left), right)
}

func operandTree(x operand) string {
	s := x.attr.text
	if x.unsupported {
		s += "!"
	}
	if x.sub != nil {
		s += "[" + x.sub.text + "]"
	}
	for _, fn := range x.apply {
		s = fn.text + "(" + s + ")"
	}
	return s
}

package falco

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	yaml "go.yaml.in/yaml/v3"
)

// TestPositionsOfWords writes random text in every scalar style and wants each word of the decoded text to be found
// where its position says.
func TestPositionsOfWords(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for style, write := range map[string]func(*rand.Rand, []string) string{
		"plain": func(r *rand.Rand, w []string) string { return flow(r, w, "", "", false) + suffix(r) },
		"single": func(r *rand.Rand, w []string) string {
			return flow(r, replaced(w, `'`, `''`), "'", "'", true) + suffix(r)
		},
		"double":  doubleQuoted,
		"literal": func(r *rand.Rand, w []string) string { return block(r, w, "|") },
		"folded":  func(r *rand.Rand, w []string) string { return block(r, w, ">") },
	} {
		t.Run(style, func(t *testing.T) {
			for range 500 {
				words := make([]string, 1+r.IntN(8))
				for i := range words {
					words[i] = fmt.Sprintf("%s%d%s", pick(r, "w", "é", "世", "(x", "a.b["), i, pick(r, "", ")", "]", "¶"))
					if style != "plain" && r.IntN(4) == 0 {
						words[i] = pick(r, "'", "#") + words[i] // of no meaning in the other styles
					}
				}
				checkWords(t, "# é\n- "+pick(r, "key: ", "key:   ", "clé: ", "key: &a ", "key: !!str ", "key:\n    ")+write(r, words), words)
			}
		})
	}
}

func checkWords(t *testing.T, doc string, words []string) {
	t.Helper()
	src := newSource(0, "x.yaml", doc)
	docs, err := parseYAML(src.lines)
	if err != nil {
		t.Fatalf("%v\n%s", err, doc)
	}
	n := docs[0].Content[0].Content[0].Content[1]
	if n.Kind != yaml.ScalarNode {
		t.Fatalf("not a scalar\n%s", doc)
	}
	txt := scalarText(src, n)
	end := 0
	for _, w := range words {
		i := strings.Index(txt.s[end:], w)
		if i < 0 {
			t.Fatalf("no %q in %q\n%s", w, txt.s, doc)
		}
		start := end + i
		end = start + len(w)
		p := txt.place(start, end)
		got := string([]rune(src.lines[p.line-1])[p.col-1:][:p.n])
		if got != w && strings.ReplaceAll(got, "''", "'") != w && unquoted(got) != w {
			t.Fatalf("%q is said to stand at %d:%d, where %q stands\n%s", w, p.line, p.col, got, doc)
		}
	}
}

// unquoted undoes the escapes that doubleQuoted writes.
func unquoted(s string) string {
	return strings.NewReplacer(`\xe9`, "é", `\u4e16`, "世", `\U000000b6`, "¶").Replace(s)
}

func doubleQuoted(r *rand.Rand, words []string) string {
	words = append([]string(nil), words...)
	for i, w := range words {
		if r.IntN(2) == 0 {
			words[i] = strings.NewReplacer("é", `\xe9`, "世", `\u4e16`, "¶", `\U000000b6`).Replace(w)
		}
	}
	s := flow(r, words, `"`, `"`, true)
	if r.IntN(2) == 0 {
		s = strings.ReplaceAll(s, "   ", ` \t `)
	}
	if r.IntN(2) == 0 {
		s = strings.ReplaceAll(s, "\n", "\\\n") // line ends that stand for nothing
	}
	return s + suffix(r)
}

// flow joins words over lines, as a plain or quoted scalar.
func flow(r *rand.Rand, words []string, open, shut string, blanks bool) string {
	var b strings.Builder
	b.WriteString(open)
	if blanks {
		b.WriteString(pick(r, "", " "))
	}
	for i, w := range words {
		if i > 0 {
			b.WriteString(pick(r, " ", "   ", "\n    ", " \n      ", "\n\n    ", "\n  \n\n     ", "\r\n    "))
		}
		b.WriteString(w)
	}
	if blanks {
		b.WriteString(pick(r, "", "  ", "\n      "))
	}
	b.WriteString(shut)
	return b.String()
}

func block(r *rand.Rand, words []string, indicator string) string {
	var b strings.Builder
	b.WriteString(indicator)
	explicit := r.IntN(4) == 0
	if explicit {
		b.WriteString("4")
	}
	b.WriteString(pick(r, "", "-", "+", "  # comment"))
	b.WriteString(pick(r, "\n", "\n\n", "\r\n"))
	lead := "    "
	if !explicit {
		lead = pick(r, "    ", "      ")
	}
	if explicit {
		lead = "      " // the indicator counts from the parent
	}
	for i, w := range words {
		switch {
		case i == 0 || r.IntN(3) == 0:
			if i > 0 {
				b.WriteString(pick(r, "\n", "\n\n", "\n \n\n", " \n", "\r\n"))
			}
			b.WriteString(lead)
			if i > 0 || explicit {
				b.WriteString(pick(r, "", "", "  ")) // more indented
			}
		default:
			b.WriteString(pick(r, " ", "  "))
		}
		b.WriteString(w)
	}
	b.WriteString(pick(r, "", "\n", "\n\n\n"))
	return b.String()
}

func suffix(r *rand.Rand) string {
	return pick(r, "", "\n", "  # comment\n", "\n  other: x\n", "\n\n- y: z\n")
}

func replaced(words []string, from, to string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = strings.ReplaceAll(w, from, to)
	}
	return out
}

func pick(r *rand.Rand, of ...string) string { return of[r.IntN(len(of))] }

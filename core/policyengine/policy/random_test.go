package policy

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/engine"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// world makes rows and conditions at random, the same ones for the same seed. Both draw from few values, so that
// conditions hold about as often as not.
type world struct {
	*rand.Rand
	fields []*field.Field
	procs  []*sfgo.FlatRecord // rows of which only what belongs to the process counts
	rows   []*sfgo.FlatRecord
	nodes  []Node // made for the policy at hand: some are used again, as macros are
}

var catalogue = field.SysFlow()

func newWorld(seed uint64) *world {
	w := &world{Rand: rand.New(rand.NewPCG(seed, 1))}
	w.fields = slices.AppendSeq(slices.Collect(catalogue.Fields()), catalogue.Variants())
	for range 12 {
		w.procs = append(w.procs, w.row())
	}
	for range 40 {
		w.rows = append(w.rows, w.row())
	}
	return w
}

func pick[T any](w *world, list ...T) T { return list[w.IntN(len(list))] }

// bit returns a bitmap with one of the n lowest bits.
func (w *world) bit(n int) int64 { return 1 << w.IntN(n) }

var (
	paths = []string{
		"", "/bin/sh", "/usr/bin/bash", "/usr/sbin/Sshd", "/etc/passwd", "/etc/shadow", "/etc/ssh/sshd_config", "/etcetera/x",
		"/home/ann/.ssh/id_rsa", "/tmp/", "//var//log/a b", "pipe:[7]", "dpkg-preconfigure", "/opt/ÄÖü/ſtraße", "/srv/K/x\xff.so",
		"ffffa05a39575400->ffffa05a39574000 /sock/sysflow.sock", "/bin/[x]", "/a/*",
	}
	words  = []string{"", "root", "Root", "ann", "-i s/a/b/ f", "-c id", "aGVsbG8=", "aGVsbG8", "!", "host", "x y z"}
	images = []string{"", "httpd:latest", "registry:5000/foo/bar:1.2", "a/b@sha256:1234"}
	docs   = []string{"", "{}", `{"items":[{"namespace":"robot-shop"}]}`, `[{"clusterip":["10.0.0.9"],"name":"n"}]`, "{broken"}
	addrs  = []int64{0, 16777343, 83886090, 150994954, 0xffffffff}
)

func (w *world) process() *sfgo.Process {
	return &sfgo.Process{
		Oid: &sfgo.OID{CreateTS: int64(w.IntN(3)), Hpid: int64(w.IntN(5))},
		Exe: pick(w, paths...), ExeArgs: pick(w, words...), UserName: pick(w, words...), GroupName: pick(w, words...),
		Uid: int32(w.IntN(4) - 1), Gid: int32(w.IntN(4) - 1), Tty: w.IntN(2) == 0, Entry: w.IntN(2) == 0,
	}
}

func (w *world) row() *sfgo.FlatRecord {
	r := blank(pick(w, append(recordTypes[:], sfgo.HEADER, 40)...))
	ints, strs, anys := r.Ints[0], r.Strs[0], r.Anys[0]
	for i := 1; i < len(ints); i++ {
		ints[i] = int64(w.IntN(5) - 1)
	}
	for i := range strs {
		strs[i] = pick(w, words...)
	}
	ints[sfgo.OPFLAGS_INT] = pick(w, 0, w.bit(21), w.bit(21)|w.bit(20), w.Int64N(1<<21))
	ints[sfgo.FILE_RESTYPE_INT] = int64(pick(w, []byte("fd46upx?")...))
	ints[sfgo.FL_FILE_OPENFLAGS_INT] = pick(w, 0, w.Int64N(1<<13), addrs[w.IntN(5)])
	ints[sfgo.FL_NETW_DIP_INT] = pick(w, addrs...)
	ints[sfgo.FL_NETW_DPORT_INT] = pick(w, int64(22), 80, 443, 0)
	for _, i := range []sfgo.Attribute{sfgo.PROC_EXE_STR, sfgo.FILE_PATH_STR, sfgo.SEC_FILE_PATH_STR} {
		strs[i] = pick(w, paths...)
	}
	strs[sfgo.CONT_IMAGE_STR] = pick(w, images...)
	strs[sfgo.POD_SERVICES_STR], strs[sfgo.K8SE_MESSAGE_STR] = pick(w, docs...), pick(w, docs...)
	strs[sfgo.POD_HOSTIP_STR] = pick(w, "", `["10.0.0.5"]`)
	anys[sfgo.POD_HOSTIP_ANY] = pick(w, nil, []int64{83886090}, []int64{16777343, 83886090})
	if len(w.procs) == 12 {
		w.ofProcess(r)
		return r
	}
	for range w.IntN(5) {
		r.Ptree = append(r.Ptree, w.process())
	}
	if len(r.Ptree) > 0 {
		strs[sfgo.PROC_EXE_STR] = r.Ptree[0].Exe
	}
	return r
}

// ofProcess gives a row a process that others may have as well.
func (w *world) ofProcess(r *sfgo.FlatRecord) {
	p := pick(w, w.procs...)
	r.Ptree = p.Ptree
	copy(r.Ints[0][sfgo.PROC_STATE_INT:sfgo.PROC_ENTRY_INT+1], p.Ints[0][sfgo.PROC_STATE_INT:])
	copy(r.Strs[0][sfgo.PROC_EXE_STR:sfgo.PROC_CONTAINERID_STRING_STR+1], p.Strs[0][sfgo.PROC_EXE_STR:])
}

// node returns a condition.
func (w *world) node(depth int) (n Node) {
	defer func() { w.nodes = append(w.nodes, n) }()
	if len(w.nodes) > 0 && w.IntN(4) == 0 {
		return pick(w, w.nodes...)
	}
	if depth == 0 || w.IntN(4) == 0 {
		if w.IntN(40) == 0 {
			return Const(w.IntN(2) == 0)
		}
		return w.test()
	}
	kids := make([]Node, w.IntN(4))
	for i := range kids {
		kids[i] = w.node(depth - 1)
	}
	return pick[Node](w, And(kids), Or(kids), Not{w.node(depth - 1)})
}

func (w *world) test() *Test {
	for {
		t := &Test{Left: w.operand(), Quant: pick(w, AnyOf, AnyOf, AnyOf, OneOf, AllOf)}
		kind := kindOf(&t.Left)
		t.Op = pick(w, ops[kind]...)
		switch {
		case t.Op == Exists:
			t.Quant = AnyOf
			return t
		case w.IntN(12) == 0 && (t.Op <= Contains || t.Op == StartsWith || t.Op == EndsWith): // the oracle knows no other patterns
			right := w.operand()
			t.Right, t.Quant = &right, AnyOf
			if _, err := newPair(t); err == nil {
				return t
			}
			continue
		}
		for range pick(w, 0, 1, 1, 1, 2, 3, 8) {
			t.Lits = append(t.Lits, w.literal(t, kind))
		}
		return t
	}
}

// kind is what an operand is to an operator.
type kind uint8

const (
	textual kind = iota
	integer
	boolean
	flagged
	addressed
	networks
)

var ops = map[kind][]Op{
	textual:   {Exists, Eq, Eq, Eq, Contains, IContains, StartsWith, EndsWith, Glob, IGlob, Regex, PathPrefix},
	integer:   {Exists, Eq, Eq, Lt, Le, Gt, Ge},
	boolean:   {Exists, Eq},
	flagged:   {Exists, Eq, Eq, Eq, Lt, Ge, Contains, StartsWith, Regex},
	addressed: {Exists, Eq, Eq, Eq, Contains, StartsWith, Glob, PathPrefix},
	networks:  {Exists, Eq},
}

func kindOf(o *Operand) kind {
	if len(o.Apply) > 0 {
		if o.Apply[len(o.Apply)-1] == Len {
			return integer
		}
		return textual
	}
	switch {
	case o.Path != "":
		return textual
	case o.Field.Type == field.Int:
		return integer
	case o.Field.Type == field.Bool:
		return boolean
	case o.Field.Type == field.Flags:
		return flagged
	case o.Field.Type == field.IP:
		return addressed
	case o.Field.Type == field.Net:
		return networks
	}
	return textual
}

func (w *world) operand() Operand {
	o := Operand{Field: pick(w, w.fields...), Index: -1}
	switch o.Field.Subscript {
	case field.Index:
		o.Index = w.IntN(5) - 1
	case field.Path:
		o.Path = pick(w, "", "0", "0.clusterip.0", "items.0.namespace")
	}
	if k := kindOf(&o); w.IntN(4) == 0 && k != integer && k != boolean && k != networks {
		for range w.IntN(3) {
			o.Apply = append(o.Apply, pick(w, ToLower, ToUpper, B64, Basename))
		}
		if w.IntN(3) == 0 {
			o.Apply = append(o.Apply, Len)
		}
	} else if o.many() && w.IntN(10) == 0 {
		o.Apply = []Transform{Len}
	}
	return o
}

func (w *world) literal(t *Test, k kind) Literal {
	textOp := t.Op == Contains || t.Op == IContains || t.Op >= StartsWith
	if t.Op == Eq && w.IntN(15) == 0 && !(k == integer && len(t.Left.Apply) > 0) {
		return Literal{Missing: true, Text: "<NA>", Bitmap: k == flagged}
	}
	switch {
	case k == flagged && t.Op == Eq:
		if w.IntN(3) == 0 {
			return Literal{Int: pick(w, 0, w.bit(21)), Bitmap: true}
		}
		return Literal{Int: w.bit(27) | w.bit(26)}
	case k == addressed && t.Op == Eq || k == networks:
		return Literal{Prefix: pick(w, netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("127.0.0.1/32"),
			netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0"), netip.Prefix{})}
	case k == boolean:
		return Literal{Int: w.Int64N(2)}
	case !textOp && k != textual:
		return Literal{Int: pick(w, 0, 1, 2, 3, 22, 16777343, w.Int64N(8)-2)}
	case t.Left.hasInt() && t.Op == Eq && w.IntN(2) == 0:
		return Literal{Int: w.Int64N(4) - 1, Number: true}
	}
	return w.text(t)
}

// text returns a literal that has something to do with what the operand is on some record.
func (w *world) text(t *Test) Literal {
	all := asTexts(read(&t.Left, record{pick(w, w.rows...), 1}, false))
	s := pick(w, append(all, pick(w, paths...), pick(w, words...), "EXEC", "10.", "READ")...)
	i := w.IntN(len(s) + 1)
	switch t.Op {
	case Contains:
		s = s[i:min(len(s), i+w.IntN(4))]
	case IContains:
		// The oracle compares characters, so no part of one.
		s = strings.ToUpper(strings.ToValidUTF8(s, ""))
		runes := []rune(s)
		s = string(runes[w.IntN(len(runes)+1):])
	case StartsWith:
		s = s[:i]
	case EndsWith:
		s = s[i:]
	case Glob, IGlob:
		s = pick(w, "*", "/*", "*sh", "/?in/*", "*[a-d]*", "*[!a-z]", "/[eb]*/*s*", `*\**`, "*[[:digit:]]*", "?*/B*H", "*ss*_*", "**s?d*")
	case Regex:
		return Literal{Regexp: regexp.MustCompile(`^(?s:` + pick(w, ".*", "/.*h", "[a-z]*", ".*(passwd|shadow)", "E.*") + `)$`)}
	case PathPrefix:
		s = pick(w, "/etc", "/etc/", "etc/ssh", "/home/*/.ssh", "/", "", "/usr/?bin", "/*/[rs]*", s)
		if strings.ContainsAny(s, `[\`) && !strings.HasPrefix(s, "/*/") {
			s = "/etc"
		}
	}
	return Literal{Text: s}
}

func (w *world) policy(rules, drops int) *Policy {
	w.nodes = nil
	p := &Policy{}
	for i := range rules {
		r := &Rule{Rule: &engine.Rule{Name: fmt.Sprint("rule ", i), Enabled: w.IntN(10) != 0}, Cond: w.node(4)}
		if w.IntN(3) == 0 {
			r.Prefilter = field.TypesOf(pick(w, recordTypes[:7]...), pick(w, recordTypes[:7]...))
		}
		p.Rules = append(p.Rules, r)
	}
	for i := range drops {
		p.Drops = append(p.Drops, &Drop{Name: fmt.Sprint("drop ", i), Enabled: w.IntN(5) != 0, Cond: And{w.test(), w.node(2)}})
	}
	return p
}

// TestAgainstOracle compares compiled sets with the interpretation of their conditions: some ten thousand conditions,
// each on many records.
func TestAgainstOracle(t *testing.T) {
	matches, drops := 0, 0
	for seed := range uint64(250) {
		w := newWorld(seed)
		p := w.policy(40, w.IntN(3))
		set, err := Compile(p)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		eval, remembers := set.NewEvaluator(), set.NewEvaluator()
		remembers.SameTree(true)
		for i, row := range append(w.rows, w.rows[:10]...) {
			r := record{row, int64(i%3 + 1)}
			want, wantDrop := oracle(p, r)
			got, drop := eval.Eval(row, r.num)
			if drop != wantDrop || !slices.Equal(got, want) {
				t.Fatalf("seed %d, row %d: got drop %t and %s, want %t and %s%s", seed, i, drop, names(got), wantDrop, names(want),
					culprit(t, p, r))
			}
			if got, drop := remembers.Eval(row, r.num); drop != wantDrop || !slices.Equal(got, want) {
				t.Fatalf("seed %d, row %d: remembering processes, got drop %t and %s, want %t and %s", seed, i, drop, names(got),
					wantDrop, names(want))
			}
			matches += len(got)
			if drop {
				drops++
			}
		}
	}
	if matches < 10000 || drops < 100 {
		t.Errorf("%d matches and %d drops: the test tests too little", matches, drops)
	}
}

func names(rules []*engine.Rule) []string {
	var list []string
	for _, r := range rules {
		list = append(list, r.Name)
	}
	return list
}

// culprit describes a test of p that goes wrong by itself, if there is one.
func culprit(t *testing.T, p *Policy, r record) string {
	var tests []*Test
	var collect func(n Node)
	collect = func(n Node) {
		switch n := n.(type) {
		case And:
			for _, k := range n {
				collect(k)
			}
		case Or:
			for _, k := range n {
				collect(k)
			}
		case Not:
			collect(n.X)
		case *Test:
			tests = append(tests, n)
		}
	}
	for _, rule := range p.Rules {
		collect(rule.Cond)
	}
	for _, test := range tests {
		set, err := Compile(&Policy{Rules: []*Rule{{Rule: &engine.Rule{Enabled: true}, Cond: test}}})
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := set.NewEvaluator().Eval(r.row, r.num); (len(got) == 1) != testHolds(test, r) {
			right := ""
			if test.Right != nil {
				right = fmt.Sprintf("\nright %s%+v values %+v", test.Right.Field.Name, *test.Right, read(test.Right, r, false))
			}
			return fmt.Sprintf("\nop %d, quantifier %d, %s%+v values %+v\nliterals %+v%s",
				test.Op, test.Quant, test.Left.Field.Name, test.Left, read(&test.Left, r, false), test.Lits, right)
		}
	}
	return ", no test goes wrong by itself"
}

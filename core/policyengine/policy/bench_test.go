package policy_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/sysflow-telemetry/sf-processor/core/policyengine/falco"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
	"github.com/sysflow-telemetry/sf-processor/core/sfgo"
)

// templates are conditions as rule files have them; %[1]d makes each of them as many rules as are wanted.
var templates = []string{
	`sf.opflags = EXEC and sf.proc.name in (nmap%[1]d, ncat%[1]d, masscan%[1]d, socat%[1]d)`,
	`sf.opflags = EXEC and sf.pproc.name in (httpd%[1]d, nginx%[1]d) and not sf.proc.args contains check%[1]d`,
	`sf.type = FF and sf.opflags = WRITE and sf.file.path startswith /etc/cron%[1]d`,
	`sf.opflags = OPEN and sf.file.is_open_write = true and sf.file.directory in (/root/.ssh%[1]d, /usr/lib%[1]d)`,
	`sf.type = NF and sf.net.dport = %[1]d and not sf.net.dip = 10.0.0.0/8`,
	`sf.opflags = OPEN and sf.file.path endswith .pem%[1]d and sf.proc.user != root`,
	`sf.container.type != host and sf.proc.exe startswith /opt/tool%[1]d`,
	`sf.opflags = RENAME and sf.file.newpath contains /.hidden%[1]d`,
	`sf.opflags = EXEC and sf.proc.cmdline contains "--stage%[1]d"`,
	`sf.opflags in (OPEN, WRITE) and sf.proc.aname in (sshd%[1]d, telnetd%[1]d) and sf.file.path pmatch (/shadow%[1]d, /sudoers%[1]d)`,
}

// compiled returns a set of n rules none of which matches.
func compiled(tb testing.TB, n int) *policy.Set {
	tb.Helper()
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "- rule: rule %d\n  desc: d\n  condition: ", i)
		fmt.Fprintf(&b, templates[i%len(templates)], 1000+i)
		b.WriteByte('\n')
	}
	p, diags := falco.LoadSources([]falco.Source{{Name: "rules.yaml", Text: []byte(b.String())}}, falco.Options{Catalogue: catalogue})
	if diags.HasErrors() {
		tb.Fatal(diags[0].Format())
	}
	set, err := policy.Compile(p)
	if err != nil {
		tb.Fatal(err)
	}
	return set
}

// activity returns records of what a small server does: some sixty processes, half of the files are seen again.
func activity(n int) []*sfgo.FlatRecord {
	w := rand.New(rand.NewPCG(1, 2))
	var trees [][]*sfgo.Process
	for i := range 60 {
		p := &sfgo.Process{
			Oid: &sfgo.OID{CreateTS: 1, Hpid: int64(100 + i)}, Exe: fmt.Sprint("/usr/bin/program", i), ExeArgs: fmt.Sprint("-c /etc/conf", i),
			UserName: []string{"root", "www"}[i%2],
		}
		tree := []*sfgo.Process{p}
		if i > 0 {
			tree = append(tree, trees[w.IntN(len(trees))]...)
		}
		trees = append(trees, tree[:min(5, len(tree))])
	}
	rows := make([]*sfgo.FlatRecord, n)
	for i := range rows {
		tree := trees[w.IntN(len(trees))]
		r := &sfgo.FlatRecord{
			Sources: []sfgo.Source{sfgo.SYSFLOW_SRC},
			Ints:    [][]int64{make([]int64, sfgo.INT_ARRAY_SIZE)},
			Strs:    [][]string{make([]string, sfgo.STR_ARRAY_SIZE)},
			Anys:    [][]any{make([]any, sfgo.ANY_ARRAY_SIZE)},
			Ptree:   tree,
		}
		ints, strs := r.Ints[0], r.Strs[0]
		strs[sfgo.PROC_EXE_STR], strs[sfgo.PROC_EXEARGS_STR], strs[sfgo.PROC_USERNAME_STR] = tree[0].Exe, tree[0].ExeArgs, tree[0].UserName
		ints[sfgo.PROC_OID_CREATETS_INT], ints[sfgo.PROC_OID_HPID_INT] = tree[0].Oid.CreateTS, tree[0].Oid.Hpid
		strs[sfgo.FILE_PATH_STR] = fmt.Sprintf("/var/lib/app/data/%d/segment.%d.log", w.IntN(10), w.IntN(10))
		if w.IntN(2) == 0 {
			strs[sfgo.FILE_PATH_STR] = fmt.Sprintf("/proc/%d/stat", 1000+i)
		}
		ints[sfgo.FILE_RESTYPE_INT] = 'f'
		switch w.IntN(20) {
		case 0, 1:
			ints[sfgo.SF_REC_TYPE], ints[sfgo.OPFLAGS_INT] = sfgo.PROC_EVT, 1<<w.IntN(3)
		case 2, 3, 4, 5, 6:
			ints[sfgo.SF_REC_TYPE], ints[sfgo.OPFLAGS_INT] = sfgo.NET_FLOW, 1<<6|1<<8|1<<9
			ints[sfgo.FL_NETW_DIP_INT], ints[sfgo.FL_NETW_DPORT_INT] = w.Int64N(1<<32), w.Int64N(900)
		case 7, 8:
			ints[sfgo.SF_REC_TYPE], ints[sfgo.OPFLAGS_INT] = sfgo.FILE_EVT, 1<<(15+w.IntN(6))
		default:
			ints[sfgo.SF_REC_TYPE], ints[sfgo.OPFLAGS_INT] = sfgo.FILE_FLOW, 1<<7|1<<10|1<<(8+w.IntN(2))
			ints[sfgo.FL_FILE_OPENFLAGS_INT] = w.Int64N(4)
		}
		rows[i] = r
	}
	return rows
}

func BenchmarkEval(b *testing.B) {
	rows := activity(1024) // a batch
	for _, n := range []int{1, 20, 40, 200, 1000} {
		b.Run(fmt.Sprint(n, " rules"), func(b *testing.B) {
			eval := compiled(b, n).NewEvaluator()
			eval.SameTree(true)
			i, matches := 0, 0
			b.ReportAllocs()
			for b.Loop() {
				matched, _ := eval.Eval(rows[i%len(rows)], int64(i))
				matches += len(matched)
				i++
			}
			if matches > 0 {
				b.Errorf("%d matches", matches)
			}
			perRecord := float64(b.Elapsed().Nanoseconds()) / float64(b.N)
			b.ReportMetric(perRecord/float64(n), "ns/rule")
		})
	}
}

// BenchmarkTrace evaluates rules on the records of real traces.
func BenchmarkTrace(b *testing.B) {
	for _, trace := range []string{"k8s_small.sf", "runtime-1621959914.sf", "webserver.sf"} {
		batches := rows(b, trace)
		sets := map[string]*policy.Set{"40 rules": compiled(b, 40), "1000 rules": compiled(b, 1000)}
		for _, name := range []string{"sysflow", "falco"} {
			set, err := policy.Compile(load(b, "testdata/"+name+".yaml"))
			if err != nil {
				b.Fatal(err)
			}
			sets[name] = set
		}
		for _, name := range slices.Sorted(maps.Keys(sets)) {
			b.Run(trace+"/"+name, func(b *testing.B) {
				eval := sets[name].NewEvaluator()
				eval.SameTree(true)
				records := 0
				b.ReportAllocs()
				for b.Loop() {
					records = 0
					for _, batch := range batches {
						for i := range batch.Recs {
							records++
							eval.Eval(&batch.Recs[i], int64(records))
						}
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*records), "ns/record")
			})
		}
	}
}

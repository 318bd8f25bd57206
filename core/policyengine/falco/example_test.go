package falco_test

import (
	"fmt"

	"github.com/sysflow-telemetry/sf-processor/core/field"
	"github.com/sysflow-telemetry/sf-processor/core/policyengine/falco"
)

func ExampleLoadSources() {
	rules := falco.Source{Name: "rules.yaml", Text: []byte(`
- list: shells
  items: [bash, zsh]

- rule: Shell in container
  desc: a shell was started in a container
  condition: sf.opflags = EXEC and sf.proc.nmae in (shells) and sf.container.type != host
  priority: high
`)}
	policy, problems := falco.LoadSources([]falco.Source{rules}, falco.Options{Catalogue: field.SysFlow()})
	for _, p := range problems {
		fmt.Print(p.Format())
	}
	fmt.Println("usable:", policy != nil)
	// Output:
	// rules.yaml:7:36: error: unknown attribute 'sf.proc.nmae' [E301]
	//       condition: sf.opflags = EXEC and sf.proc.nmae in (shells) and sf.container.type != host
	//                                        ^~~~~~~~~~~~
	//     hint: did you mean 'sf.proc.name'?
	// usable: false
}

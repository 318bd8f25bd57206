package falco

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/sysflow-telemetry/sf-processor/core/policyengine/policy"
)

// MaxErrors is the number of errors after which the other problems of a policy set are not reported.
const MaxErrors = 50

// problems collects what is wrong with a policy set.
type problems struct {
	checks Checks
	list   []problem
}

type problem struct {
	order int // load order of its file
	*policy.Diagnostic
	once bool // told at the first of the places that have it
}

// same says whether two problems are the same fault at the same place.
func (p problem) same(o problem) bool {
	return p.order == o.order && p.Pos == o.Pos && p.Code == o.Code && p.Message == o.Message
}

// report adds a problem. The caller may add hints and notes to it.
func (p *problems) report(code string, at place, format string, args ...any) *policy.Diagnostic {
	d := &policy.Diagnostic{
		Pos:      policy.Pos{Line: at.line, Col: at.col},
		Len:      max(1, at.n),
		Severity: severity(code, p.checks),
		Code:     code,
		Message:  fmt.Sprintf(format, args...),
	}
	order := -1
	if at.src != nil {
		order = at.src.order
		d.File = at.src.name
		if at.line > 0 && at.line <= len(at.src.lines) {
			d.Source = at.src.lines[at.line-1]
		}
	}
	p.list = append(p.list, problem{order: order, Diagnostic: d})
	return d
}

// reportOnce adds a problem that the set has once, however many places have it.
func (p *problems) reportOnce(code string, at place, format string, args ...any) {
	p.report(code, at, format, args...)
	p.list[len(p.list)-1].once = true
}

// severity returns how bad a problem of the given code is at a level of checking.
func severity(code string, checks Checks) policy.Severity {
	switch code {
	case "E106", "E301", "E302", "E303", "E501": // unknown names
		if checks == Lenient {
			return policy.Warning
		}
	case "W112", "W120", "W121", "W123", "W308", "W309", "W310", "W313", "W503", // suspicious
		"W307", "W409", "W504", "W505": // unanswerable
		if checks == Strict {
			return policy.Error
		}
	}
	switch code[0] {
	case 'E':
		return policy.Error
	case 'W':
		return policy.Warning
	default:
		return policy.Info
	}
}

// sorted returns the problems in load order and position, up to the last error that is reported.
func (p *problems) sorted() policy.Diagnostics {
	slices.SortStableFunc(p.list, func(a, b problem) int {
		return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col),
			cmp.Compare(a.Code, b.Code), cmp.Compare(a.Message, b.Message))
	})
	ds := make(policy.Diagnostics, 0, len(p.list))
	errors := 0
	told := map[string]bool{}
	for i, d := range p.list {
		if i > 0 && d.same(p.list[i-1]) { // an alias is read at each of its uses
			continue
		}
		if d.once {
			if told[d.Message] {
				continue
			}
			told[d.Message] = true
		}
		if ds = append(ds, d.Diagnostic); d.Severity == policy.Error {
			if errors++; errors == MaxErrors {
				break
			}
		}
	}
	return ds
}

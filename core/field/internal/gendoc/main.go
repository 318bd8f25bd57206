// Command gendoc writes the reference page of the attributes to the file it is given.
package main

import (
	"bytes"
	"fmt"
	"os"

	"github.com/sysflow-telemetry/sf-processor/core/field"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: gendoc file")
		os.Exit(2)
	}
	var page bytes.Buffer
	err := field.SysFlow().WritePage(&page)
	if err == nil {
		err = os.WriteFile(os.Args[1], page.Bytes(), 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gendoc:", err)
		os.Exit(1)
	}
}

// SPDX-License-Identifier: Apache-2.0

package simplugin_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The README's program is the example, and prints what the README says, built as a user of the module builds it.
func TestReadme(t *testing.T) {
	if raceEnabled {
		t.Skip("the run without the race detector builds it")
	}
	_, program, _ := strings.Cut(read(t, "README.md"), "```go\n")
	program, rest, _ := strings.Cut(program, "```")
	_, prints, _ := strings.Cut(rest, "```text\n")
	prints, _, _ = strings.Cut(prints, "```")
	example := read(t, "examples/fruit/fruit.go")
	if example = example[strings.Index(example, "package main"):]; example != program {
		t.Error("examples/fruit is not the program of the README")
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	directory := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("main.go", program)
	sum := read(t, "go.sum")
	_, requires, _ := strings.Cut(read(t, "go.mod"), "\nrequire ")
	write("go.mod", "module program\n\ngo 1.23\n\nrequire simplugin v0.0.0\n\nrequire "+requires+"\nreplace simplugin => "+here+"\n")
	write("go.sum", sum)
	command := exec.Command("go", "run", "-mod=mod", ".")
	command.Dir = directory
	command.Env = append(os.Environ(), "GOEXPERIMENT=")
	if out, err := command.CombinedOutput(); err != nil || string(out) != prints {
		t.Errorf("%v\n%s", err, out)
	}
}

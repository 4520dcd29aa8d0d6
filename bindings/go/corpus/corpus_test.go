// SPDX-License-Identifier: Apache-2.0

// Package corpus runs the cases of tests/corpus through the binding's own functions.
package corpus

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"simplugin"
)

const (
	root   = "../../../"
	beside = 6 // cases of one backend at a time; -parallel is large, so that the backends do not wait for each other
)

type testCase struct {
	Name        string         `json:"name"`
	Requirement []string       `json:"requirement"`
	Setup       string         `json:"setup"`
	Steps       []step         `json:"steps"`
	Needs       map[string]any `json:"needs"`
	Session     map[string]any `json:"session"`
	Files       map[string]any `json:"files"`
	ABI         bool           `json:"abi"`
	Form        string         `json:"form"`
}

type step struct {
	Call      string            `json:"call"`
	Target    any               `json:"target"`
	Body      any               `json:"body"`
	Raw       map[string]any    `json:"raw"`
	Timeout   int64             `json:"timeout_ms"`
	Cancelled bool              `json:"cancelled"`
	Bind      map[string]string `json:"bind"`
	Expect    any               `json:"expect"`
	Hits      any               `json:"hits"`
	Error     map[string]any    `json:"error"`
	Without   *without          `json:"without_method"`
	Close     any               `json:"close"`
	Drain     any               `json:"drain"`
	AtMost    int               `json:"at_most"`
	Finish    any               `json:"finish"`

	Form string `json:"-"` // of the case
}

type without struct {
	Method string         `json:"method"`
	Error  map[string]any `json:"error"`
}

// leftOut are the cases that cannot be made in Go, and why.
var leftOut = map[string]string{
	"bodies that are no MessagePack":           "a Body is always MessagePack",
	"a body that is too large or too deep":     "the size of a Body is what it is",
	"tensors whose sizes overflow or disagree": "a tensor has the size of its slice, and is aligned",
	"timeouts that are none":                   "no context has a timeout of -2 ms, or none of -1 ms that has not ended",
}

// possible says whether a case can be made here.
func possible(value any) bool {
	switch v := value.(type) {
	case []any:
		return !slices.ContainsFunc(v, func(part any) bool { return !possible(part) })
	case map[string]any:
		if v["raw"] != nil || integer(v["timeout_ms"], 0) < 0 || v["$ext"] != nil {
			return false
		}
		if options, ok := v["$tensor"].(map[string]any); ok {
			_, isName := options["dtype"].(string)
			claims := options["claim"] != nil && options["dtype"] != "bits"
			if claims || options["misaligned"] != nil || options["dtype"] != nil && !isName {
				return false
			}
		}
		for _, part := range v {
			if !possible(part) {
				return false
			}
		}
	}
	return true
}

var pluginDir string

func TestMain(m *testing.M) {
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "FIFTYONE_") || strings.HasPrefix(name, "SIMPLUGIN_") && !strings.HasPrefix(name, "SIMPLUGIN_TEST_") {
			os.Unsetenv(name)
		}
	}
	home, err := os.MkdirTemp("", "simplugin-go-home-")
	if err != nil {
		panic(err)
	}
	os.Setenv("HOME", home)
	os.Setenv("XDG_DATA_HOME", home)
	directory, err := exec.Command("pkg-config", "--variable=plugindir", "simplugin").Output()
	if err != nil {
		panic(err)
	}
	pluginDir = filepath.Clean(strings.TrimSpace(string(directory)))
	code := m.Run()
	os.RemoveAll(home)
	os.Exit(code)
}

// load reads the files of a directory. convert, if not nil, makes cases of something else.
func load(t *testing.T, directory string, convert func(name string, table map[string]any) testCase) (cases []testCase, raw []any) {
	names, _ := filepath.Glob(directory + "/*.json")
	if len(names) == 0 {
		t.Fatal("no corpus in ", directory)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if convert != nil {
			var table map[string]any
			parse(t, data, &table)
			cases = append(cases, convert(filepath.Base(name), table))
			continue
		}
		var file struct {
			Setups map[string][]step `json:"setups"`
			Cases  []testCase        `json:"cases"`
		}
		var plain map[string]any
		parse(t, data, &file)
		parse(t, data, &plain)
		for _, one := range file.Cases {
			if one.Setup != "" && file.Setups[one.Setup] == nil {
				t.Fatalf("%s: no setup %q", name, one.Setup)
			}
			one.Steps = append(slices.Clone(file.Setups[one.Setup]), one.Steps...)
			for i := range one.Steps {
				one.Steps[i].Form = one.Form
			}
			cases = append(cases, one)
		}
		raw = append(raw, plain["cases"].([]any)...)
	}
	return cases, raw
}

func parse(t *testing.T, data []byte, into any) {
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		t.Fatal(err)
	}
}

// backends are flat and those whose servers the environment names.
func backends(t *testing.T) []backend {
	all := []backend{{name: "sklearn_flat", parameters: map[string]any{}}}
	if uri := os.Getenv("SIMPLUGIN_TEST_MILVUS_URI"); uri != "" {
		all = append(all, backend{name: "milvus",
			parameters: map[string]any{"uri": uri, "metric": "cosine", "index_type": "FLAT"}})
	}
	if url := os.Getenv("SIMPLUGIN_TEST_QDRANT_URL"); url != "" {
		all = append(all, backend{name: "qdrant", parameters: map[string]any{"url": url}})
	}
	for i := range all {
		reply, err := simplugin.Default().Call(context.Background(), "backends.describe", simplugin.Body{"backend": all[i].name})
		if err != nil {
			t.Fatal(err)
		}
		described, err := reply.Map()
		if err != nil {
			t.Fatal(err)
		}
		all[i].describe = plain(described, "").(map[string]any)
	}
	return all
}

// lacks says what a backend does not offer of what a case needs; "": nothing.
func (b backend) lacks(needs map[string]any) string {
	for key, words := range needs {
		list, several := words.([]any)
		if !several {
			list = []any{words}
		}
		for _, word := range list {
			name, _ := word.(string)
			offered := b.describe[key]
			array, _ := offered.([]any)
			object, _ := offered.(map[string]any)
			if !contains(array, word) && offered != word && object[name] == nil && !(key == "backend" && name == b.name) {
				return key + " " + name
			}
		}
	}
	return ""
}

func TestCorpus(t *testing.T) {
	cases, raw := load(t, root+"tests/corpus", nil)
	left := 0
	for i, one := range cases {
		why, isLeftOut := leftOut[one.Name]
		if possible(raw[i]) == isLeftOut {
			t.Errorf("the list of cases that are left out is stale: %q", one.Name)
		}
		if isLeftOut {
			fmt.Printf("left out: %s: %s\n", one.Name, why)
			left++
		}
	}
	if left != len(leftOut) {
		t.Errorf("the list of cases that are left out names %d, of which %d are there", len(leftOut), left)
	}
	filters, _ := load(t, root+"tests/cases/filter", filterCases)
	cases = append(cases, filters...)
	total := &ways{native: map[string]int{}}
	t.Run("backends", func(t *testing.T) {
		for _, on := range backends(t) {
			t.Run(on.name, func(t *testing.T) {
				t.Parallel()
				runBackend(t, on, cases, total)
			})
		}
	})
	steps := 0
	for _, method := range nativeMethods() {
		steps += total.native[method]
		if total.native[method] == 0 {
			t.Errorf("the native function of %s was never used", method)
		}
	}
	fmt.Printf("steps: %d through the binding's own functions, %d through Call; %d cases left out\n", steps, total.called, left)
}

func nativeMethods() []string {
	methods := []string{"copy.open", "copy.next", "scan.next", "session.close", "connection.close", "index.close", "view.close",
		"scan.close", "copy.close"}
	for method := range sessionFunctions {
		if method != "session.open" { // every case opens one
			methods = append(methods, method)
		}
	}
	for method := range indexFunctions {
		methods = append(methods, method)
	}
	return methods
}

func runBackend(t *testing.T, on backend, cases []testCase, w *ways) {
	forms := []string{"native"}
	if on.name == "sklearn_flat" {
		forms = append(forms, "plain") // quick enough to see that Call alone does it all
	}
	room := make(chan struct{}, beside) // servers answer slowly: several cases beside each other
	begin, ran, unfit := time.Now(), 0, 0
	t.Run("cases", func(t *testing.T) {
		for _, one := range cases {
			if leftOut[one.Name] != "" {
				continue
			}
			if on.lacks(one.Needs) != "" {
				unfit++
				continue
			}
			for _, form := range forms {
				if form == "plain" && one.Form == "columns" {
					continue
				}
				ran++
				t.Run(strings.Join(one.Requirement, " ")+" "+one.Name+", "+form, func(t *testing.T) {
					t.Parallel()
					room <- struct{}{}
					defer func() { <-room }()
					used := w
					if form == "plain" {
						used = &ways{native: map[string]int{}}
					}
					if err := runCase(on, form, one, used); err != nil {
						t.Error(err)
					}
				})
			}
		}
	})
	fmt.Printf("%s: %d cases, %d not applicable, %.1f s\n", on.name, ran, unfit, time.Since(begin).Seconds())
}

// SPDX-License-Identifier: Apache-2.0

package simplugin_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"simplugin"
)

// What the process's environment says must not decide what a test does.
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
	os.Setenv("FIFTYONE_BRAIN_CONFIG_PATH", home+"/none.json")
	os.Setenv("SIMPLUGIN_DATA", home+"/data") // of the examples, which use the default session
	if helper := os.Getenv("SIMPLUGIN_TEST_HELPER"); helper != "" {
		helpers[helper]()
		os.RemoveAll(home)
		os.Exit(0)
	}
	code := m.Run()
	os.RemoveAll(home)
	os.Exit(code)
}

// helpers are programs that tests run in a process of their own.
var helpers = map[string]func(){}

func newSession(t testing.TB) *simplugin.Session {
	t.Helper()
	session, err := simplugin.OpenSession(context.Background(), &simplugin.SessionOptions{
		DataDir: t.TempDir(), ConfigPath: t.TempDir() + "/none.json", Environment: map[string]string{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { session.Close() })
	return session
}

// newIndex has the points a (1, 0), b (0, 1) and c (1, 1) under the euclidean metric.
func newIndex(t testing.TB, options *simplugin.IndexOptions) *simplugin.Index {
	t.Helper()
	if options == nil {
		options = &simplugin.IndexOptions{}
	}
	options.Metric = "euclidean"
	index, err := newSession(t).CreateIndex(context.Background(), options)
	if err != nil {
		t.Fatal(err)
	}
	_, err = index.Add(context.Background(), []string{"a", "b", "c"}, simplugin.Rows([]float32{1, 0, 0, 1, 1, 1}, 2),
		&simplugin.AddOptions{Fields: simplugin.Fields{"page": simplugin.ColumnOf([]int{1, 2, 3})}})
	if err != nil {
		t.Fatal(err)
	}
	return index
}

func numbers(count int) []float32 {
	data := make([]float32, count)
	state := uint32(1)
	for i := range data {
		state = state*1664525 + 1013904223
		data[i] = float32(state>>8)/(1<<23) - 1
	}
	return data
}

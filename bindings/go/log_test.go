// SPDX-License-Identifier: Apache-2.0

package simplugin_test

import (
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"simplugin"
)

// warn makes the library log a warning.
func warn(t *testing.T, index *simplugin.Index) {
	if _, err := index.Get(ctx, simplugin.IDs{"nobody"}, &simplugin.GetOptions{WarnMissing: true}); err != nil {
		t.Error(err)
	}
}

func TestLog(t *testing.T) {
	index := newIndex(t, nil)
	defer simplugin.SetLog(0, nil)
	var got atomic.Pointer[string]
	simplugin.SetLog(simplugin.LogWarning, func(level simplugin.LogLevel, message string) {
		text := level.String() + ": " + message
		got.Store(&text)
	})
	warn(t, index)
	if text := got.Load(); text == nil || !strings.HasPrefix(*text, "warning: ") || !strings.Contains(*text, "not in the index") {
		t.Error(text)
	}
	got.Store(nil)
	simplugin.SetLog(simplugin.LogError, func(simplugin.LogLevel, string) { t.Error("a warning is no error") })
	warn(t, index)
}

func TestLogIsSetWhileCallsRun(t *testing.T) {
	index := newIndex(t, nil)
	quiet := func(simplugin.LogLevel, string) {}
	simplugin.SetLog(simplugin.LogWarning, quiet)
	var wait sync.WaitGroup
	for range 4 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for range 200 {
				warn(t, index)
			}
		}()
	}
	for range 200 {
		simplugin.SetLog(simplugin.LogDebug, func(simplugin.LogLevel, string) {})
		simplugin.SetLog(simplugin.LogError, quiet)
	}
	wait.Wait()
	simplugin.SetLog(0, nil)
}

func init() {
	helpers["log panics"] = func() {
		simplugin.SetLog(simplugin.LogWarning, func(simplugin.LogLevel, string) { panic("the function's") })
		index, err := simplugin.CreateIndex(ctx, &simplugin.IndexOptions{Dimension: 2})
		if err != nil {
			panic(err)
		}
		for range 3 {
			if _, err := index.Get(ctx, simplugin.IDs{"nobody"}, &simplugin.GetOptions{WarnMissing: true}); err != nil {
				panic(err)
			}
		}
	}
}

func TestLogPanics(t *testing.T) {
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), "SIMPLUGIN_TEST_HELPER=log panics")
	out, err := command.CombinedOutput()
	if err != nil || strings.Count(string(out), "simplugin: the log function panicked: the function's\n") != 3 {
		t.Errorf("%v\n%s", err, out)
	}
}

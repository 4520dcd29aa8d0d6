// SPDX-License-Identifier: Apache-2.0

package simplugin_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"simplugin"
)

func TestR277Errors(t *testing.T) {
	index := newIndex(t, nil)
	_, err := index.Search(ctx, simplugin.IDs{"nobody"}, nil)
	var e *simplugin.Error
	if !errors.As(err, &e) || !errors.Is(err, simplugin.ErrNotFound) || errors.Is(err, simplugin.ErrBusy) ||
		errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if e.Code != simplugin.ErrNotFound || e.Code.String() != "NOT_FOUND" || e.Detail("id") != "nobody" || e.Detail("none") != "" ||
		e.Domain == "" || e.Retryable || e.BackendCode != 0 || !strings.HasPrefix(err.Error(), "NOT_FOUND: ") {
		t.Errorf("%+v", e)
	}
}

// An error that is larger than what crosses with the call comes whole.
func TestLargeErrors(t *testing.T) {
	index := newIndex(t, nil)
	ids := make(simplugin.IDs, 100)
	for i := range ids {
		ids[i] = strings.Repeat("x", 200) + strconv.Itoa(i)
	}
	var e *simplugin.Error
	_, err := index.Get(ctx, ids, &simplugin.GetOptions{AllowMissing: simplugin.Ptr(false)})
	if !errors.As(err, &e) || e.Code != simplugin.ErrNotFound || e.Detail("id") != ids[0] || len(e.Details) < 2 {
		t.Errorf("%d details, %v", len(e.Details), err)
	}
}

// A server's own words.
func TestR277BackendErrors(t *testing.T) {
	session := newSession(t)
	_, err := session.Connect(ctx, "qdrant", map[string]any{"url": "http://127.0.0.1:1"})
	if err == nil {
		c, _ := session.Connect(ctx, "qdrant", map[string]any{"url": "http://127.0.0.1:1", "timeout_ms": 2000})
		_, err = c.Health(ctx)
	}
	var e *simplugin.Error
	if !errors.As(err, &e) || e.Code != simplugin.ErrUnavailable || !e.Retryable || e.Domain != "qdrant" || e.BackendMessage == "" {
		t.Errorf("%+v", e)
	}
}

// Every code of plugin.h has its constant and its name.
func TestCodes(t *testing.T) {
	header := read(t, "../../include/simplugin/plugin.h")
	source := read(t, "error.go")
	header = header[strings.Index(header, "---- codes"):strings.Index(header, "---- tensors")]
	count := 0
	for _, m := range regexp.MustCompile(`(?m)^#define SIMPLUGIN_(\w+) +(\d+)`).FindAllStringSubmatch(header, -1) {
		number, _ := strconv.Atoi(m[2])
		if number == 0 {
			continue
		}
		count++
		if name := simplugin.Code(number).String(); name != m[1] {
			t.Errorf("%d is %s, not %s", number, m[1], name)
		}
		if !regexp.MustCompile(`Code = C\.SIMPLUGIN_` + m[1] + `\b`).MatchString(source) {
			t.Errorf("there is no constant for %s", m[1])
		}
	}
	if count < 38 {
		t.Errorf("only %d codes in plugin.h", count)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Where the library is missing, building says what was looked for, and running too. The README repeats both messages
// with what to do.
func TestMissingLibrary(t *testing.T) {
	if raceEnabled {
		t.Skip("the run without the race detector builds it")
	}
	readme := read(t, "README.md")
	build := exec.Command("go", "build", "-o", filepath.Join(t.TempDir(), "x"), "./examples/fruit")
	build.Env = append(os.Environ(), "PKG_CONFIG_PATH=/nonexistent", "PKG_CONFIG_LIBDIR=/nonexistent",
		fmt.Sprint("CGO_CPPFLAGS=-DNOT_IN_THE_CACHE=", time.Now().UnixNano()))
	out, err := build.CombinedOutput()
	says := "Package simplugin was not found in the pkg-config search path"
	if err == nil || !strings.Contains(string(out), says) || !strings.Contains(readme, says) {
		t.Errorf("%v\n%s", err, out)
	}
	run := exec.Command(os.Args[0], "-test.run", "^$")
	run.Env = append(os.Environ(), "LD_LIBRARY_PATH=/nonexistent")
	out, err = run.CombinedOutput()
	says = "error while loading shared libraries: libsimplugin.so.1"
	if err == nil || !strings.Contains(string(out), says) || !strings.Contains(readme, says) {
		t.Errorf("%v\n%s", err, out)
	}
}

// SPDX-License-Identifier: Apache-2.0

package corpus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"simplugin"
)

// Ways are the ways that steps went.
type ways struct {
	sync.Mutex
	native map[string]int // by method
	called int
}

func (w *ways) count(method string, isNative bool) {
	w.Lock()
	defer w.Unlock()
	if isNative {
		w.native[method]++
	} else {
		w.called++
	}
}

// A backend is what the corpus runs on.
type backend struct {
	name       string
	parameters map[string]any
	describe   map[string]any
}

// A run is one case under way.
type run struct {
	scope
	on       backend
	form     string // native: the binding's own functions where they fit; plain: Call, arrays as they are written
	ways     *ways
	session  *simplugin.Session
	indexes  map[uint64]*simplugin.Index
	views    map[uint64]*simplugin.View
	objects  map[uint64]handled
	kinds    map[uint64]string // what a handle is of
	cleaning []uint64          // indexes
}

var runNumber atomic.Int64

func runCase(on backend, form string, one testCase, w *ways) (err error) {
	directory, err := os.MkdirTemp("", "simplugin-go-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(directory)
	r := &run{on: on, form: form, ways: w, indexes: map[uint64]*simplugin.Index{}, views: map[uint64]*simplugin.View{},
		objects: map[uint64]handled{}, kinds: map[uint64]string{},
		scope: scope{variables: map[string]any{}, directory: directory, pluginPath: []string{pluginDir}, backend: on.name,
			unique: fmt.Sprintf("go%d_%d", os.Getpid(), runNumber.Add(1))}}
	defer func() {
		if what := recover(); what != nil {
			err = fmt.Errorf("%v", what)
		}
	}()
	if err := r.writeFiles(one); err != nil {
		return err
	}
	if err := r.openSession(one); err != nil {
		return err
	}
	defer r.cleanUp()
	for i, step := range one.Steps {
		last, err := r.step(step)
		if err != nil {
			what := step.Call
			if what == "" {
				what = "close, drain or finish"
			}
			return fmt.Errorf("step %d (%s): %w", i+1, what, err)
		}
		if last {
			break
		}
	}
	return nil
}

func (r *run) writeFiles(one testCase) error {
	files := map[string]any{"brain_config.json": map[string]any{
		"default_similarity_backend": r.on.name, "similarity_backends": map[string]any{r.on.name: r.on.parameters}}}
	for name, content := range one.Files {
		files[name] = r.expand(content, false)
	}
	for name, content := range files {
		text, isText := content.(string)
		data := []byte(text)
		if !isText {
			data, _ = json.Marshal(content)
		}
		if err := os.WriteFile(filepath.Join(r.directory, name), data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) openSession(one testCase) error {
	body := map[string]any{"config_path": r.directory + "/brain_config.json", "data_dir": r.directory + "/data",
		"environment": map[string]any{}, "plugin_path": []any{pluginDir}}
	for key, value := range one.Session {
		if body[key] = r.expand(value, false); value == nil {
			delete(body, key)
		}
	}
	result, err := sessionFunctions["session.open"](context.Background(), nil, fitOf(body, nil))
	if err != nil {
		return fmt.Errorf("session.open: %w", err)
	}
	r.session = result.(opened).object.(*simplugin.Session)
	return nil
}

func (r *run) cleanUp() {
	for _, handle := range r.cleaning {
		_, _ = simplugin.Call(context.Background(), handle, "index.cleanup", nil)
	}
	r.session.Close()
}

// ---- steps ----

func (r *run) step(s step) (last bool, err error) {
	switch {
	case s.Drain != nil:
		return false, r.drain(s)
	case s.Finish != nil:
		return false, r.finish(s)
	case s.Close != nil:
		return false, r.close(s)
	}
	return r.callStep(s)
}

func (r *run) target(value any) uint64 {
	name, isText := value.(string)
	switch {
	case value == nil, name == "session":
		return r.session.Handle()
	case name == "default":
		return 0
	case isText:
		value = r.variables[strings.TrimPrefix(name, "$")]
	}
	handle, ok := handleOf(value)
	if !ok {
		panic(fmt.Sprintf("no handle %v", value))
	}
	return handle
}

func (r *run) callStep(s step) (last bool, err error) {
	failure := s.Error
	if s.Without != nil && !contains(r.on.describe["methods"].([]any), s.Without.Method) {
		failure, last = s.Without.Error, true
	}
	body, _ := r.expand(s.Body, false).(map[string]any)
	reply, err := r.send(s, r.target(s.Target), body, failure != nil)
	if failure != nil {
		return last, r.checkError(r.expand(failure, true).(map[string]any), err)
	}
	if err != nil {
		return false, err
	}
	r.remember(s, reply)
	return last, r.checkReply(s, reply)
}

// contextOf is what limits the step's call.
func contextOf(s step) (context.Context, context.CancelFunc) {
	if s.Timeout > 0 {
		return context.WithTimeout(context.Background(), time.Duration(s.Timeout)*time.Millisecond)
	}
	ctx, cancel := context.WithCancel(context.Background())
	if s.Cancelled {
		cancel()
	}
	return ctx, cancel
}

// send makes the call natively if it fits, else by Call.
func (r *run) send(s step, target uint64, body map[string]any, mayFail bool) (map[string]any, error) {
	ctx, cancel := contextOf(s)
	defer cancel()
	if r.form == "native" && s.Form != "plain" {
		result, err := r.native(ctx, s.Call, target, fitOf(body, r.views), mayFail)
		if !errors.Is(err, errUnfit) {
			r.ways.count(s.Call, true)
			if err != nil {
				return nil, err
			}
			return r.open(result), nil
		}
	}
	r.ways.count(s.Call, false)
	made := simplugin.Body{}
	if r.form == "native" && s.Form != "plain" || s.Form == "columns" {
		made = columns(body)
	} else {
		for key, value := range body {
			made[key] = native(value)
		}
	}
	reply, err := simplugin.Call(ctx, target, s.Call, made)
	if err != nil {
		return nil, err
	}
	m, err := reply.Map()
	if err != nil {
		return nil, err
	}
	for _, kind := range []string{"session", "connection", "index", "view", "scan", "copy"} {
		if handle, ok := m[kind].(int64); ok {
			r.kinds[uint64(handle)] = kind
			if kind == "index" {
				r.cleaning = append(r.cleaning, uint64(handle))
			}
		}
	}
	return plain(m, "").(map[string]any), nil
}

// native calls the function of a method, errUnfit if there is none for this target and body.
func (r *run) native(ctx context.Context, method string, target uint64, f *fit, mayFail bool) (any, error) {
	object := r.objects[target]
	if target == r.session.Handle() {
		object = r.session
	} else if target == 0 {
		object = simplugin.Default()
	}
	if strings.HasSuffix(method, ".close") && object != nil && !mayFail && r.kinds[target]+".close" == method {
		return run0(f, object.Close)
	}
	switch o := object.(type) {
	case *simplugin.Session:
		if method == "copy.open" {
			return openCopy(ctx, o, r.indexes, f)
		}
		if fn := sessionFunctions[method]; fn != nil {
			return fn(ctx, o, f)
		}
	case *simplugin.Index:
		if fn := indexFunctions[method]; fn != nil {
			return fn(ctx, o, f)
		}
	case *simplugin.Connection:
		if fn := connectionFunctions[method]; fn != nil {
			return fn(ctx, o, f)
		}
	case *simplugin.Scan:
		if method == "scan.next" {
			return call(f, func() (*simplugin.Page, error) { return o.Next(ctx) })
		}
	case *simplugin.Copy:
		if method == "copy.next" {
			return call(f, func() (simplugin.CopyState, error) { return o.Next(ctx) })
		}
	}
	return nil, errUnfit
}

// open keeps the objects of a native result and makes plain values of it.
func (r *run) open(result any) map[string]any {
	o, ok := result.(opened)
	if !ok {
		reply, _ := plain(result, "").(map[string]any)
		return reply
	}
	reply := map[string]any{}
	if o.reply != nil {
		reply = plain(o.reply, "").(map[string]any)
	}
	if o.object == nil {
		return reply
	}
	handle := o.object.Handle()
	reply[o.key] = int64(handle)
	r.objects[handle], r.kinds[handle] = o.object, o.key
	switch object := o.object.(type) {
	case *simplugin.Index:
		r.keepIndex(object)
	case *simplugin.View:
		r.views[handle] = object
	case *simplugin.Copy:
		r.keepIndex(object.Index)
	}
	return reply
}

func (r *run) keepIndex(x *simplugin.Index) {
	handle := x.Handle()
	r.indexes[handle], r.objects[handle], r.kinds[handle] = x, x, "index"
	r.cleaning = append(r.cleaning, handle)
}

func (r *run) remember(s step, reply map[string]any) {
	for key, name := range s.Bind {
		value := reply[key]
		if z, ok := value.(zero); ok {
			value = z.value
		}
		switch v := value.(type) {
		case nil:
			continue
		case int64:
			value = number(v)
		}
		r.variables[name] = value
	}
}

func (r *run) checkReply(s step, reply map[string]any) error {
	if s.Expect != nil {
		expected := r.expand(s.Expect, true)
		if s.Call == "index.add" {
			r.adaptCounts(expected.(map[string]any), reply)
		}
		if why := mismatch(expected, reply, "reply"); why != "" {
			return errors.New(why)
		}
	}
	if s.Hits != nil {
		if why := hitsMismatch(r.expand(s.Hits, true).([]any), reply); why != "" {
			return errors.New(why)
		}
	}
	return nil
}

// adaptCounts: a backend that cannot know how many points were replaced counts all as added.
func (r *run) adaptCounts(expected, reply map[string]any) {
	updated, ok := expected["updated"]
	if counts, _ := r.on.describe["counts_replaced"].(bool); counts || !ok || reply["updated"] != nil {
		return
	}
	if added, ok := expected["added"]; ok {
		expected["added"] = number(integer(added, 0) + integer(updated, 0))
	}
	expected["updated"] = nil
}

func (r *run) checkError(expected map[string]any, err error) error {
	var e *simplugin.Error
	if err == nil {
		return errors.New("succeeded where an error was expected")
	}
	if !errors.As(err, &e) {
		return fmt.Errorf("not the package's error: %w", err)
	}
	codes, several := expected["code"].([]any)
	if !several {
		codes = []any{expected["code"]}
	}
	if !contains(codes, e.Code.String()) {
		return fmt.Errorf("expected the error %s, got %w", show(expected["code"]), err)
	}
	if e.Message == "" || strings.Contains(e.Message, "\n") || e.Domain == "" {
		return fmt.Errorf("the message of %s is not one line, or it has no domain: %q, %q", e.Code, e.Message, e.Domain)
	}
	details, _ := expected["details"].(map[string]any)
	for key, value := range details {
		found := false
		for _, detail := range e.Details {
			found = found || detail.Key == key && mismatch(value, detail.Value, "") == ""
		}
		if !found {
			return fmt.Errorf("no detail %s = %s: %v, %w", key, show(value), e.Details, err)
		}
	}
	says, _ := expected["message_contains"].([]any)
	for _, text := range says {
		if !strings.Contains(e.Message, text.(string)) {
			return fmt.Errorf("the message does not say %q: %w", text, err)
		}
	}
	lacks, _ := expected["message_lacks"].([]any)
	for _, text := range lacks {
		if strings.Contains(e.Message, text.(string)) {
			return fmt.Errorf("the message says %q: %w", text, err)
		}
	}
	if retryable, ok := expected["retryable"].(bool); ok && retryable != e.Retryable {
		return fmt.Errorf("the wrong retryable: %w", err)
	}
	return nil
}

// drain calls scan.next until it is done and puts the columns behind each other.
func (r *run) drain(s step) error {
	all, replies := map[string]any{}, int64(0)
	for done := false; !done && replies < 100_000; replies++ {
		reply, err := r.send(step{Call: "scan.next"}, r.target(s.Drain), nil, false)
		if err != nil {
			return err
		}
		done = isTrue(reply["done"])
		if ids, _ := reply["ids"].([]any); s.AtMost > 0 && len(ids) > s.AtMost {
			return errors.New("a reply of scan.next has too many rows")
		}
		for key, value := range reply {
			all[key] = joined(all[key], value)
		}
	}
	all["replies"] = replies
	if why := mismatch(r.expand(s.Expect, true), all, "scan"); why != "" {
		return errors.New(why)
	}
	return nil
}

func isTrue(value any) bool {
	if z, ok := value.(zero); ok {
		value = z.value
	}
	truth, _ := value.(bool)
	return truth
}

func joined(before, after any) any {
	switch v := after.(type) {
	case []any:
		if array, ok := before.([]any); ok {
			return append(array, v...)
		}
	case map[string]any:
		if object, ok := before.(map[string]any); ok {
			for name, column := range v {
				object[name] = joined(object[name], column)
			}
			return object
		}
	}
	return after
}

// finish calls copy.next until it is done and compares the last reply.
func (r *run) finish(s step) error {
	for range 1000 {
		reply, err := r.send(step{Call: "copy.next"}, r.target(s.Finish), nil, false)
		if err != nil {
			return err
		}
		if reply["phase"] == "done" {
			if why := mismatch(r.expand(s.Expect, true), reply, "copy"); why != "" {
				return errors.New(why)
			}
			return nil
		}
	}
	return errors.New("copy.next is never done")
}

// close closes an object. Closing it again is harmless in Go, so that a close that has to fail is a call.
func (r *run) close(s step) error {
	handle := r.target(s.Close)
	if object := r.objects[handle]; object != nil && s.Error == nil {
		r.ways.count(r.kinds[handle]+".close", true)
		return object.Close()
	}
	kind := r.kinds[handle]
	if handle == 0 {
		kind = "session"
	}
	r.ways.count(kind+".close", false)
	_, err := simplugin.Call(context.Background(), handle, kind+".close", nil)
	if s.Error != nil {
		return r.checkError(s.Error, err)
	}
	return err
}

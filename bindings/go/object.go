// SPDX-License-Identifier: Apache-2.0

package simplugin

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
)

// An object is a handle of the library that closes when nobody has it any more.
type object struct {
	handle uint64
	owner  *object // what closes it when it closes; kept open as long as this one is in use
	closed atomic.Bool
}

func newObject(handle uint64, owner *object) *object {
	o := &object{handle: handle, owner: owner}
	runtime.SetFinalizer(o, closeLater)
	return o
}

// garbage are objects that nobody has any more. One goroutine at a time closes them: finalizers must not wait for a
// backend, and a goroutine for each would be as many threads.
var garbage struct {
	sync.Mutex
	objects []*object
	closing bool
}

func closeLater(o *object) {
	if o.closed.Load() {
		return
	}
	garbage.Lock()
	defer garbage.Unlock()
	garbage.objects = append(garbage.objects, o)
	if !garbage.closing {
		garbage.closing = true
		go closeGarbage()
	}
}

func closeGarbage() {
	for {
		garbage.Lock()
		objects := garbage.objects
		garbage.objects = nil
		garbage.closing = len(objects) > 0
		garbage.Unlock()
		if len(objects) == 0 {
			return
		}
		for _, o := range objects {
			_ = o.Close()
		}
	}
}

// noHandle is a number that no handle has; 0 would be the default session.
const noHandle = ^uint64(0)

// never is the error of what was not opened.
func never() error {
	return &Error{Code: ErrStaleHandle, Domain: "go", Message: "it is nil: it was never opened, or is not what opening it returned"}
}

// Handle is the library's number for it, for use in a Body.
func (o *object) Handle() uint64 {
	if o == nil {
		return noHandle
	}
	return o.handle
}

// Close ends it and what was opened from it, after the calls that are under way. Closing what is closed does
// nothing. What is not closed is when it is garbage.
func (o *object) Close() error {
	if o == nil {
		return never()
	}
	if o.closed.Swap(true) {
		return nil
	}
	err := closeHandle(o.handle)
	if errors.Is(err, ErrStaleHandle) {
		return nil // it closed with its owner
	}
	return err
}

// Call calls any method of docs/protocol.md on it. body may be nil.
func (o *object) Call(ctx context.Context, method string, body Body) (Reply, error) {
	if o == nil {
		return Reply{}, never()
	}
	reply, err := Call(ctx, o.handle, method, body)
	runtime.KeepAlive(o)
	return reply, err
}

// Call calls any method of docs/protocol.md on any handle; 0 is the default session. It is what all others are made of.
// body may be nil.
func Call(ctx context.Context, target uint64, method string, body Body) (Reply, error) {
	if len(body) == 0 {
		return call(ctx, target, method, nil)
	}
	return call(ctx, target, method, body)
}

// call calls a method of the protocol and decodes its reply, unless result is nil.
func (o *object) call(ctx context.Context, method string, body request, result any) error {
	if o == nil {
		return never()
	}
	reply, err := call(ctx, o.handle, method, body)
	runtime.KeepAlive(o)
	if err != nil || result == nil {
		return err
	}
	return reply.Decode(result)
}

// SPDX-License-Identifier: Apache-2.0

package simplugin

/*
#include "simplugin_go.h"
*/
import "C"

import (
	"context"
	"errors"
	"runtime/cgo"
	"time"
)

type settingsKey struct{}

// settings are what a context carries for the calls made with it.
type settings struct {
	traceID  string
	progress func(done, total uint64)
}

func settingsOf(ctx context.Context) settings {
	s, _ := ctx.Value(settingsKey{}).(*settings)
	if s == nil {
		return settings{}
	}
	return *s
}

// WithTraceID returns a context whose calls pass id on to logs and servers.
func WithTraceID(ctx context.Context, id string) context.Context {
	s := settingsOf(ctx)
	s.traceID = id
	return context.WithValue(ctx, settingsKey{}, &s)
}

// WithProgress returns a context whose long calls tell report how far they are, on the
// calling goroutine; total is 0 where it is not known. What report panics with ends the call
// and is raised by it. report may be called from several goroutines if the context is used by
// several.
func WithProgress(ctx context.Context, report func(done, total uint64)) context.Context {
	s := settingsOf(ctx)
	s.progress = report
	return context.WithValue(ctx, settingsKey{}, &s)
}

// bounds are what limits one call.
type bounds struct {
	timeout  C.int64_t
	token    C.uint64_t
	stop     func() bool // of the context's AfterFunc; nil: none
	traceID  string
	progress cgo.Handle // of a *listener; 0: none
}

// boundsOf prepares a call. A context that has ended ends it before it begins.
func boundsOf(ctx context.Context) (bounds, error) {
	var b bounds
	if ctx.Err() != nil {
		return b, ended(ctx)
	}
	deadline, limited := ctx.Deadline()
	if limited {
		b.timeout = milliseconds(time.Until(deadline))
	}
	s := settingsOf(ctx)
	b.traceID = s.traceID
	if ctx.Done() == nil && s.progress == nil {
		return b, nil
	}
	token, err := takeToken()
	if err != nil {
		return b, err
	}
	b.token = token
	if s.progress != nil {
		b.progress = cgo.NewHandle(&listener{report: s.progress, token: token})
	}
	if ctx.Done() != nil {
		b.stop = context.AfterFunc(ctx, func() {
			// The library has the same deadline, and says DEADLINE_EXCEEDED itself.
			if !limited || !errors.Is(ctx.Err(), context.DeadlineExceeded) {
				C.simplugin_cancel_fire(token)
			}
		})
	}
	return b, nil
}

// end gives back what boundsOf took. It raises the panic of a progress function.
func (b *bounds) end() {
	if b.token == 0 {
		return
	}
	reusable := b.stop == nil || b.stop()
	var panicked any
	if b.progress != 0 {
		panicked = b.progress.Value().(*listener).panicked
		b.progress.Delete()
	}
	// A token that is fired now or later, by an AfterFunc that has begun, is not given to
	// another call. Its number never is: firing it when it is freed is harmless.
	giveToken(b.token, reusable && panicked == nil)
	if panicked != nil {
		panic(panicked)
	}
}

// milliseconds rounds up: the library ends a call at or just after the context does.
func milliseconds(left time.Duration) C.int64_t {
	ms := left / time.Millisecond
	if left%time.Millisecond > 0 {
		ms++
	}
	return C.int64_t(max(1, ms))
}

// tokens are cancel tokens that no call carries and that were not fired.
var tokens = make(chan C.uint64_t, 64)

func takeToken() (C.uint64_t, error) {
	select {
	case token := <-tokens:
		return token, nil
	default:
		return newToken()
	}
}

func newToken() (C.uint64_t, error) {
	x := exchanges.Get().(*exchange)
	defer x.release()
	var token C.uint64_t
	if code := C.simplugin_go_cancel_new(&token, &x.answer); code != C.SIMPLUGIN_OK {
		return 0, x.failure(context.Background(), code)
	}
	return token, nil
}

func giveToken(token C.uint64_t, reusable bool) {
	if reusable {
		select {
		case tokens <- token:
			return
		default:
		}
	}
	C.simplugin_cancel_free(token)
}

// A listener stands on the Go side of a progress callback.
type listener struct {
	report   func(done, total uint64)
	token    C.uint64_t
	panicked any
}

//export simpluginGoProgress
func simpluginGoProgress(handle C.uintptr_t, done, total C.uint64_t) {
	l := cgo.Handle(handle).Value().(*listener)
	if l.panicked != nil {
		return
	}
	// A panic must not unwind the C frames between here and the call.
	defer func() {
		if l.panicked = recover(); l.panicked != nil {
			C.simplugin_cancel_fire(l.token)
		}
	}()
	l.report(uint64(done), uint64(total))
}

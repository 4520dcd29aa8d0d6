// SPDX-License-Identifier: Apache-2.0

package simplugin

/*
#include "simplugin_go.h"
*/
import "C"

import (
	"context"
	"encoding/binary"
	"fmt"
	"unsafe"
)

// Code is what kind of error it is; the numbers never change. A Code is an error itself, so
// that errors.Is(err, simplugin.ErrNotFound) asks for it.
type Code int32

// The codes.
const (
	ErrInvalidArgument   Code = C.SIMPLUGIN_INVALID_ARGUMENT   // a value is wrong; the detail "argument" names it
	ErrNotFound          Code = C.SIMPLUGIN_NOT_FOUND          // no such collection, id, run, key
	ErrAlreadyExists     Code = C.SIMPLUGIN_ALREADY_EXISTS     // and the caller asked not to replace it
	ErrUnimplemented     Code = C.SIMPLUGIN_UNIMPLEMENTED      // this backend cannot, and the core cannot instead
	ErrDeadlineExceeded  Code = C.SIMPLUGIN_DEADLINE_EXCEEDED  // also context.DeadlineExceeded
	ErrCancelled         Code = C.SIMPLUGIN_CANCELLED          // also context.Canceled
	ErrBusy              Code = C.SIMPLUGIN_BUSY               // somebody else holds what is needed
	ErrUnavailable       Code = C.SIMPLUGIN_UNAVAILABLE        // the server does not answer
	ErrUnauthenticated   Code = C.SIMPLUGIN_UNAUTHENTICATED    // credentials missing or refused
	ErrPermissionDenied  Code = C.SIMPLUGIN_PERMISSION_DENIED  // known, but not allowed to
	ErrResourceExhausted Code = C.SIMPLUGIN_RESOURCE_EXHAUSTED // a limit of the server's or of ours
	ErrOutOfMemory       Code = C.SIMPLUGIN_OUT_OF_MEMORY
	ErrIO                Code = C.SIMPLUGIN_IO                 // reading or writing failed
	ErrCorrupt           Code = C.SIMPLUGIN_CORRUPT            // stored data is damaged
	ErrReadOnly          Code = C.SIMPLUGIN_READ_ONLY          //
	ErrNoSpace           Code = C.SIMPLUGIN_NO_SPACE           // the disk or the quota is full
	ErrVersionTooOld     Code = C.SIMPLUGIN_VERSION_TOO_OLD    // of a server or a store
	ErrVersionTooNew     Code = C.SIMPLUGIN_VERSION_TOO_NEW    //
	ErrIncompatible      Code = C.SIMPLUGIN_INCOMPATIBLE       // no common ABI version
	ErrStaleHandle       Code = C.SIMPLUGIN_STALE_HANDLE       // closed, never opened, or of another kind
	ErrForked            Code = C.SIMPLUGIN_FORKED             // opened by the parent process
	ErrPromptUnsupported Code = C.SIMPLUGIN_PROMPT_UNSUPPORTED // text queries need an Embedder
	ErrDimensionMismatch Code = C.SIMPLUGIN_DIMENSION_MISMATCH //
	ErrMalformed         Code = C.SIMPLUGIN_MALFORMED          // not MessagePack, too deep, too large, a bad tensor
	ErrConfig            Code = C.SIMPLUGIN_CONFIG             // a configuration file or value cannot be used
	ErrUnknownMethod     Code = C.SIMPLUGIN_UNKNOWN_METHOD     //
	ErrUnknownParameter  Code = C.SIMPLUGIN_UNKNOWN_PARAMETER  //
	ErrInternal          Code = C.SIMPLUGIN_INTERNAL           // a bug of the library's or of the backend's
	ErrProtocol          Code = C.SIMPLUGIN_PROTOCOL           // a backend or server answered with nonsense

	ErrBackendUnknown     Code = C.SIMPLUGIN_BACKEND_UNKNOWN      // no plugin of that name anywhere
	ErrBackendName        Code = C.SIMPLUGIN_BACKEND_NAME         // not [a-z0-9_]+
	ErrPluginPath         Code = C.SIMPLUGIN_PLUGIN_PATH          // a search directory that is not absolute
	ErrPluginUnsafe       Code = C.SIMPLUGIN_PLUGIN_UNSAFE        // others may write the file or its directory
	ErrPluginUnloadable   Code = C.SIMPLUGIN_PLUGIN_UNLOADABLE    // the dynamic linker refused the file
	ErrPluginNoEntry      Code = C.SIMPLUGIN_PLUGIN_NO_ENTRY      // it has no simplugin_backend_entry
	ErrPluginForeignEntry Code = C.SIMPLUGIN_PLUGIN_FOREIGN_ENTRY // the symbol belongs to another file
	ErrPluginBadTable     Code = C.SIMPLUGIN_PLUGIN_BAD_TABLE     // a table without size or with empty slots
	ErrPluginEntryFailed  Code = C.SIMPLUGIN_PLUGIN_ENTRY_FAILED  // the entry answered with another error
)

// String is the code's name in the protocol, such as NOT_FOUND.
func (c Code) String() string { return C.GoString(C.simplugin_code_name(C.int32_t(c))) }

// Error is the same as String.
func (c Code) Error() string { return c.String() }

// Is makes CANCELLED the context package's Canceled, and DEADLINE_EXCEEDED its DeadlineExceeded.
func (c Code) Is(target error) bool {
	return c == ErrCancelled && target == context.Canceled ||
		c == ErrDeadlineExceeded && target == context.DeadlineExceeded
}

// Error is what every function of the package fails with, except where a function of the
// caller's did: errors.As finds it, errors.Is compares its Code.
type Error struct {
	Code           Code
	Message        string // one line: what failed, on what, what to do; secrets are masked
	Domain         string // where it comes from: "config", "index", "sklearn_flat", ...
	BackendCode    int64  // the server's own code and words, 0 and "" if there were none
	BackendMessage string
	Retryable      bool // the same call may succeed later
	Details        []Detail

	cause error // the context's, where that ended the call
}

// Detail is a pair such as "argument" and "k", or "id" and "4711".
type Detail struct{ Key, Value string }

func (e *Error) Error() string { return e.Code.String() + ": " + e.Message }

// Unwrap gives the code and, if the context ended the call, its cause.
func (e *Error) Unwrap() []error {
	if e.cause == nil {
		return []error{e.Code}
	}
	return []error{e.Code, e.cause}
}

// Detail is the first value of that key, "" if there is none.
func (e *Error) Detail(key string) string {
	for _, d := range e.Details {
		if d.Key == key {
			return d.Value
		}
	}
	return ""
}

// ended is the error of a call whose context had ended before it began.
func ended(ctx context.Context) error {
	e := &Error{Code: ErrCancelled, Domain: "go", cause: context.Cause(ctx),
		Message: "the context was cancelled before the call"}
	if ctx.Err() == context.DeadlineExceeded {
		e.Code = ErrDeadlineExceeded
		e.Message = "the context's deadline had passed before the call"
	}
	return e
}

// invalid is the error of an argument that cannot be sent at all.
func invalid(argument, format string, values ...any) error {
	return &Error{Code: ErrInvalidArgument, Domain: "go", Message: fmt.Sprintf(format, values...),
		Details: []Detail{{"argument", argument}}}
}

// failure reads the error that the shim wrote.
func (x *exchange) failure(ctx context.Context, code C.int32_t) error {
	e := &Error{Code: Code(code)}
	if e.Code == ErrCancelled || e.Code == ErrDeadlineExceeded {
		e.cause = context.Cause(ctx)
	}
	var text errorText
	if x.answer.large != nil {
		text = unsafe.Slice((*byte)(x.answer.large), int(x.answer.size))
	} else {
		text = x.small()
	}
	if len(text) == 0 {
		return e
	}
	e.BackendCode = text.number()
	e.Retryable = text.number() != 0
	e.Domain = text.text()
	e.Message = text.text()
	e.BackendMessage = text.text()
	for count := text.number(); count > 0; count-- {
		key := text.text()
		e.Details = append(e.Details, Detail{key, text.text()})
	}
	return e
}

type errorText []byte

func (t *errorText) number() int64 {
	n := int64(binary.NativeEndian.Uint64(*t))
	*t = (*t)[8:]
	return n
}

func (t *errorText) text() string {
	size := t.number()
	s := string((*t)[:size])
	*t = (*t)[size:]
	return s
}

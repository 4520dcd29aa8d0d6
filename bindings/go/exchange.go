// SPDX-License-Identifier: Apache-2.0

package simplugin

/*
#cgo pkg-config: simplugin
#include <stdlib.h>
#include "simplugin_go.h"
*/
import "C"

import (
	"bytes"
	"context"
	"runtime"
	"sync"
	"unsafe"

	"github.com/vmihailenco/msgpack/v5"
)

// Version is that of the library in use.
func Version() string { return C.GoString(C.simplugin_version()) }

// An exchange is a request on its way into C and the answer on its way back. Exchanges are
// pooled, so that a call without a body allocates nothing for the crossing.
type exchange struct {
	body    bytes.Buffer
	encoder *msgpack.Encoder
	tensors []C.simplugin_tensor
	pins    runtime.Pinner // what the tensors point to
	held    []any          // what must not be finalized before the call is over
	answer  C.simplugin_go_answer
}

var exchanges = sync.Pool{New: func() any {
	x := new(exchange)
	x.encoder = msgpack.NewEncoder(&x.body)
	return x
}}

// maxKept bounds the bodies of exchanges that go back into the pool.
const maxKept = 1 << 20

func (x *exchange) release() {
	if x.answer.reply.owner != nil {
		C.simplugin_reply_clear(&x.answer.reply)
	}
	if x.answer.large != nil {
		C.free(unsafe.Pointer(x.answer.large))
		x.answer.large = nil
	}
	x.pins.Unpin()
	clear(x.tensors) // cgo looks at whole arrays: no pointer of this call may stay in one
	x.tensors = x.tensors[:0]
	clear(x.held)
	x.held = x.held[:0]
	x.body.Reset()
	if x.body.Cap() <= maxKept {
		exchanges.Put(x)
	}
}

// call makes the call that every other function of the package makes. request is nil, or what encode takes.
func call(ctx context.Context, target uint64, method string, request any) (Reply, error) {
	x := exchanges.Get().(*exchange)
	defer x.release()
	if request != nil {
		if err := x.encode(request); err != nil {
			return Reply{}, err
		}
	}
	if err := x.cross(ctx, target, method); err != nil {
		return Reply{}, err
	}
	return x.reply()
}

func (x *exchange) cross(ctx context.Context, target uint64, method string) error {
	bounds, err := boundsOf(ctx)
	if err != nil {
		return err
	}
	body := x.body.Bytes()
	code := C.simplugin_go_call(C.uint64_t(target),
		(*C.char)(unsafe.Pointer(unsafe.StringData(method))), C.uint64_t(len(method)),
		(*C.uint8_t)(unsafe.SliceData(body)), C.uint64_t(len(body)),
		unsafe.SliceData(x.tensors), C.uint64_t(len(x.tensors)),
		bounds.timeout, bounds.token,
		(*C.char)(unsafe.Pointer(unsafe.StringData(bounds.traceID))), C.uint64_t(len(bounds.traceID)),
		C.uintptr_t(bounds.progress), &x.answer)
	bounds.end()
	if code != C.SIMPLUGIN_OK {
		return x.failure(ctx, code)
	}
	return nil
}

// small is what the answer holds itself.
func (x *exchange) small() []byte {
	return unsafe.Slice((*byte)(&x.answer.small[0]), int(x.answer.size))
}

func closeHandle(handle uint64) error {
	x := exchanges.Get().(*exchange)
	defer x.release()
	code := C.simplugin_go_close(C.uint64_t(handle), &x.answer)
	if code != C.SIMPLUGIN_OK {
		return x.failure(context.Background(), code)
	}
	return nil
}

// SPDX-License-Identifier: Apache-2.0

package simplugin

/*
#include "simplugin_go.h"
*/
import "C"

import (
	"encoding/binary"
	"fmt"
	"unsafe"

	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// Reply is the body of a reply: the keys of docs/protocol.md. Values are nil, bool, int64, uint64 (what int64
// cannot hold), float64, string, []byte, []any, map[string]any, Tensor or Column. All of it is Go's memory.
type Reply map[string]any

// decode copies the reply out of C's memory.
func (x *exchange) decode() (Reply, error) {
	body := x.small()
	var tensors []C.simplugin_tensor
	if x.answer.reply.owner != nil {
		body = unsafe.Slice((*byte)(x.answer.reply.body), int(x.answer.reply.body_size))
		tensors = unsafe.Slice(x.answer.reply.tensors, int(x.answer.reply.tensor_count))
	}
	if len(body) == 0 {
		return Reply{}, nil
	}
	x.reader.Reset(body)
	x.decoder.Reset(&x.reader)
	value, err := x.decodeValue(tensors)
	if err != nil {
		return nil, &Error{Code: ErrProtocol, Domain: "go", Message: "the reply cannot be read: " + err.Error()}
	}
	reply, _ := value.(map[string]any)
	return reply, nil
}

func (x *exchange) decodeValue(tensors []C.simplugin_tensor) (any, error) {
	d := x.decoder
	code, err := d.PeekCode()
	if err != nil {
		return nil, err
	}
	switch {
	case msgpcode.IsFixedMap(code), code == msgpcode.Map16, code == msgpcode.Map32:
		return x.decodeMap(tensors)
	case msgpcode.IsString(code):
		return d.DecodeString()
	case code == msgpcode.Uint64:
		n, err := d.DecodeUint64()
		if n > 1<<63-1 {
			return n, err
		}
		return int64(n), err
	case msgpcode.IsFixedNum(code), code >= msgpcode.Uint8 && code <= msgpcode.Int64:
		return d.DecodeInt64()
	case code == msgpcode.Float, code == msgpcode.Double:
		return d.DecodeFloat64()
	case code == msgpcode.True, code == msgpcode.False:
		return d.DecodeBool()
	case code == msgpcode.Nil:
		return nil, d.DecodeNil()
	case msgpcode.IsFixedArray(code), code == msgpcode.Array16, code == msgpcode.Array32:
		return x.decodeArray(tensors)
	case msgpcode.IsBin(code):
		return d.DecodeBytes()
	case msgpcode.IsExt(code):
		return x.decodeTensor(tensors)
	}
	return nil, fmt.Errorf("no MessagePack code: %#x", code)
}

func (x *exchange) decodeMap(tensors []C.simplugin_tensor) (any, error) {
	n, err := x.decoder.DecodeMapLen()
	if err != nil {
		return nil, err
	}
	m := make(map[string]any, min(n, 64))
	for range n {
		key, err := x.decoder.DecodeString()
		if err != nil {
			return nil, err
		}
		if m[key], err = x.decodeValue(tensors); err != nil {
			return nil, err
		}
	}
	if values, ok := m["values"].(Tensor); ok {
		return columnOf(m, values)
	}
	return m, nil
}

func (x *exchange) decodeArray(tensors []C.simplugin_tensor) (any, error) {
	n, err := x.decoder.DecodeArrayLen()
	if err != nil {
		return nil, err
	}
	array := make([]any, 0, min(n, 1024))
	for range n {
		value, err := x.decodeValue(tensors)
		if err != nil {
			return nil, err
		}
		array = append(array, value)
	}
	return array, nil
}

func (x *exchange) decodeTensor(tensors []C.simplugin_tensor) (any, error) {
	kind, size, err := x.decoder.DecodeExtHeader()
	if err != nil {
		return nil, err
	}
	var index [4]byte
	if kind != C.SIMPLUGIN_EXT_TENSOR || size != len(index) {
		return nil, fmt.Errorf("an extension of type %d and size %d", kind, size)
	}
	if err := x.decoder.ReadFull(index[:]); err != nil {
		return nil, err
	}
	i := binary.BigEndian.Uint32(index[:])
	if int(i) >= len(tensors) {
		return nil, fmt.Errorf("no tensor %d", i)
	}
	return copyTensor(&tensors[i])
}

func copyTensor(t *C.simplugin_tensor) (Tensor, error) {
	switch t.dtype {
	case dtypeFloat32:
		return copied[float32](t), nil
	case dtypeFloat64:
		return copied[float64](t), nil
	case dtypeFloat16:
		return copied[Float16](t), nil
	case dtypeInt64:
		return copied[int64](t), nil
	case dtypeUint64:
		return copied[uint64](t), nil
	case dtypeInt32:
		return copied[int32](t), nil
	case dtypeUint8:
		return copied[uint8](t), nil
	case dtypeBits:
		bits := *t
		bits.cols = (t.cols + 7) / 8
		c := copied[uint8](&bits)
		c.Cols = int(t.cols)
		return c, nil
	}
	return Tensor{}, fmt.Errorf("a tensor of the unknown type %d", t.dtype)
}

func copied[T any](t *C.simplugin_tensor) Tensor {
	rows, cols := int(t.rows), int(t.cols)
	row := cols * int(unsafe.Sizeof(*new(T)))
	data := make([]T, rows*cols)
	if len(data) > 0 {
		to := unsafe.Slice((*byte)(unsafe.Pointer(&data[0])), rows*row)
		step := row
		if t.row_stride != 0 {
			step = int(t.row_stride)
		}
		if step == row {
			copy(to, unsafe.Slice((*byte)(t.data), rows*row))
		} else {
			for i := range rows {
				copy(to[i*row:(i+1)*row], unsafe.Slice((*byte)(unsafe.Add(t.data, i*step)), row))
			}
		}
	}
	return Tensor{Rows: rows, Cols: cols, Data: data}
}

// columnOf reads a column from its map. The library has checked replies; what is checked here keeps a wrong one from
// being a panic.
func columnOf(m map[string]any, values Tensor) (Column, error) {
	kind, _ := m["type"].(string)
	if kind == "" {
		kind = "text"
	}
	lists, isList := tensorData[int64](m["lists"])
	if isList {
		kind = kind[len("list<") : len(kind)-1]
	}
	c := Column{kind: kind}
	elements := 0
	switch kind {
	case "text":
		bytes, _ := values.Data.([]uint8)
		offsets, ok := tensorData[int64](m["offsets"])
		if !ok || len(offsets) == 0 || offsets[len(offsets)-1] > int64(len(bytes)) {
			return c, fmt.Errorf("a column of text without offsets, or with wrong ones")
		}
		c.elements, elements = textsOf(bytes, offsets), len(offsets)-1
	case "bool":
		bytes, _ := values.Data.([]uint8)
		bools := make([]bool, len(bytes))
		for i, b := range bytes {
			bools[i] = b != 0
		}
		c.elements, elements = bools, len(bools)
	case "int64", "float64":
		c.elements, elements = values.Data, values.Rows
	default:
		return c, fmt.Errorf("a column of the unknown type %q", kind)
	}
	c.rows = elements
	if isList {
		c.lists, c.rows = lists, len(lists)-1
	}
	if valid, ok := m["valid"].(Tensor); ok {
		c.valid, _ = valid.Data.([]uint8)
	}
	return c, nil
}

func tensorData[T any](value any) ([]T, bool) {
	t, ok := value.(Tensor)
	if !ok {
		return nil, false
	}
	data, ok := t.Data.([]T)
	return data, ok
}

// textsOf makes one string of all bytes; the texts are parts of it.
func textsOf(bytes []byte, offsets []int64) []string {
	all := unsafe.String(unsafe.SliceData(bytes), len(bytes)) // nobody else has the bytes
	texts := make([]string, len(offsets)-1)
	for i := range texts {
		texts[i] = all[offsets[i]:offsets[i+1]]
	}
	return texts
}

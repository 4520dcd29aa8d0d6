// SPDX-License-Identifier: Apache-2.0

package simplugin

/*
#include "simplugin_go.h"
*/
import "C"

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"unsafe"

	"github.com/vmihailenco/msgpack/v5"
	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// Reply is a reply as it came, in Go's memory: a MessagePack map with the keys of docs/protocol.md, and tensors.
type Reply struct {
	body    []byte
	tensors []Tensor
}

// reply copies the answer out of C's memory.
func (x *exchange) reply() (Reply, error) {
	answer := &x.answer.reply
	if answer.owner == nil {
		return Reply{body: bytes.Clone(x.small())}, nil
	}
	r := Reply{body: bytes.Clone(unsafe.Slice((*byte)(answer.body), int(answer.body_size)))}
	if answer.tensor_count > 0 {
		r.tensors = make([]Tensor, 0, answer.tensor_count)
	}
	tensors := unsafe.Slice(answer.tensors, int(answer.tensor_count))
	for i := range tensors {
		t, err := copyTensor(&tensors[i])
		if err != nil {
			return Reply{}, unreadable(err)
		}
		r.tensors = append(r.tensors, t)
	}
	return r, nil
}

func unreadable(err error) error {
	return &Error{Code: ErrProtocol, Domain: "go", Message: "the reply cannot be read: " + err.Error()}
}

// Map decodes the body. Values are nil, bool, int64, uint64 (what int64 cannot hold), float64, string, []byte, []any,
// map[string]any, Tensor or Column.
func (r Reply) Map() (map[string]any, error) {
	if len(r.body) == 0 {
		return map[string]any{}, nil
	}
	d := decoders.Get().(*decoder)
	defer decoders.Put(d)
	d.reader.Reset(r.body)
	d.msgpack.Reset(&d.reader)
	d.tensors = r.tensors
	value, err := d.value()
	if err != nil {
		return nil, unreadable(err)
	}
	m, _ := value.(map[string]any)
	return m, nil
}

// Decode fills a struct from the body: each field with the tag `key:"name"` from that key, if it is there. result points to
// the struct. Fields may be numbers, strings, bools, slices and maps of them, structs of the same kind, Matrix, Column,
// Fields, and any for whatever Map has; a pointer stays nil where the key is absent.
func (r Reply) Decode(result any) error {
	m, err := r.Map()
	if err != nil {
		return err
	}
	return fill(reflect.ValueOf(result).Elem(), m)
}

// A decoder reads one body.
type decoder struct {
	reader  bytes.Reader
	msgpack *msgpack.Decoder
	tensors []Tensor
}

var decoders = sync.Pool{New: func() any {
	d := new(decoder)
	d.msgpack = msgpack.NewDecoder(&d.reader)
	return d
}}

func (d *decoder) value() (any, error) {
	code, err := d.msgpack.PeekCode()
	if err != nil {
		return nil, err
	}
	switch {
	case msgpcode.IsFixedMap(code), code == msgpcode.Map16, code == msgpcode.Map32:
		return d.mapping()
	case msgpcode.IsString(code):
		return d.msgpack.DecodeString()
	case code == msgpcode.Uint64:
		n, err := d.msgpack.DecodeUint64()
		if n > 1<<63-1 {
			return n, err
		}
		return int64(n), err
	case msgpcode.IsFixedNum(code), code >= msgpcode.Uint8 && code <= msgpcode.Int64:
		return d.msgpack.DecodeInt64()
	case code == msgpcode.Float, code == msgpcode.Double:
		return d.msgpack.DecodeFloat64()
	case code == msgpcode.True, code == msgpcode.False:
		return d.msgpack.DecodeBool()
	case code == msgpcode.Nil:
		return nil, d.msgpack.DecodeNil()
	case msgpcode.IsFixedArray(code), code == msgpcode.Array16, code == msgpcode.Array32:
		return d.array()
	case msgpcode.IsBin(code):
		return d.msgpack.DecodeBytes()
	case msgpcode.IsExt(code):
		return d.tensor()
	}
	return nil, fmt.Errorf("no MessagePack code: %#x", code)
}

// mapping reads a map, or the column that it is.
func (d *decoder) mapping() (any, error) {
	n, err := d.msgpack.DecodeMapLen()
	if err != nil {
		return nil, err
	}
	m := make(map[string]any, min(n, 64))
	for range n {
		key, err := d.msgpack.DecodeString()
		if err != nil {
			return nil, err
		}
		if m[key], err = d.value(); err != nil {
			return nil, err
		}
	}
	if values, ok := m["values"].(Tensor); ok {
		return columnOf(m, values)
	}
	return m, nil
}

func (d *decoder) array() (any, error) {
	n, err := d.msgpack.DecodeArrayLen()
	if err != nil {
		return nil, err
	}
	array := make([]any, 0, min(n, 1024))
	for range n {
		value, err := d.value()
		if err != nil {
			return nil, err
		}
		array = append(array, value)
	}
	return array, nil
}

func (d *decoder) tensor() (any, error) {
	kind, size, err := d.msgpack.DecodeExtHeader()
	if err != nil {
		return nil, err
	}
	var index [4]byte
	if kind != extTensor || size != len(index) {
		return nil, fmt.Errorf("an extension of type %d and size %d", kind, size)
	}
	if err := d.msgpack.ReadFull(index[:]); err != nil {
		return nil, err
	}
	i := binary.BigEndian.Uint32(index[:])
	if int(i) >= len(d.tensors) {
		return nil, fmt.Errorf("no tensor %d", i)
	}
	return d.tensors[i], nil
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
		return Tensor{Rows: c.Rows, Cols: int(t.cols), Data: Bits(c.Data.([]uint8))}, nil
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
		kind = strings.TrimSuffix(strings.TrimPrefix(kind, "list<"), ">")
	}
	c := Column{kind: kind}
	fits := false
	switch data := values.Data.(type) {
	case []uint8:
		if offsets, ok := tensorData[int64](m["offsets"]); ok {
			fits = kind == "text" && areOffsets(offsets, len(data))
			if fits {
				c.elements, c.rows = textsOf(data, offsets), len(offsets)-1
			}
			break
		}
		bools := make([]bool, len(data))
		for i, b := range data {
			bools[i] = b != 0
		}
		c.elements, c.rows, fits = bools, len(bools), kind == "bool"
	case []int64:
		c.elements, c.rows, fits = data, len(data), kind == "int64"
	case []float64:
		c.elements, c.rows, fits = data, len(data), kind == "float64"
	}
	if isList && fits {
		fits = areOffsets(lists, c.rows)
		c.lists, c.rows = lists, len(lists)-1
	}
	if valid, ok := m["valid"].(Tensor); ok {
		c.valid, ok = valid.Data.(Bits)
		fits = fits && ok && len(c.valid) >= (c.rows+7)/8
	}
	if !fits {
		return Column{}, fmt.Errorf("a column of %q disagrees with itself", kind)
	}
	return c, nil
}

// areOffsets says whether numbers begin at 0, never fall, and end at limit or before.
func areOffsets(offsets []int64, limit int) bool {
	return len(offsets) > 0 && offsets[0] == 0 && slices.IsSorted(offsets) && offsets[len(offsets)-1] <= int64(limit)
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

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
// map[string]any, Tensor or Column, which is what a map in it becomes that has the keys of one and no other, and agrees
// with itself.
func (r Reply) Map() (map[string]any, error) {
	if len(r.body) == 0 {
		return map[string]any{}, nil
	}
	d := decoders.Get().(*decoder)
	defer decoders.Put(d)
	d.reader.Reset(r.body)
	d.msgpack.Reset(&d.reader)
	d.tensors = r.tensors
	code, err := d.msgpack.PeekCode()
	if err == nil && !isMap(code) {
		err = fmt.Errorf("the MessagePack code %#x where a map is expected", code)
	}
	if err != nil {
		return nil, unreadable(err)
	}
	m, err := d.mapping()
	if err != nil {
		return nil, unreadable(err)
	}
	return m, nil
}

// Decode fills a struct from the body: each field with the tag `key:"name"` from that key, if it is there. result points to
// the struct. Fields may be numbers, strings, bools, slices and maps of them, structs of the same kind, Matrix, Column,
// Fields, and any for whatever Map has; a pointer stays nil where the key is absent.
func (r Reply) Decode(result any) error {
	v := reflect.ValueOf(result)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return invalid("result", "a reply is decoded into a pointer to a struct, which a %T is not", result)
	}
	m, err := r.Map()
	if err != nil {
		return err
	}
	return fill(v.Elem(), m)
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
	case isMap(code):
		m, err := d.mapping()
		if c, ok := columnOf(m); ok {
			return c, err
		}
		return m, err
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

func isMap(code byte) bool {
	return msgpcode.IsFixedMap(code) || code == msgpcode.Map16 || code == msgpcode.Map32
}

func (d *decoder) mapping() (map[string]any, error) {
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

// columnOf reads a column from its map, and says whether it is one. The library has checked the columns of replies; what is
// a backend's own may look like one.
func columnOf(m map[string]any) (Column, bool) {
	values, ok := m["values"].(Tensor)
	if !ok {
		return Column{}, false
	}
	c := Column{kind: "text"} // ids may leave it out
	var offsets []int64
	for key, value := range m {
		switch key {
		case "values":
			ok = true
		case "type":
			c.kind, ok = value.(string)
		case "offsets":
			offsets, ok = tensorData[int64](value)
		case "lists":
			c.lists, ok = tensorData[int64](value)
		case "valid":
			c.valid, ok = tensorBits(value)
		default:
			ok = false
		}
		if !ok {
			return Column{}, false
		}
	}
	kind, isList := strings.CutPrefix(c.kind, "list<")
	if isList {
		kind, ok = strings.CutSuffix(kind, ">")
	}
	c.kind = kind
	if !ok || isList != (c.lists != nil) || !c.setElements(values, offsets) {
		return Column{}, false
	}
	if isList {
		ok = areOffsets(c.lists, c.rows)
		c.rows = len(c.lists) - 1
	}
	return c, ok && (c.valid == nil || len(c.valid) >= (c.rows+7)/8)
}

// setElements says whether the values are those of the column's kind.
func (c *Column) setElements(values Tensor, offsets []int64) bool {
	if data, ok := values.Data.([]uint8); ok && c.kind == "text" {
		if ok = areOffsets(offsets, len(data)); ok {
			c.elements, c.rows = textsOf(data, offsets), len(offsets)-1
		}
		return ok
	}
	c.rows = values.Rows
	is := ""
	switch data := values.Data.(type) {
	case []uint8:
		is = "bool"
		bools := make([]bool, len(data))
		for i, b := range data {
			bools[i] = b != 0
		}
		c.elements = bools
	case []int64:
		is, c.elements = "int64", data
	case []float64:
		is, c.elements = "float64", data
	}
	return is == c.kind && offsets == nil && (values.Cols == 1 || values.Rows == 0)
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

func tensorBits(value any) (Bits, bool) {
	t, ok := value.(Tensor)
	if !ok {
		return nil, false
	}
	bits, ok := t.Data.(Bits)
	return bits, ok
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

// SPDX-License-Identifier: Apache-2.0

package simplugin

/*
#include "simplugin_go.h"
*/
import "C"

import (
	"encoding/binary"
	"maps"
	"reflect"
	"slices"
)

// Body is the body of a request: the keys of docs/protocol.md. Beside what MessagePack has, values may be Vectors, Matrix, Tensor,
// Column, Fields, IDs, and indexes, views and the like, which stand for their handles.
type Body map[string]any

// A part of a request is what its values know to be one.
type part interface{ part() field }

type field struct {
	key   string
	value any
}

// A request is a body under construction, in order.
type request []field

func (r request) with(key string, value any) request { return append(r, field{key, value}) }

// and adds a part; nil adds nothing.
func (r request) and(p part) request {
	if p == nil {
		return r
	}
	return append(r, p.part())
}

// handled is whatever has a handle.
type handled interface{ Handle() uint64 }

func (x *exchange) encode(value any) error {
	e := x.encoder
	switch v := value.(type) {
	case nil:
		return e.EncodeNil()
	case string:
		return e.EncodeString(v)
	case Filter:
		return e.EncodeString(string(v))
	case bool:
		return e.EncodeBool(v)
	case int:
		return e.EncodeInt(int64(v))
	case int64:
		return e.EncodeInt(v)
	case uint64:
		return e.EncodeUint(v)
	case float64:
		return e.EncodeFloat64(v)
	case request:
		if err := e.EncodeMapLen(len(v)); err != nil {
			return err
		}
		for _, f := range v {
			if err := x.encodeField(f.key, f.value); err != nil {
				return err
			}
		}
		return nil
	case Body:
		return encodeMap(x, v)
	case map[string]any:
		return encodeMap(x, v)
	case Fields:
		return encodeMap(x, v)
	case Vectors:
		if v.wrong != "" {
			return invalid("vectors", "%s", v.wrong)
		}
		return x.encodeTensor(v.tensor)
	case Matrix:
		return x.encode(v.Vectors())
	case Tensor:
		t, ok := dataTensor(v)
		if !ok {
			return invalid("tensor", "a tensor of %d x %d with %T that is not as long", v.Rows, v.Cols, v.Data)
		}
		return x.encodeTensor(t)
	case IDs:
		return x.encodeColumn(Column{kind: "text", elements: []string(v), rows: len(v)})
	case Column:
		return x.encodeColumn(v)
	case handled:
		if reflect.ValueOf(v).IsNil() {
			return e.EncodeNil()
		}
		x.held = append(x.held, v)
		return e.EncodeUint(v.Handle())
	}
	return x.encodeOther(reflect.ValueOf(value))
}

// encodeOther takes anything else that MessagePack has, with whatever encode knows inside.
func (x *exchange) encodeOther(v reflect.Value) error {
	switch {
	case v.Kind() == reflect.Pointer && !v.IsNil():
		return x.encode(v.Elem().Interface())
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() != reflect.Uint8:
		if err := x.encoder.EncodeArrayLen(v.Len()); err != nil {
			return err
		}
		for i := range v.Len() {
			if err := x.encode(v.Index(i).Interface()); err != nil {
				return err
			}
		}
		return nil
	case v.Kind() == reflect.Map && v.Type().Key().Kind() == reflect.String:
		body := make(Body, v.Len())
		for entries := v.MapRange(); entries.Next(); {
			body[entries.Key().String()] = entries.Value().Interface()
		}
		return x.encode(body)
	}
	if err := x.encoder.EncodeValue(v); err != nil {
		return invalid("body", "a %s cannot be sent: %v", v.Type(), err)
	}
	return nil
}

func (x *exchange) encodeField(key string, value any) error {
	if err := x.encoder.EncodeString(key); err != nil {
		return err
	}
	return x.encode(value)
}

func encodeMap[M ~map[string]V, V any](x *exchange, m M) error {
	if err := x.encoder.EncodeMapLen(len(m)); err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if err := x.encodeField(key, m[key]); err != nil {
			return err
		}
	}
	return nil
}

// encodeTensor lets the memory lie where it is, pinned until the call is over.
func (x *exchange) encodeTensor(t tensor) error {
	if t.data != nil {
		x.pins.Pin((*byte)(t.data))
	}
	if err := x.encoder.EncodeExtHeader(extTensor, 4); err != nil {
		return err
	}
	var index [4]byte
	binary.BigEndian.PutUint32(index[:], uint32(len(x.tensors)))
	x.body.Write(index[:])
	x.tensors = append(x.tensors, C.simplugin_tensor{dtype: C.uint32_t(t.dtype), data: t.data,
		rows: C.uint64_t(t.rows), cols: C.uint64_t(t.cols), row_stride: C.uint64_t(t.stride)})
	return nil
}

func (x *exchange) encodeColumn(c Column) error {
	body := make(request, 0, 5).with("type", c.Type())
	switch v := c.elements.(type) {
	case []string:
		bytes, offsets := textOf(v)
		body = body.with("values", tensorOf(bytes, 1, len(bytes))).with("offsets", tensorOf(offsets, len(offsets), 1))
	case []int64:
		body = body.with("values", tensorOf(v, len(v), 1))
	case []float64:
		body = body.with("values", tensorOf(v, len(v), 1))
	case []bool:
		body = body.with("values", tensorOf(v, len(v), 1))
	default:
		return invalid("fields", "a Column is made by ColumnOf or ColumnOfPointers")
	}
	if c.lists != nil {
		body = body.with("lists", tensorOf(c.lists, len(c.lists), 1))
	}
	if c.valid != nil {
		body = body.with("valid", tensorOf(c.valid, 1, c.rows))
	}
	if err := x.encoder.EncodeMapLen(len(body)); err != nil {
		return err
	}
	for _, f := range body {
		if err := x.encoder.EncodeString(f.key); err != nil {
			return err
		}
		if t, ok := f.value.(tensor); ok {
			if err := x.encodeTensor(t); err != nil {
				return err
			}
		} else if err := x.encode(f.value); err != nil {
			return err
		}
	}
	return nil
}

// textOf puts texts behind each other, with where each begins and the end.
func textOf(texts []string) ([]byte, []int64) {
	size := 0
	for _, t := range texts {
		size += len(t)
	}
	bytes := make([]byte, 0, size)
	offsets := make([]int64, len(texts)+1)
	for i, t := range texts {
		bytes = append(bytes, t...)
		offsets[i+1] = int64(len(bytes))
	}
	return bytes, offsets
}

// SPDX-License-Identifier: Apache-2.0

package simplugin

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/vmihailenco/msgpack/v5"
)

// A tensor stands for its place among those of a reply.
type tensorRef uint32

func (r tensorRef) EncodeMsgpack(e *msgpack.Encoder) error {
	if err := e.EncodeExtHeader(extTensor, 4); err != nil {
		return err
	}
	_, err := e.Writer().Write([]byte{byte(r >> 24), byte(r >> 16), byte(r >> 8), byte(r)})
	return err
}

func replyOf(t *testing.T, body any, tensors ...Tensor) Reply {
	t.Helper()
	bytes, err := msgpack.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return Reply{body: bytes, tensors: tensors}
}

type m = map[string]any

var (
	ints   = Tensor{Rows: 2, Cols: 1, Data: []int64{0, 1}}
	floats = Tensor{Rows: 2, Cols: 1, Data: []float32{0.5, 1}}
	square = Tensor{Rows: 2, Cols: 2, Data: []int64{1, 2, 3, 4}}
	letter = Tensor{Rows: 1, Cols: 1, Data: []uint8{'a'}}
)

// A map is a column where it has all of one and nothing else, and never where it is the whole answer.
func TestColumnsAreRecognised(t *testing.T) {
	for name, c := range map[string]struct {
		value   any
		tensors []Tensor
		is      string // "": no column
	}{
		"int64":             {m{"type": "int64", "values": tensorRef(0)}, []Tensor{ints}, "int64"},
		"text":              {m{"type": "text", "values": tensorRef(0), "offsets": tensorRef(1)}, []Tensor{letter, ints}, "text"},
		"ids":               {m{"values": tensorRef(0), "offsets": tensorRef(1)}, []Tensor{letter, ints}, "text"},
		"lists":             {m{"type": "list<int64>", "values": tensorRef(0), "lists": tensorRef(0)}, []Tensor{ints}, "list<int64>"},
		"nothing said":      {m{"values": tensorRef(0)}, []Tensor{ints}, ""},
		"bytes":             {m{"values": tensorRef(0)}, []Tensor{letter}, ""},
		"of float32":        {m{"type": "float64", "values": tensorRef(0)}, []Tensor{floats}, ""},
		"one key more":      {m{"type": "int64", "values": tensorRef(0), "cost": 7}, []Tensor{ints}, ""},
		"another type":      {m{"type": "int32", "values": tensorRef(0)}, []Tensor{ints}, ""},
		"type is no text":   {m{"type": 3, "values": tensorRef(0)}, []Tensor{ints}, ""},
		"rows of two":       {m{"type": "int64", "values": tensorRef(0)}, []Tensor{square}, ""},
		"lists of no list":  {m{"type": "int64", "values": tensorRef(0), "lists": tensorRef(0)}, []Tensor{ints}, ""},
		"a list without":    {m{"type": "list<int64>", "values": tensorRef(0)}, []Tensor{ints}, ""},
		"offsets of number": {m{"type": "int64", "values": tensorRef(0), "offsets": tensorRef(0)}, []Tensor{ints}, ""},
		"offsets that fall": {m{"values": tensorRef(0), "offsets": tensorRef(1)}, []Tensor{letter, {Rows: 2, Cols: 1, Data: []int64{0, 2}}}, ""},
		"valid is no bits":  {m{"type": "int64", "values": tensorRef(0), "valid": true}, []Tensor{ints}, ""},
	} {
		answer, err := replyOf(t, m{"under": c.value}, c.tensors...).Map()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if column, ok := answer["under"].(Column); ok != (c.is != "") || ok && column.Type() != c.is {
			t.Errorf("%s: %#v", name, answer["under"])
		} else if under, _ := answer["under"].(m); !ok && len(under) != len(c.value.(m)) {
			t.Errorf("%s: of the map only %v is left", name, under)
		}
		whole, err := replyOf(t, c.value, c.tensors...).Map()
		if _, ok := whole["values"].(Tensor); err != nil || !ok || len(whole) != len(c.value.(m)) {
			t.Errorf("%s, as the whole answer: %v %v", name, whole, err)
		}
	}
	for _, body := range []any{7, "text", []int{1}} {
		if whole, err := replyOf(t, body).Map(); !errors.Is(err, ErrProtocol) {
			t.Errorf("%v as the whole answer: %v %v", body, whole, err)
		}
	}
}

type embedded struct {
	N int `key:"n"`
}

type Exported struct {
	N int `key:"n"`
}

type private struct {
	n int `key:"n"`
}

// What cannot be filled is an error, and nothing is cut to size.
func TestDecodeRefuses(t *testing.T) {
	reply := replyOf(t, m{"n": -1, "map": m{"a": 1}, "floats": tensorRef(0), "square": tensorRef(1), "nothing": nil,
		"lists": m{"type": "list<int64>", "values": tensorRef(2), "lists": tensorRef(2)}, "mixed": []any{1, "a"}}, floats, square, ints)
	var number int
	for name, result := range map[string]any{
		"nil": nil, "no pointer": embedded{}, "nil pointer": (*embedded)(nil), "pointer to no struct": &number, "a map": m{},
		"a pointer to a pointer": new(*embedded),
	} {
		if err := reply.Decode(result); !errors.Is(err, ErrInvalidArgument) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, result := range map[string]any{
		"private":          &private{n: 1},
		"embedded pointer": &struct{ *Exported }{},
		"embedded error":   &struct{ error }{},
		"unsigned": &struct {
			N uint64 `key:"n"`
		}{},
		"keys that are no texts": &struct {
			M map[int]int `key:"map"`
		}{},
		"a channel": &struct {
			N chan int `key:"n"`
		}{},
		"an array": &struct {
			N [1]int `key:"mixed"`
		}{},
		"mixed": &struct {
			N []int `key:"mixed"`
		}{},
		"a matrix of integers": &struct {
			M Matrix `key:"square"`
		}{},
		"lists as a list": &struct {
			L []int64 `key:"lists"`
		}{},
		"a function": &struct {
			M func() `key:"map"`
		}{},
	} {
		if err := reply.Decode(result); !errors.Is(err, ErrProtocol) && !errors.Is(err, ErrInvalidArgument) {
			t.Errorf("%s: %v, %+v", name, err, result)
		}
	}
	var good struct {
		Exported
		M     map[Filter]any `key:"map"`
		Rows  [][]int64      `key:"lists"`
		Other any            `key:"square"`
	}
	if err := reply.Decode(&good); err != nil || good.N != -1 || good.M["a"] != int64(1) || good.Other.(Tensor).Cols != 2 ||
		!reflect.DeepEqual(good.Rows, [][]int64{{0}}) {
		t.Errorf("%v %+v", err, good)
	}
}

// An exchange leaves nothing, whichever way it is left.
func TestReleaseFreesLargeErrors(t *testing.T) {
	x := exchanges.Get().(*exchange)
	names := make(IDs, 100)
	for i := range names {
		names[i] = strings.Repeat("x", 200)
	}
	ctx := context.Background()
	index, err := CreateIndex(ctx, &IndexOptions{Dimension: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer index.Cleanup(ctx)
	allow := false
	if err := x.encode(request{}.and(names).options(&GetOptions{AllowMissing: &allow})); err != nil {
		t.Fatal(err)
	}
	if err := x.cross(ctx, index.Handle(), "index.get"); !errors.Is(err, ErrNotFound) {
		t.Fatal(err)
	}
	if x.answer.large == nil {
		t.Error("the error is not large")
	}
	x.release()
	if x.answer.large != nil {
		t.Error("its text is still there")
	}
}

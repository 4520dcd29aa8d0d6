// SPDX-License-Identifier: Apache-2.0

package simplugin

import (
	"unsafe"
)

// Float16 is the bits of an IEEE binary16 number.
type Float16 uint16

// Float is what vectors are given as. float32 goes as it lies; the library converts the others.
type Float interface{ float32 | float64 | Float16 }

// Vectors are rows of numbers in the caller's memory, which is not copied. It may not be
// written to during a call.
type Vectors struct {
	tensor
	wrong string // why it cannot be sent; "": it can
}

// A tensor describes memory as simplugin_tensor does.
type tensor struct {
	dtype      uint32
	data       unsafe.Pointer
	rows, cols int
	stride     int // bytes; 0: rows follow each other
}

// Rows are vectors of so many dimensions, one after the other.
func Rows[T Float](data []T, dimension int) Vectors {
	rows := 0
	if dimension > 0 {
		rows = len(data) / dimension
	}
	v := RowsStride(data, rows, dimension, dimension)
	if v.wrong == "" && rows*dimension != len(data) {
		v.wrong = "the numbers do not make whole rows"
	}
	return v
}

// RowsStride are rows whose beginnings are stride numbers apart: columns of a wider matrix.
func RowsStride[T Float](data []T, rows, dimension, stride int) Vectors {
	v := Vectors{tensor: tensorOf(data, rows, dimension)}
	if rows < 0 || dimension < 0 || stride < dimension {
		v.wrong = "a negative size, or rows that overlap"
	} else if rows > 0 && (dimension > len(data) || rows-1 > (len(data)-dimension)/max(stride, 1)) {
		v.wrong = "more rows than there are numbers for"
	} else if stride != dimension && rows > 1 {
		v.stride = stride * int(unsafe.Sizeof(*new(T)))
	}
	return v
}

// Row is one vector.
func Row[T Float](data []T) Vectors { return Rows(data, len(data)) }

// CopyRows copies rows of one length that lie apart from each other.
func CopyRows[T Float](rows [][]T) Vectors {
	if len(rows) == 0 {
		return Vectors{tensor: tensorOf([]T(nil), 0, 0)}
	}
	dimension := len(rows[0])
	data := make([]T, 0, len(rows)*dimension)
	for _, row := range rows {
		data = append(data, row...)
		if len(row) != dimension {
			v := Row([]T(nil))
			v.wrong = "rows of different length"
			return v
		}
	}
	return RowsStride(data, len(rows), dimension, dimension)
}

// Len is the number of rows.
func (v Vectors) Len() int { return v.rows }

// Dimension is the length of a row.
func (v Vectors) Dimension() int { return v.cols }

func (v Vectors) part() field { return field{"vectors", v} }
func (Vectors) isQuery()      {}

// Matrix is rows of float32, one after the other: vectors of a reply.
type Matrix struct {
	Data      []float32
	Dimension int
}

// Len is the number of rows.
func (m Matrix) Len() int {
	if m.Dimension == 0 {
		return 0
	}
	return len(m.Data) / m.Dimension
}

// Row is row i, not copied.
func (m Matrix) Row(i int) []float32 {
	return m.Data[i*m.Dimension : (i+1)*m.Dimension : (i+1)*m.Dimension]
}

// Vectors are the same rows for a request.
func (m Matrix) Vectors() Vectors { return Rows(m.Data, m.Dimension) }

// Tensor is a tensor of a Body or Reply. Data is a []float32, []float64, []Float16, []int64, []uint64, []int32,
// []uint8 of Rows x Cols elements, or Bits.
type Tensor struct {
	Rows, Cols int
	Data       any
}

// Bits are rows of bits, least significant first, each row padded to bytes.
type Bits []byte

// extTensor is the MessagePack extension that stands for a tensor: its index, 4 bytes, big-endian.
const extTensor = 1

const (
	dtypeFloat32 = iota + 1
	dtypeFloat64
	dtypeFloat16
	dtypeInt64
	dtypeUint64
	dtypeInt32
	dtypeUint8
	dtypeBits
)

func tensorOf[S ~[]T, T any](data S, rows, cols int) tensor {
	t := tensor{data: unsafe.Pointer(unsafe.SliceData(data)), rows: rows, cols: cols}
	switch any(data).(type) {
	case []float32:
		t.dtype = dtypeFloat32
	case []float64:
		t.dtype = dtypeFloat64
	case []Float16:
		t.dtype = dtypeFloat16
	case []int64:
		t.dtype = dtypeInt64
	case []uint64:
		t.dtype = dtypeUint64
	case []int32:
		t.dtype = dtypeInt32
	case []uint8, []bool:
		t.dtype = dtypeUint8
	case Bits:
		t.dtype = dtypeBits
	}
	return t
}

// dataTensor is that of a Tensor; false if Data is none of its slices, or not of its size.
func dataTensor(t Tensor) (tensor, bool) {
	made, n := tensor{}, -1
	switch data := t.Data.(type) {
	case []float32:
		made, n = tensorOf(data, t.Rows, t.Cols), len(data)
	case []float64:
		made, n = tensorOf(data, t.Rows, t.Cols), len(data)
	case []Float16:
		made, n = tensorOf(data, t.Rows, t.Cols), len(data)
	case []int64:
		made, n = tensorOf(data, t.Rows, t.Cols), len(data)
	case []uint64:
		made, n = tensorOf(data, t.Rows, t.Cols), len(data)
	case []int32:
		made, n = tensorOf(data, t.Rows, t.Cols), len(data)
	case []uint8:
		made, n = tensorOf(data, t.Rows, t.Cols), len(data)
	case Bits:
		made, n = tensorOf(data, t.Rows, t.Cols), len(data)
		return made, t.Rows >= 0 && t.Cols >= 0 && n == t.Rows*((t.Cols+7)/8)
	}
	return made, n >= 0 && t.Rows >= 0 && t.Cols >= 0 && n == t.Rows*t.Cols
}

// SPDX-License-Identifier: Apache-2.0

/** dtype of simplugin/plugin.h: its number, and the typed array that holds it. */
const DTYPES = {
  float32: [1, Float32Array],
  float64: [2, Float64Array],
  float16: [3, globalThis.Float16Array ?? Uint16Array],
  int64: [4, BigInt64Array],
  uint64: [5, BigUint64Array],
  int32: [6, Int32Array],
  uint8: [7, Uint8Array],
};
const names = new Map(Object.entries(DTYPES).map(([name, [, View]]) => [View, name]));
names.delete(Uint16Array); // halves only where that is said
const arrays = new Map(Object.entries(DTYPES).map(([name, [number, View]]) => [number, { name, View }]));

export const BITS = 8;

/** @returns {string | undefined} the dtype of a typed array */
export function dtypeOf(value) {
  return names.get(value?.constructor);
}

/** Rows of numbers that lie in one typed array, which is not copied. */
export class Matrix {
  /**
   * @param data a typed array
   * @param {number} cols numbers in a row
   * @param {{ rows?: number, stride?: number, dtype?: string }} [options]
   */
  constructor(data, cols, { rows, stride = cols, dtype = dtypeOf(data) } = {}) {
    const known = Object.hasOwn(DTYPES, dtype ?? '');
    if (!known || !(data instanceof DTYPES[dtype][1] || (dtype === 'float16' && data instanceof Uint16Array)))
      throw new TypeError(`a matrix lies in a typed array of ${Object.keys(DTYPES).join(', ')}, float16 in a Uint16Array if dtype says so`);
    rows ??= stride === cols ? data.length / cols : Math.floor((data.length - cols) / stride) + 1;
    if (![rows, cols, stride].every((n) => Number.isSafeInteger(n) && n >= 0) || stride < cols ||
        (rows > 0 && (rows - 1) * stride + cols > data.length))
      throw new RangeError(`${rows} rows of ${cols}, ${stride} from one to the next, do not lie in ${data.length} numbers`);
    this.data = data;
    this.rows = rows;
    this.cols = cols;
    this.stride = stride;
    this.dtype = dtype;
  }

  /** A view of row i. */
  row(i) {
    if (!(i >= 0 && i < this.rows)) throw new RangeError(`no row ${i} of ${this.rows}`);
    return this.data.subarray(i * this.stride, i * this.stride + this.cols);
  }

  * [Symbol.iterator]() {
    for (let i = 0; i < this.rows; i++) yield this.row(i);
  }
}

/** @returns {Matrix} */
export function matrix(data, cols, options) {
  return new Matrix(data, cols, options);
}

/** What start of the addon takes of a tensor: view, dtype, rows, cols, bytes from row to row. */
export function tensorOf({ data, rows, cols, stride, dtype }) {
  // memory that may shrink while the library reads it is not shown to it
  const view = data.buffer.resizable ? data.slice() : data;
  const bytes = dtype === 'float16' ? new Uint8Array(view.buffer, view.byteOffset, view.byteLength) : view;
  return [bytes, DTYPES[dtype][0], rows, cols, stride === cols ? 0 : stride * data.BYTES_PER_ELEMENT];
}

/** A tensor of a reply; bits stay bytes. */
export function matrixOf(dtype, rows, cols, buffer) {
  if (dtype === BITS) return new Matrix(new Uint8Array(buffer), Math.ceil(cols / 8), { rows });
  const { name, View } = arrays.get(dtype);
  return new Matrix(new View(buffer), cols, { rows, dtype: name });
}

/** Queries and points from what programs have at hand; anything else is left for the library to refuse. */
export function vectorsOf(value, rows = 1) {
  if (dtypeOf(value)) {
    const cols = value.length / rows;
    return Number.isInteger(cols) ? new Matrix(value, cols, { rows }) : new Matrix(value, value.length, { rows: 1 });
  }
  if (!Array.isArray(value) || value.length === 0) return value;
  const cols = value[0]?.length;
  const View = dtypeOf(value[0]) ? value[0].constructor : Float64Array;
  if (!cols || !value.every((row) => row?.length === cols && (View === row.constructor || isNumbers(row)))) return value;
  const data = new View(value.length * cols);
  value.forEach((row, i) => data.set(row, i * cols));
  return new Matrix(data, cols, { rows: value.length });
}

function isNumbers(row) {
  return Array.isArray(row) && row.every((one) => typeof one === 'number');
}

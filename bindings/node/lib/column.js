// SPDX-License-Identifier: Apache-2.0
// Columns of docs/protocol.md: as many values as rows, each text, int64, float64, bool or a list
// of these, or missing. In tensors as they travel; as arrays of strings, numbers, bigints,
// booleans and null for programs.
import { InvalidArgumentError } from './errors.js';
import { Matrix } from './matrix.js';

const TYPES = new Set(['text', 'int64', 'float64', 'bool', 'list<text>', 'list<int64>', 'list<float64>', 'list<bool>']);

/** Integers that numbers hold exactly are numbers. */
export function integerOf(value) {
  return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value;
}

/** Little-endian, as every machine the library runs on. */
export function integersOf(values) {
  const halves = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
  const all = new Array(values.length);
  for (let i = 0; i < all.length; i++) {
    const high = halves[2 * i + 1];
    all[i] = high >= -0x200000 && high < 0x200000 ? high * 0x100000000 + (halves[2 * i] >>> 0) : integerOf(values[i]);
  }
  return all;
}

export class Column {
  #array;

  /** tensors: the Matrix values and, where they are needed, offsets and lists; valid: { bits, count }. */
  constructor(type, tensors) {
    this.type = type;
    this.tensors = tensors;
  }

  get length() {
    const { values, offsets, lists } = this.tensors;
    return (lists ?? offsets) ? (lists ?? offsets).rows - 1 : values.rows;
  }

  /** The values, decoded at the first use. */
  toArray() {
    return this.#array ??= this.#decode();
  }

  [Symbol.iterator]() {
    return this.toArray()[Symbol.iterator]();
  }

  #elements() {
    const { values: { data }, offsets } = this.tensors;
    if (offsets) return textsOf(data, integersOf(offsets.data));
    if (data instanceof BigInt64Array) return integersOf(data);
    return data instanceof Uint8Array ? Array.from(data, Boolean) : Array.from(data);
  }

  #decode() {
    const { lists, valid } = this.tensors;
    let all = this.#elements();
    if (lists) {
      const ends = integersOf(lists.data);
      const elements = all;
      all = ends.slice(1).map((end, i) => elements.slice(ends[i], end));
    }
    if (valid) for (let i = 0; i < all.length; i++) if (!(valid.bits[i >> 3] >> (i & 7) & 1)) all[i] = null;
    return all;
  }
}

function textsOf(data, ends) {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const all = new Array(ends.length - 1);
  for (let i = 0; i < all.length; i++) all[i] = bytes.toString('utf8', ends[i], ends[i + 1]);
  return all;
}

/* ---- from values --------------------------------------------------------------------------- */

function flat(data) {
  return new Matrix(data, 1, { rows: data.length });
}

function wellFormed(text) {
  if (text.isWellFormed()) return text;
  throw new InvalidArgumentError('text with half a surrogate pair is no UTF-8 and cannot be sent');
}

/** Positions from 0 on, each the sum of the sizes before it. */
function offsetsOf(count, sizeAt) {
  const offsets = new BigInt64Array(count + 1);
  const halves = new Uint32Array(offsets.buffer);
  let at = 0;
  for (let i = 0; i < count; i++) {
    at += sizeAt(i);
    halves[2 * i + 2] = at;
    halves[2 * i + 3] = at / 0x100000000;
  }
  return flat(offsets);
}

/** All texts behind each other: one string, and one pass more where it is not ASCII. */
function textTensors(texts) {
  const all = texts.join('');
  const bytes = Buffer.from(all, 'utf8');
  const isAscii = bytes.length === all.length;
  const offsets = offsetsOf(texts.length, isAscii ? (i) => texts[i].length : (i) => Buffer.byteLength(wellFormed(texts[i])));
  return { values: new Matrix(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length), bytes.length, { rows: 1 }), offsets };
}

function elementTensors(type, elements) {
  switch (type) {
    case 'text': return textTensors(elements.map((one) => one ?? ''));
    case 'int64': return { values: flat(BigInt64Array.from(elements, (one) => BigInt(one ?? 0))) };
    case 'float64': return { values: flat(Float64Array.from(elements, (one) => Number(one ?? 0))) };
    default: return { values: flat(Uint8Array.from(elements, (one) => (one ? 1 : 0))) };
  }
}

function validOf(values) {
  if (!values.some((one) => one === null || one === undefined)) return undefined;
  const bits = new Uint8Array(Math.ceil(values.length / 8));
  values.forEach((one, i) => { if (one !== null && one !== undefined) bits[i >> 3] |= 1 << (i & 7); });
  return { bits, count: values.length };
}

/** A column of a type that is said, for numbers of which only some are whole. */
export function column(type, values) {
  if (!TYPES.has(type)) throw new TypeError(`a column's type is one of ${[...TYPES].join(', ')}`);
  const valid = validOf(values);
  if (!type.startsWith('list<')) return new Column(type, { ...elementTensors(type, values), valid });
  const lists = offsetsOf(values.length, (i) => values[i]?.length ?? 0);
  return new Column(type, { ...elementTensors(type.slice(5, -1), values.flatMap((list) => list ?? [])), lists, valid });
}

/* ---- which type they are ---------------------------------------------------------------------- */

function scalarType(value) {
  switch (typeof value) {
    case 'string': return 'text';
    case 'boolean': return 'bool';
    case 'bigint': return BigInt.asIntN(64, value) === value ? 'int64' : undefined;
    case 'number': return Number.isSafeInteger(value) && !Object.is(value, -0) ? 'int64' : 'float64';
    default: return undefined;
  }
}

/** The one type of all, whole numbers being floats among floats; undefined where there is none. */
function commonType(values) {
  let all;
  let hasBig = false;
  for (const value of values) {
    if (value === null || value === undefined) continue;
    const one = scalarType(value);
    hasBig ||= typeof value === 'bigint';
    if (all === undefined || (all === 'int64' && one === 'float64')) all = one;
    else if (one !== all && !(all === 'float64' && one === 'int64')) return undefined;
    if (all === undefined || (hasBig && all === 'float64')) return undefined;
  }
  return all;
}

/** A column of an array of values, or the array itself where it makes none: the library says why. */
export function columnOf(values) {
  if (!Array.isArray(values)) return values;
  const first = values.find((one) => one !== null && one !== undefined);
  if (!Array.isArray(first)) {
    const type = commonType(values);
    return type ? column(type, values) : values;
  }
  const isList = (one) => Array.isArray(one) && !one.includes(null) && !one.includes(undefined);
  if (!values.every((one) => one === null || one === undefined || isList(one))) return values;
  const type = commonType(values.flatMap((list) => list ?? []));
  return type ? column(`list<${type}>`, values) : values;
}

/** Ids: texts without gaps. */
export function idsOf(values) {
  if (!Array.isArray(values) || values.length === 0 || !values.every((one) => typeof one === 'string')) return values;
  return new Column('text', textTensors(values));
}

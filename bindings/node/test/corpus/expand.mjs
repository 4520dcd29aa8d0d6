// SPDX-License-Identifier: Apache-2.0
// The notations of tests/corpus/README.md: as plain values, and as what a program would pass.
import { join } from 'node:path';
import { Column, column, matrix } from 'simplugin';

/** What no program in this language can say. */
export class Inexpressible extends Error {}

/** [name, argument] of {"$name": argument}, else []. */
export function notation(value) {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return [];
  const keys = Object.keys(value);
  return keys.length === 1 && keys[0][0] === '$' ? [keys[0], value[keys[0]]] : [];
}

const MASK = (1n << 64n) - 1n;

function random(seed, i) {
  let z = (BigInt(seed) + (BigInt(i) + 1n) * 0x9e3779b97f4a7c15n) & MASK;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK;
  z ^= z >> 31n;
  return Number(z >> 40n) / 8388608 - 1;
}

function randomRows({ seed = 0, rows = 1, cols = 1, first = 0 }) {
  return Array.from({ length: rows }, (_, r) => Array.from({ length: cols }, (__, c) => random(seed, (first + r) * cols + c)));
}

const resolvers = {
  $var: (scope, name) => {
    if (!(name in scope.variables)) throw new Error(`the case binds no variable "${name}"`);
    return scope.variables[name];
  },
  $ids: (scope, { prefix = '', first = 0, count = 0, width = 1 }) =>
    Array.from({ length: count }, (_, i) => prefix + String(first + i).padStart(width, '0')),
  $repeat: (scope, { value, text, count }) => (text === undefined ? Array(count).fill(value) : text.repeat(count)),
  $join: (scope, arrays) => arrays.flat(),
  $path: (scope, name) => join(scope.directory, name),
  $unique: (scope, text) => `${text}_${scope.unique}`,
  $backend: (scope) => scope.backend,
  $plugin_path: (scope) => scope.pluginPath,
};
const listResolvers = { $random: (scope, argument) => randomRows(argument), $tensor: (scope, { data }) => data };

/** A value with what stands for something else replaced; lists: also tensors, by arrays. */
export function expand(scope, value, lists) {
  if (Array.isArray(value)) return value.map((one) => expand(scope, one, lists));
  if (value === null || typeof value !== 'object') return value;
  const all = Object.fromEntries(Object.entries(value).map(([key, one]) => [key, expand(scope, one, lists)]));
  const [name, argument] = notation(all);
  const resolve = resolvers[name] ?? (lists ? listResolvers[name] : undefined);
  return resolve ? resolve(scope, argument) : all;
}

/* ---- bodies ---- */

const FLOATS = { nan: NaN, inf: Infinity, '-inf': -Infinity };

export function floatOf(argument) {
  return typeof argument === 'string' ? FLOATS[argument] : argument;
}

const VIEWS = { float32: Float32Array, float64: Float64Array, int64: BigInt64Array, uint64: BigUint64Array, int32: Int32Array, uint8: Uint8Array };

/** Halves of the numbers that cases write. */
function halfOf(number) {
  if (Number.isNaN(number)) return 0x7e00;
  const sign = number < 0 || Object.is(number, -0) ? 0x8000 : 0;
  const size = Math.abs(number);
  if (size >= 65520) return sign | 0x7c00;
  const exponent = Math.floor(Math.log2(size));
  if (size < 2 ** -14) return sign | Math.trunc(size * 2 ** 24);
  return sign | (exponent + 15) << 10 | Math.trunc((size / 2 ** exponent - 1) * 1024);
}

function plainNumber(value) {
  const [name, argument] = notation(value);
  return name === '$float' ? floatOf(argument) : value;
}

function tensor({ dtype = 'float32', data, row_stride: bytes, claim, misaligned }) {
  if (claim || misaligned || dtype === 'bits') throw new Inexpressible('a tensor that lies about itself');
  const rows = data.map((row) => (Array.isArray(row) ? row : [row]).map(plainNumber));
  const cols = rows[0].length;
  if (dtype === 'float16') return matrix(Uint16Array.from(rows.flat(), halfOf), cols, { dtype });
  const View = VIEWS[dtype];
  const stride = bytes ? bytes / View.BYTES_PER_ELEMENT : cols;
  const view = new View(rows.length * stride);
  rows.forEach((row, r) => row.forEach((one, c) => { view[r * stride + c] = View === BigInt64Array || View === BigUint64Array ? BigInt(one) : one; }));
  return matrix(view, cols, { rows: rows.length, stride });
}

function randomMatrix(argument) {
  const rows = randomRows(argument);
  return matrix((argument.dtype === 'float64' ? Float64Array : Float32Array).from(rows.flat()), argument.cols ?? 1, { rows: rows.length });
}

function natural(value) {
  if (Array.isArray(value)) return value.map(natural);
  return plainNumber(value);
}

function textOf(hex) {
  const bytes = Buffer.from(hex, 'hex');
  const text = bytes.toString('utf8');
  if (!Buffer.from(text, 'utf8').equals(bytes)) throw new Inexpressible('text that is no UTF-8');
  return text;
}

const makers = {
  $float: floatOf,
  $random: randomMatrix,
  $tensor: tensor,
  $column: ({ type, values }) => column(type, natural(values)),
  $bytes: (hex) => new Uint8Array(Buffer.from(hex, 'hex')),
  $text: textOf,
  $nest: (depth) => { let all = null; for (let i = 0; i < depth; i++) all = [all]; return all; },
  $ext: () => { throw new Inexpressible('an extension type'); },
};

/** A column that was made by hand, whether it agrees with itself or not. */
function rawColumn({ type, valid, ...parts }) {
  const tensors = Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, tensor(part.$tensor)]));
  if (valid) tensors.valid = { bits: Uint8Array.from(valid.$tensor.data), count: valid.$tensor.claim.cols };
  return new Column(type ?? 'text', tensors);
}

/* ---- arrays as tensors and columns ---- */

function typeOf(values) {
  const types = new Set(values.filter((one) => one !== null).map((one) => {
    if (notation(one)[0] === '$float') return 'float64';
    if (typeof one === 'number') return Number.isInteger(one) ? 'int64' : 'float64';
    return { string: 'text', boolean: 'bool', bigint: 'int64' }[typeof one] ?? 'none';
  }));
  if (types.has('float64')) types.delete('int64');
  return types.size === 1 && !types.has('none') ? [...types][0] : undefined;
}

function asColumn(values) {
  const present = values.filter((one) => one !== null);
  const isList = present.length > 0 && present.every(Array.isArray);
  const type = isList ? typeOf(present.flat()) : typeOf(values);
  return type && column(isList ? `list<${type}>` : type, natural(values));
}

function isMatrix(value) {
  const cols = value[0]?.length;
  return cols > 0 && value.every((row) => Array.isArray(row) && row.length === cols && row.every((one) => typeof plainNumber(one) === 'number'));
}

/** A field's values; whole floats need to be said to be floats in any form. */
function field(values, form) {
  if (!Array.isArray(values)) return make(values, form);
  const hasFloats = values.flat().some((one) => notation(one)[0] === '$float');
  return (form === 'columns' || hasFloats ? asColumn(values) : undefined) ?? make(values, form);
}

function entry(key, value, form) {
  if (key === 'fields' && value !== null && typeof value === 'object' && !Array.isArray(value))
    return Object.fromEntries(Object.entries(value).map(([name, values]) => [name, field(values, form)]));
  if (form === 'columns' && Array.isArray(value)) {
    if (key === 'vectors' && isMatrix(value)) return tensor({ data: value });
    if ((key === 'ids' || key === 'sample_ids') && typeOf(value) === 'text') return column('text', value);
  }
  return make(value, form);
}

/** An expanded body as a program would write it. Deeper maps stay plain, as in the C runner. */
export function make(value, form) {
  if (Array.isArray(value)) return value.map((one) => make(one, 'plain'));
  if (value === null || typeof value !== 'object') return value;
  const [name, argument] = notation(value);
  if (makers[name]) return makers[name](argument);
  if (notation(value.values)[0] === '$tensor') return rawColumn(value);
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, entry(key, one, form)]));
}

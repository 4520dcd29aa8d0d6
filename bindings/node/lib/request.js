// SPDX-License-Identifier: Apache-2.0
// Bodies: MessagePack, with typed arrays, matrices and columns as tensors beside it.
import { Encoder, ExtensionCodec } from '@msgpack/msgpack';
import { Column, columnOf, idsOf } from './column.js';
import { InvalidArgumentError } from './errors.js';
import { Handle } from './handle.js';
import { Matrix, dtypeOf, tensorOf, vectorsOf } from './matrix.js';

const TENSOR = 1; // SIMPLUGIN_EXT_TENSOR

class Reference {
  constructor(index) {
    this.index = index;
  }
}

const extensionCodec = new ExtensionCodec();
extensionCodec.register({
  type: TENSOR,
  encode(value) {
    if (!(value instanceof Reference)) return null;
    return Uint8Array.of(value.index >>> 24, value.index >>> 16, value.index >>> 8, value.index);
  },
  decode: () => null,
});

// with useBigInt64 numbers above 32 bits would be floats: wire() makes them bigints
const newEncoder = () => new Encoder({ extensionCodec, useBigInt64: true, maxDepth: 1000 });
const ENCODER_MAX = 1 << 20; // bytes that one may keep
let encoder = newEncoder();

function refuse(what, key) {
  throw new InvalidArgumentError(`"${key}": ${what}`, { details: { argument: key } });
}

function wireNumber(value) {
  return Number.isSafeInteger(value) && (value > 0xffffffff || value < -0x80000000) ? BigInt(value) : value;
}

/** Of the request under way: five values for each tensor. */
let tensors = [];

function tensor(view) {
  tensors.push(...tensorOf(view));
  return new Reference(tensors.length / 5 - 1);
}

function wireColumn({ type, tensors: { values, offsets, lists, valid } }) {
  const map = { type, values: tensor(values) };
  if (offsets) map.offsets = tensor(offsets);
  if (lists) map.lists = tensor(lists);
  if (valid) {
    tensors.push(valid.bits, 8, 1, valid.count, 0);
    map.valid = new Reference(tensors.length / 5 - 1);
  }
  return map;
}

function wireMap(map) {
  const all = Object.create(null); // so that any key is one
  for (const key of Object.keys(map)) {
    if (!key.isWellFormed()) refuse('a key with half a surrogate pair cannot be sent', key);
    if (map[key] !== undefined) all[key] = wire(map[key], key);
  }
  return all;
}

function wireObject(value, key) {
  if (Array.isArray(value)) return value.map((one) => (one === undefined ? null : wire(one, key)));
  if (value instanceof Matrix) return tensor(value);
  if (value instanceof Column) return wireColumn(value);
  if (value instanceof Handle) return value.id;
  if (value instanceof Uint8Array) return value;
  if (dtypeOf(value)) return tensor(new Matrix(value, value.length, { rows: 1 }));
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) return refuse(`a ${value.constructor?.name} cannot be sent`, key);
  return wireMap(value);
}

/** A value as the encoder takes it. */
function wire(value, key) {
  switch (typeof value) {
    case 'string': return value.isWellFormed() ? value : refuse('text with half a surrogate pair is no UTF-8 and cannot be sent', key);
    case 'number': return wireNumber(value);
    case 'boolean': return value;
    case 'bigint':
      return value >= -(1n << 63n) && value < 1n << 64n ? value : refuse('the integer has more than 64 bits', key);
    case 'object': return value === null ? null : wireObject(value, key);
    default: return refuse(`a ${typeof value} cannot be sent`, key);
  }
}

/** body and tensors for start of the addon, which copies the body before it returns. */
export function encodeBody(value) {
  const outer = tensors; // a getter in the body may make a call of its own
  tensors = [];
  try {
    const map = wireMap(value);
    const body = Object.keys(map).length ? encoder.encodeSharedRef(map) : undefined;
    if (body?.length > ENCODER_MAX) encoder = newEncoder();
    return { body, tensors: tensors.length ? tensors : undefined };
  } finally {
    tensors = outer;
  }
}

/* ---- the keys that hold points ------------------------------------------------------------------ */

function columnsOf(fields) {
  if (fields === null || typeof fields !== 'object' || Array.isArray(fields)) return fields;
  return Object.fromEntries(Object.entries(fields).map(([name, values]) => [name, columnOf(values)]));
}

/** A body with its arrays of ids, vectors and fields as columns and tensors. */
export function points(body, rows) {
  if (body === null || typeof body !== 'object') return body;
  const all = { ...body };
  if (all.ids !== undefined) all.ids = idsOf(all.ids);
  if (all.sample_ids !== undefined) all.sample_ids = idsOf(all.sample_ids);
  if (all.vectors !== undefined) all.vectors = vectorsOf(all.vectors, rows);
  if (all.fields !== undefined) all.fields = columnsOf(all.fields);
  return all;
}

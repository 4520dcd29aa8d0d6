// SPDX-License-Identifier: Apache-2.0
// Replies: tensors are shown where they lie, columns are decoded when they are looked at.
import { Decoder, ExtensionCodec } from '@msgpack/msgpack';
import { Column, integerOf, integersOf } from './column.js';
import { BITS, matrixOf } from './matrix.js';

class Reference {
  constructor(index) {
    this.index = index;
  }
}

const extensionCodec = new ExtensionCodec();
extensionCodec.register({
  type: 1, // SIMPLUGIN_EXT_TENSOR
  encode: () => null,
  decode: (bytes) => new Reference(new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)),
});

// the decoder refuses the key __proto__, which may be the name of a field: one more _ brings it here
const PROTO = '__proto__';
const keyDecoder = {
  canBeCached: (size) => size >= PROTO.length,
  decode(bytes, at, size) {
    const key = Buffer.from(bytes.buffer, bytes.byteOffset + at, size).toString();
    return key.startsWith(PROTO) ? `${key}_` : key;
  },
};
const decoder = new Decoder({ extensionCodec, keyDecoder, useBigInt64: true });

/** A reply of any method: the keys of docs/protocol.md. */
export class Reply {
  /** The columns by the keys they stand under, as they came: to pass on without decoding them. */
  get columns() {
    return {};
  }

  /** console.log shows values, not that they are decoded late. */
  [Symbol.for('nodejs.util.inspect.custom')]() {
    return 'fields' in this ? { ...this, fields: { ...this.fields } } : { ...this };
  }
}

function put(object, key, value) {
  Object.defineProperty(object, key, { value, configurable: true, enumerable: true, writable: true });
}

function lazy(object, key, make) {
  Object.defineProperty(object, key, {
    configurable: true,
    enumerable: true,
    get() {
      const value = make();
      put(object, key, value);
      return value;
    },
  });
}

function tensorAt(tensors, { index }) {
  const at = index * 4;
  return matrixOf(tensors[at], tensors[at + 1], tensors[at + 2], tensors[at + 3]);
}

function columnOf(map, tensors) {
  const parts = {};
  for (const name of ['values', 'offsets', 'lists'])
    if (map[name] instanceof Reference) parts[name] = tensorAt(tensors, map[name]);
  if (map.valid instanceof Reference) {
    const at = map.valid.index * 4;
    if (tensors[at] === BITS) parts.valid = { bits: new Uint8Array(tensors[at + 3]), count: tensors[at + 2] };
  }
  return new Column(map.type ?? 'text', parts);
}

/** One column of numbers is an array of them, but for vectors, however short. */
function tensorValue(key, tensor) {
  if (key === 'vectors' || tensor.cols !== 1) return tensor;
  return tensor.data instanceof BigInt64Array ? integersOf(tensor.data) : tensor.data;
}

function set(object, key, value, tensors, columns) {
  if (value instanceof Reference) {
    const tensor = tensorAt(tensors, value);
    if (tensor.dtype === 'int64') lazy(object, key, () => tensorValue(key, tensor));
    else put(object, key, tensorValue(key, tensor));
  } else if (value?.values instanceof Reference) {
    const column = columnOf(value, tensors);
    put(columns, key, column);
    lazy(object, key, () => column.toArray());
  } else {
    put(object, key, plain(value, tensors, columns, key));
  }
}

function setAll(object, map, tensors, columns) {
  for (const key of Object.keys(map)) set(object, key.startsWith(PROTO) ? key.slice(0, -1) : key, map[key], tensors, columns);
}

function plain(value, tensors, columns, key) {
  if (typeof value === 'bigint') return integerOf(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return value.slice();
  if (value instanceof Reference) return tensorAt(tensors, value);
  if (Array.isArray(value)) return value.map((one) => plain(one, tensors, {}, ''));
  const map = {};
  const below = {};
  setAll(map, value, tensors, below);
  if (Object.keys(below).length) put(columns, key, below);
  return map;
}

/** @template {typeof Reply} T @param {T} [Shape] */
export function decodeReply(body, tensors, Shape = Reply) {
  const reply = new Shape();
  if (body === undefined) return reply;
  const columns = {};
  setAll(reply, decoder.decode(body), tensors, columns);
  if (tensors) Object.defineProperty(reply, 'columns', { value: columns });
  return reply;
}



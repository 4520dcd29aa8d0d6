// SPDX-License-Identifier: Apache-2.0
// Vectors and columns: what goes in without a copy, and what comes out.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Column, DimensionMismatchError, InvalidArgumentError, column, matrix } from 'simplugin';
import { gc, openSession } from './helpers.mjs';

const session = await openSession();
const newIndex = (more) => session.createIndex({ metric: 'euclidean', ...more });
const peakKib = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);

test('R66 every form of vectors is the same points', async () => {
  const rows = [[1, 2], [3, 4], [-5, 0.5]];
  const flat = rows.flat();
  const strided = new Float32Array(3 * 5);
  rows.forEach((row, i) => strided.set(row, i * 5));
  const shared = new Float32Array(new SharedArrayBuffer(24));
  shared.set(flat);
  const resizable = new Float32Array(new ArrayBuffer(24, { maxByteLength: 48 }));
  resizable.set(flat);
  const forms = {
    arrays: rows, float32: new Float32Array(flat), float64: new Float64Array(flat),
    rows: rows.map((row) => new Float32Array(row)), strided: matrix(strided, 2, { stride: 5 }),
    inside: new Float32Array([0, ...flat, 0]).subarray(1, 7), shared, resizable,
    float16: matrix(Uint16Array.of(0x3c00, 0x4000, 0x4200, 0x4400, 0xc500, 0x3800), 2, { dtype: 'float16' }),
  };
  if (globalThis.Float16Array) forms.Float16Array = new globalThis.Float16Array(flat);
  for (const [name, vectors] of Object.entries(forms)) {
    const index = await newIndex();
    await index.add({ ids: ['a', 'b', 'c'], vectors });
    const got = await index.get({ ids: ['a', 'b', 'c'] });
    assert.deepEqual(Array.from(got.vectors, (row) => Array.from(row)), rows, name);
    const hits = await index.search({ vectors, k: 1 }).catch((error) => error);
    // a typed array alone is one query, of the wrong dimension here
    if (ArrayBuffer.isView(vectors)) assert.ok(hits instanceof DimensionMismatchError, name);
    else assert.deepEqual(hits.ids, ['a', 'b', 'c'], name);
  }
});

test('a typed array alone is one query', async () => {
  const index = await newIndex();
  await index.add({ ids: ['a', 'b'], vectors: [[1, 0], [0, 1]] });
  assert.deepEqual((await index.search({ vectors: Float32Array.of(0, 0.9), k: 1 })).ids, ['b']);
});

test('shapes that do not lie in their array are refused', () => {
  assert.throws(() => matrix(new Float32Array(4), 5, { rows: 1 }), RangeError);
  assert.throws(() => matrix(new Float32Array(4), 2, { rows: 3 }), RangeError);
  assert.throws(() => matrix(new Float32Array(4), 2, { stride: 1 }), RangeError);
  assert.throws(() => matrix(new Float32Array(4), -1), RangeError);
  assert.throws(() => matrix(new Uint16Array(4), 2), TypeError);
  assert.throws(() => matrix([1, 2], 2), TypeError);
  assert.throws(() => matrix(new Float32Array(5), 2), RangeError);
  assert.equal(matrix(new Float32Array(7), 2, { stride: 5 }).rows, 2);
  assert.equal(matrix(new Float32Array(6), 2, { stride: 5 }).rows, 1);
  assert.equal(matrix(new Float32Array(0), 2).rows, 0);
  assert.throws(() => matrix(new Float32Array(4), 2).row(2), RangeError);
});

test('an array that is taken away before the call begins is refused, not read', async () => {
  const index = await newIndex();
  const vectors = matrix(new Float32Array(1 << 16), 2);
  structuredClone(vectors.data.buffer, { transfer: [vectors.data.buffer] });
  await assert.rejects(index.search({ vectors }), /does not lie within its array/);
});

test('vectors go in without a copy', async () => {
  const index = await newIndex({ dimension: 2 });
  const before = peakKib();
  // 256 MiB that nobody touches: a copy would
  await assert.rejects(index.search({ vectors: new Float32Array(1 << 26) }), DimensionMismatchError);
  // nor what lies between rows
  const wide = matrix(new Float32Array(1 << 26), 2, { rows: 64, stride: 1 << 20 });
  await index.search({ vectors: wide });
  assert.ok(peakKib() - before < 64 << 10, `${peakKib() - before} KiB`);
});

test('vectors come out where the library put them, and stay as long as they are used', async () => {
  const index = await newIndex();
  const vectors = Float32Array.from({ length: 20_000 * 32 }, (_, i) => i);
  await index.add({ ids: Array.from({ length: 20_000 }, (_, i) => `p${i}`), vectors });
  let got = await index.get();
  assert.equal(got.vectors.rows, 20_000);
  const last = got.vectors.row(19_999);
  const at = Number(got.ids[19_999].slice(1)) * 32;
  got = undefined;
  await index.cleanup();
  await index.close();
  for (let i = 0; i < 5; i++) {
    gc();
    await new Promise(setImmediate);
  }
  assert.deepEqual(Array.from(last), Array.from({ length: 32 }, (_, i) => Math.fround(at + i)));
});

test('R281 fields keep their values and types', async () => {
  const index = await newIndex();
  const fields = {
    text: ['é', null, ''], whole: [1, null, -9007199254740991], big: [2n ** 63n - 1n, -(2n ** 63n), null],
    mixed: [1, 0.5, null], bool: [true, false, null], floats: column('float64', [1, 2, 3]),
    texts: [['a', '😀'], [], null], wholes: [[1, 2], null, [3n]], list: column('list<float64>', [[1], [], null]),
  };
  await index.add({ ids: ['a', 'b', 'c'], vectors: [[1], [2], [3]], fields });
  const got = await index.get({ ids: ['a', 'b', 'c'], fields: true, vectors: false });
  assert.deepEqual({ ...got.fields }, {
    text: ['é', null, ''], whole: [1, null, -9007199254740991], big: [2n ** 63n - 1n, -(2n ** 63n), null],
    mixed: [1, 0.5, null], bool: [true, false, null], floats: [1, 2, 3],
    texts: [['a', '😀'], [], null], wholes: [[1, 2], null, [3]], list: [[1], [], null],
  });
  const types = Object.fromEntries(Object.entries(got.columns.fields).map(([name, { type }]) => [name, type]));
  assert.deepEqual(types, {
    text: 'text', whole: 'int64', big: 'int64', mixed: 'float64', bool: 'bool', floats: 'float64',
    texts: 'list<text>', wholes: 'list<int64>', list: 'list<float64>',
  });
});

test('values that make no column are left for the library to refuse', async () => {
  const index = await newIndex();
  for (const values of [['a', 1], [[1], 2], [[null]], [{}], [2n ** 64n]])
    await assert.rejects(
      index.add({ ids: values.map((_, i) => `p${i}`), vectors: values.map(() => [1]), fields: { f: values } }), InvalidArgumentError);
  assert.throws(() => column('texts', []), TypeError);
});

test('columns of a page pass on without being decoded', async () => {
  const source = await newIndex();
  const target = await newIndex();
  const ids = Array.from({ length: 1000 }, (_, i) => `p${i}`);
  await source.add({ ids, vectors: Float32Array.from(ids, (_, i) => i), fields: { n: ids.map((_, i) => (i % 3 ? i : null)) } });
  for await (const page of source.scan({ fields: true, max_rows: 300 })) {
    assert.ok(page.columns.ids instanceof Column);
    await target.add({ ids: page.columns.ids, vectors: page.vectors, fields: page.columns.fields });
  }
  assert.equal(await target.size(), 1000);
  assert.deepEqual((await target.get({ ids: ['p3', 'p4'], fields: true })).fields.n, [null, 4]);
});

test('R264 a scan comes as pages and as points, and closes when it is left', async () => {
  const index = await newIndex();
  await index.add({ ids: ['a', 'b', 'c'], vectors: [[1], [2], [3]], fields: { n: [1, null, 3] } });
  const rows = [];
  for await (const { id, vector, fields } of index.rows({ fields: true, max_rows: 1 })) rows.push([id, vector[0], fields.n]);
  assert.deepEqual(rows.sort(), [['a', 1, 1], ['b', 2, null], ['c', 3, 3]]);
  const scan = await index.openScan({ max_rows: 1 });
  for await (const page of scan) {
    assert.equal(page.ids.length, 1);
    break;
  }
  await assert.rejects(scan.next(), { code: 'STALE_HANDLE' });
});

test('hits by query', async () => {
  const index = await newIndex({ patches_field: 'f' });
  await index.add({ ids: ['a', 'b'], sample_ids: ['s', 't'], vectors: [[1, 0], [0, 2]] });
  const hits = await index.search({ vectors: [[1, 0], [0, 2]], k: 2, with_vectors: true });
  assert.equal(hits.length, 2);
  const far = Math.fround(Math.sqrt(5));
  assert.deepEqual([...hits.query(1)], [
    { id: 'b', distance: 0, score: 0, sample_id: 't' },
    { id: 'a', distance: far, score: far, sample_id: 's' },
  ]);
  assert.deepEqual([...hits].map(({ ids }) => ids), [['a', 'b'], ['b', 'a']]);
  assert.deepEqual([...hits.vectors.row(1)], [0, 2]);
  assert.throws(() => hits.query(2), RangeError);
});

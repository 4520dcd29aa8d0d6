// SPDX-License-Identifier: Apache-2.0
// Errors, deadlines, cancelling, closing.
import assert from 'node:assert/strict';
import dns from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import * as simplugin from 'simplugin';
import { AbortError, CancelledError, DeadlineExceededError, InvalidArgumentError, NotFoundError, SimpluginError, StaleHandleError, call } from 'simplugin';
import { hangingServer, openSession, until } from './helpers.mjs';

const session = await openSession();
const hanging = await hangingServer();
const url = `http://127.0.0.1:${hanging.port}`;
const HANGING = { qdrant: { url, timeout_ms: 600_000 }, milvus: { uri: url, timeout_ms: 600_000 } };
const hang = (backend = 'qdrant') => session.connect(backend, HANGING[backend]);

async function sampleIndex() {
  const index = await session.createIndex({ metric: 'euclidean' });
  await index.add({ ids: ['a', 'b'], vectors: [[1, 0], [0, 1]] });
  return index;
}

test('R277 errors are classes with all that the library says', async () => {
  const index = await sampleIndex();
  const error = await index.search({ ids: ['nobody'] }).catch((one) => one);
  assert.ok(error instanceof NotFoundError && error instanceof SimpluginError && error instanceof Error);
  assert.equal(error.name, 'NotFoundError');
  assert.equal(error.code, 'NOT_FOUND');
  assert.equal(error.codeNumber, 2);
  assert.equal(error.retryable, false);
  assert.equal(error.details.id, 'nobody');
  assert.match(error.message, /nobody/);
  assert.ok(error.domain);
  assert.match(error.stack, /calls\.test/, 'the stack shows who called');
  await assert.rejects(index.search({ vectors: [[1, 0]], top_k: 1 }), { name: 'InvalidArgumentError', details: { argument: 'top_k' } });
});

test('R277 every code has its class', async () => {
  const { addon } = await import('../lib/call.js');
  const names = new Map(Object.values(simplugin).filter((one) => one?.codeNumber).map((one) => [one.codeNumber, one.code]));
  for (let code = 1; code < 200; code++) {
    const name = addon.codeName(code);
    assert.equal(names.get(code) ?? 'UNKNOWN', name);
  }
  assert.ok(names.size >= 38);
});

test('R277 what a server says is in the error', async () => {
  const connection = await session.connect('qdrant', { url: 'http://127.0.0.1:1' });
  await assert.rejects(connection.health(), (error) => error.code === 'UNAVAILABLE' && error.retryable === true);
});

for (const backend of Object.keys(HANGING)) {
  test(`R274 a timeout ends a call that hangs: ${backend}`, async () => {
    const connection = await hang(backend);
    const begin = performance.now();
    await assert.rejects(connection.health({ timeout: 150 }), DeadlineExceededError);
    const took = performance.now() - begin;
    assert.ok(took >= 140 && took < 5000, `${took} ms`);
  });

  test(`R274 an AbortSignal ends a call that hangs: ${backend}`, async () => {
    const connection = await hang(backend);
    const controller = new AbortController();
    const before = hanging.sockets.size;
    const calling = connection.health({ timeout: Infinity, signal: controller.signal, traceId: 'of the test' });
    await until(() => hanging.sockets.size > before, 'the call reaches the server');
    controller.abort();
    const error = await calling.catch((one) => one);
    assert.ok(error instanceof AbortError);
    assert.equal(error.name, 'AbortError');
    assert.equal(error.code, 'ABORT_ERR');
    assert.equal(error.reason, controller.signal.reason);
    assert.ok(error.cause instanceof CancelledError);
    assert.equal(error.cause.code, 'CANCELLED');
  });
}

test('a timeout is a whole number, and a method a string', async () => {
  const index = await sampleIndex();
  for (const timeout of ['soon', {}, true, NaN]) await assert.rejects(index.health({ timeout }), { name: 'TypeError', message: /timeout/ });
  for (const timeout of [-1, 1.5, -Infinity, 2 ** 53, 1n << 63n, -(1n << 63n) - 1n])
    await assert.rejects(index.health({ timeout }), { name: 'RangeError', message: /timeout/, code: 'ERR_OUT_OF_RANGE' });
  await assert.rejects(index.call(), TypeError);
  for (const timeout of [Infinity, null, undefined, 60_000, -1n, 0n, 60_000n]) assert.equal(await index.size({}, { timeout }), 2);
  const connection = await hang();
  await assert.rejects(connection.health({ timeout: 0 }), DeadlineExceededError);
});

test('a target is a handle or its number', async () => {
  const index = await sampleIndex();
  const size = (target) => call('index.size', undefined, { target });
  for (const target of [index, index.handle, index.id]) assert.equal((await size(target)).size, 2);
  for (const target of ['1', {}, true, NaN]) await assert.rejects(size(target), { name: 'TypeError', message: /target/ });
  for (const target of [-1, 1.5, 2 ** 53, -1n, 1n << 64n, index.id + (1n << 64n)])
    await assert.rejects(size(target), { name: 'RangeError', message: /target/, code: 'ERR_OUT_OF_RANGE' });
  assert.ok((await call('backends.list', undefined, { target: null })).backends);
});

test('options that are null are as if they were not there', async () => {
  const index = await sampleIndex();
  assert.equal(await index.size({}, { signal: null, progress: null, traceId: null, timeout: null }), 2);
  assert.equal(await index.size({}, null), 2);
  await assert.rejects(index.size({}, { progress: 7 }), { name: 'TypeError', message: /progress/ });
  await assert.rejects(index.size({}, { traceId: 7 }), { name: 'TypeError', message: /traceId/ });
  await assert.rejects(index.size({}, { signal: 7 }), { name: 'TypeError', message: /signal/ });
  index.embed = (texts, { signal }) => { assert.equal(signal, undefined); return [[1, 0]]; };
  assert.deepEqual((await index.search({ text: 'a', k: 1 }, { signal: null })).ids, ['a']);
});

test('R274 reasons, time-outs of signals, and signals that are aborted before', async () => {
  const connection = await hang();
  const mine = new Error('changed my mind');
  await assert.rejects(connection.health({ signal: AbortSignal.abort(mine) }), { name: 'AbortError', message: 'changed my mind', reason: mine });
  await assert.rejects(connection.health({ signal: AbortSignal.timeout(50) }), (error) => error.name === 'TimeoutError' && error.cause.code === 'CANCELLED');
  await assert.rejects(connection.health({ signal: {} }), TypeError);
  const index = await sampleIndex();
  await assert.rejects(index.remove({ all: true }, { signal: AbortSignal.abort() }), AbortError);
  assert.equal(await index.size(), 2);
});

test('R274 one signal ends many calls, with one listener, and keeps none', async () => {
  const connection = await hang();
  const controller = new AbortController();
  let listeners = 0;
  const { signal } = controller;
  for (const [name, by] of [['addEventListener', 1], ['removeEventListener', -1]]) {
    const original = signal[name];
    signal[name] = function counted(...all) { listeners += by; return original.apply(this, all); };
  }
  const calls = Array.from({ length: 40 }, () => connection.health({ timeout: Infinity, signal }));
  assert.equal(listeners, 1);
  controller.abort();
  const results = await Promise.allSettled(calls);
  assert.ok(results.every(({ reason }) => reason instanceof AbortError));
  assert.equal(listeners, 0);
});

test('R274 calls that hang hold up neither other calls nor files, names and timers', async () => {
  const connection = await hang();
  const index = await sampleIndex();
  const controller = new AbortController();
  const hanging64 = Array.from({ length: 64 }, () => connection.health({ timeout: Infinity, signal: controller.signal }));
  const begin = performance.now();
  await Promise.all([readFile(import.meta.filename), dns.lookup('localhost'), index.size(), index.search({ vectors: [[1, 0]] })]);
  const took = performance.now() - begin;
  controller.abort();
  await Promise.allSettled(hanging64);
  assert.ok(took < 3000, `${took} ms`);
});

test('the event loop turns while a call works', async () => {
  const index = await session.createIndex({ metric: 'euclidean' });
  const vectors = Float32Array.from({ length: 20_000 * 64 }, (_, i) => Math.sin(i));
  await index.add({ ids: Array.from({ length: 20_000 }, (_, i) => `p${i}`), vectors });
  let turns = 0;
  const timer = setInterval(() => { turns++; }, 1);
  await index.neighbors({ k: 3 });
  clearInterval(timer);
  assert.ok(turns > 10, `${turns} turns`);
});

test('progress is told, and what its function throws ends the call', async () => {
  const index = await session.createIndex({ metric: 'euclidean' });
  const vectors = Float32Array.from({ length: 6000 * 64 }, (_, i) => Math.cos(i));
  await index.add({ ids: Array.from({ length: 6000 }, (_, i) => `p${i}`), vectors });
  const told = [];
  await index.neighbors({ k: 2 }, { progress: (done, total) => told.push([done, total]) });
  assert.ok(told.length > 0 && told.every(([done, total]) => done <= total && total === 6000), JSON.stringify(told));
  const mine = new Error('mine');
  await assert.rejects(index.neighbors({ k: 2 }, { progress: () => { throw mine; } }), (error) => error === mine);
});

test('R277 a closed handle is stale, and closing it again is harmless', async () => {
  const index = await sampleIndex();
  const view = await index.view({ ids: ['a'] });
  const scan = await index.openScan();
  await Promise.all([index.close(), index.close()]);
  await index.close();
  await view.close();
  await scan.close();
  for (const method of ['size', 'info', 'health', 'cleanup', 'get'])
    await assert.rejects(index[method](), StaleHandleError);
  await assert.rejects(scan.next(), StaleHandleError);
  await assert.rejects(call('index.size', undefined, { target: 12345678901234n }), StaleHandleError);
});

test('closing that fails loses nothing', async () => {
  const index = await sampleIndex();
  const { id } = index;
  index.id = 'nobody'; // which the addon refuses
  await assert.rejects(index.close(), { code: 'INVALID_ARGUMENT' });
  index.id = id;
  assert.equal(await index.size(), 2);
  await index.close();
  await assert.rejects(index.size(), StaleHandleError);
});

test('closing beside calls: each is answered or stale', async () => {
  const index = await sampleIndex();
  const calls = Array.from({ length: 200 }, (_, i) => (i === 100 ? index.close() : index.search({ vectors: [[1, 0]], k: 1 })));
  const results = await Promise.allSettled(calls);
  assert.ok(results.every(({ status, reason }) => status === 'fulfilled' || reason instanceof StaleHandleError));
});

test('closing waits for a call that hangs, and is not lost', async () => {
  const connection = await hang();
  const controller = new AbortController();
  const calling = connection.health({ timeout: Infinity, signal: controller.signal }).catch((error) => error.name);
  const closing = connection.close();
  controller.abort();
  await closing;
  assert.equal(await calling, 'AbortError');
});

test('handles close at the end of their block', async () => {
  const index = await sampleIndex();
  await index[Symbol.asyncDispose]();
  await assert.rejects(index.size(), StaleHandleError);
});

test('what cannot be sent is refused before it is', async () => {
  const index = await sampleIndex();
  const refused = (body) => assert.rejects(index.call('index.search', body), InvalidArgumentError);
  await refused({ filter: 'a\ud800' });
  await refused({ k: 1n << 64n });
  await refused({ k: () => 1 });
  await refused({ parameters: new Map() });
  await assert.rejects(index.add({ ids: ['a\ud800', 'é'], vectors: [[1, 0], [1, 1]] }), InvalidArgumentError);
  await assert.rejects(index.search({ vectors: [[1, 0]], k: 2.5 }), InvalidArgumentError);
  assert.equal(await index.size(), 2);
});

test('any key and text, whatever JavaScript makes of it', async () => {
  const index = await session.createIndex({ metric: 'euclidean', dimension: 1 });
  const fields = Object.fromEntries(['__proto__', '__proto__x', 'constructor', 'ü', 'toString'].map((name) => [name, [name]]));
  await index.add({ ids: ['a'], vectors: [[1]], fields });
  const got = await index.get({ fields: true });
  assert.deepEqual(Object.entries(got.fields).sort(), Object.entries(fields).sort());
});

test('what the addon itself refuses has a code and a class as well', async () => {
  const vectors = simplugin.matrix(new Float32Array(1 << 16), 2);
  structuredClone(vectors.data.buffer, { transfer: [vectors.data.buffer] });
  const index = await sampleIndex();
  await assert.rejects(index.search({ vectors }), (error) =>
    error instanceof InvalidArgumentError && error.code === 'INVALID_ARGUMENT' && error.codeNumber === 1 && error.domain === 'node');
});

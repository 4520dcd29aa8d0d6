// SPDX-License-Identifier: Apache-2.0
// Arrays that are taken away, or written to, while calls read them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openSession, program } from './helpers.mjs';

// V8 before 13 changes the size in place, whoever shares the memory
const transfers = ArrayBuffer.prototype.transfer && Number.parseInt(process.versions.v8) >= 13;

/**
 * Adds many points, all of them under way at once, while take(buffer, i) takes the memory of
 * their vectors away; then looks whether what was added is what was given.
 */
async function addWhile(take, { rounds = 4, rows = 1024 } = {}) {
  const { code, signal, stdout, stderr } = await program(`
    import { once } from 'node:events';
    import { Worker } from 'node:worker_threads';
    import { createIndex } from 'simplugin';
    const ROWS = ${rows};
    const DIMENSION = 64;
    const workers = Array.from({ length: 2 }, () => new Worker(\`
      import { parentPort } from 'node:worker_threads';
      parentPort.on('message', (buffer) => {
        if (buffer.byteLength !== \${ROWS * DIMENSION * 4}) throw new Error('not transferred');
        setImmediate(gc); // by then nobody has it
      });
      parentPort.postMessage('ready');\`, { eval: true }));
    await Promise.all(workers.map((worker) => once(worker, 'message')));
    const toWorker = (buffer, i) => workers[i % 2].postMessage(buffer, [buffer]);
    const take = ${take};
    const index = await createIndex({ metric: 'euclidean', dimension: DIMENSION });
    let value = 0;
    for (let round = 0; round < ${rounds}; round++) {
      const calls = [];
      for (let i = 0; i < 32; i++, value++) {
        const vectors = new Float32Array(ROWS * DIMENSION).fill(value);
        calls.push(index.add({ ids: Array.from({ length: ROWS }, (_, j) => value + '/' + j), vectors }));
        take(vectors.buffer, i);
        if (vectors.length) throw new Error('nothing was taken away');
      }
      gc();
      for (const { added } of await Promise.all(calls)) if (added !== ROWS) throw new Error('a wrong answer');
    }
    const { ids, vectors } = await index.get();
    if (ids.length !== value * ROWS) throw new Error('points are missing');
    ids.forEach((id, i) => {
      if (!vectors.row(i).every((one) => one === Number.parseInt(id))) throw new Error(id + ' is ' + vectors.row(i));
    });
    await Promise.all(workers.map((worker) => worker.terminate()));
    console.log('whole');
  `, { flags: ['--expose-gc'], env: { MALLOC_PERTURB_: '165' } });
  assert.deepEqual([code, signal, stdout], [0, null, 'whole\n'], stderr);
}

test('arrays that are transferred to workers during a call stay until it has ended', () => addWhile('toWorker'));

test('arrays that nobody has any more stay as well', () => addWhile('(buffer) => structuredClone(buffer, { transfer: [buffer] })'));

test('so do small ones', () => addWhile('(buffer) => structuredClone(buffer, { transfer: [buffer] })', { rounds: 1, rows: 8 }));

test('transferred by themselves, they stay', { skip: !ArrayBuffer.prototype.transfer }, () => addWhile('(buffer) => buffer.transfer()'));

test('and transferred by themselves, to any size', { skip: !transfers }, () =>
  addWhile('(buffer, i) => (i % 2 ? buffer.transfer() : buffer.transfer(i % 4 ? 8 : 2 * buffer.byteLength))'));

test('and transferred again', { skip: !transfers }, () => addWhile('(buffer) => buffer.transfer().transfer(8)'));

test('offsets may be written to once the call has begun', async () => {
  const session = await openSession();
  const source = await session.createIndex({ metric: 'euclidean', dimension: 1 });
  const ids = Array.from({ length: 3000 }, (_, i) => `p${i}`);
  const lists = ids.map((_, i) => (i % 5 ? Array.from({ length: i % 3 }, (_unused, j) => `${i}/${j}`) : null));
  await source.add({ ids, vectors: Float32Array.from(ids, (_, i) => i), fields: { lists } });
  const target = await session.createIndex({ metric: 'euclidean', dimension: 1 });
  for (let i = 0; i < 20; i++) {
    const { columns, vectors } = await source.get({ fields: true });
    const adding = target.add({ ids: columns.ids, vectors, fields: columns.fields });
    const all = [columns.ids, columns.fields.lists].flatMap(({ tensors }) => [tensors.offsets?.data, tensors.lists?.data, tensors.valid?.bits]);
    for (const data of all) data?.fill(data instanceof BigInt64Array ? 1n << 40n : 0);
    await adding;
  }
  const got = await target.get({ ids, fields: true });
  assert.deepEqual(got.fields.lists, lists);
});

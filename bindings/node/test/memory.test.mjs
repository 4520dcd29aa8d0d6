// SPDX-License-Identifier: Apache-2.0
// Handles and replies that are forgotten, and 10,000 cycles that leave memory as it was.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StaleHandleError, call } from 'simplugin';
import { gc, openSession, program, until } from './helpers.mjs';

const session = await openSession();

async function settle() {
  for (let i = 0; i < 6; i++) {
    gc();
    await new Promise((resolve) => { setTimeout(resolve, 5); });
  }
}

/**
 * In a process that keeps no memory to spare: what it has from a third of the rounds on does not
 * grow. Returns by how many KiB it does.
 */
async function grows(rounds, prepare, round) {
  const { code, stdout, stderr } = await program(`
    import { readFileSync } from 'node:fs';
    import { createIndex, openIndex } from 'simplugin';
    async function rssKib() {
      for (let i = 0; i < 5; i++) {
        gc();
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      return Number(/VmRSS:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
    }
    ${prepare}
    let before;
    for (let i = 0; i < ${rounds}; i++) {
      if (i === ${Math.floor(rounds / 3)}) before = await rssKib();
      ${round}
    }
    console.log(await rssKib() - before);
  `, { flags: ['--expose-gc', '--max-semi-space-size=1'], env: { MALLOC_ARENA_MAX: '1' }, timeout: 290_000 });
  assert.equal(code, 0, stderr);
  return Number(stdout);
}

test('what is forgotten is closed', async () => {
  let index = await session.createIndex({ metric: 'euclidean', dimension: 1 });
  const { handle } = index;
  assert.equal((await call('index.size', undefined, { target: handle })).size, 0);
  index = undefined;
  await until(async () => {
    gc();
    return call('index.size', undefined, { target: handle }).then(() => false, (error) => error instanceof StaleHandleError);
  }, 'the index is closed');
});

test('an index stays while its view or scan is used', async () => {
  async function viewOnly() {
    const index = await session.createIndex({ metric: 'euclidean' });
    await index.add({ ids: ['a'], vectors: [[1]] });
    return [await index.view({ ids: ['a'] }), await index.openScan()];
  }
  const [view, scan] = await viewOnly();
  await settle();
  assert.deepEqual((await view.parent.search({ vectors: [[1]], view })).ids, ['a']);
  assert.deepEqual((await scan.next()).ids, ['a']);
});

test('10,000 times open, search, close', { timeout: 300_000 }, async () => {
  const kib = await grows(10_000, `
    const made = await createIndex({ brain_key: 'loop', metric: 'euclidean' });
    await made.add({ ids: ['a', 'b'], vectors: [[1, 0], [0, 1]], fields: { n: [1, 2] } });
  `, `
    const index = await openIndex({ brain_key: 'loop' });
    const hits = await index.search({ vectors: [[1, 0]], k: 1, fields: true });
    if (hits.ids[0] !== 'a' || hits.fields.n[0] !== 1) throw new Error('a wrong answer');
    await index.close();
  `);
  assert.ok(kib < 5120, `grew by ${kib} KiB`);
});

test('errors, aborted calls, forgotten scans and large replies leave nothing', { timeout: 300_000 }, async () => {
  const kib = await grows(3000, `
    const index = await createIndex({ metric: 'euclidean' });
    await index.add({ ids: Array.from({ length: 500 }, (_, i) => 'p' + i), vectors: new Float32Array(500 * 64) });
  `, `
    const controller = new AbortController();
    const calls = [index.search({ ids: ['nobody'] }), index.get({}, { signal: controller.signal }), index.get(), index.openScan()];
    controller.abort();
    const [, , got, scan] = await Promise.allSettled(calls);
    if (got.value.vectors.rows !== 500) throw new Error('a wrong answer');
    if (i % 2) await scan.value.next();
  `);
  assert.ok(kib < 5120, `grew by ${kib} KiB`);
});

// SPDX-License-Identifier: Apache-2.0
// Text queries, copies, and what else is made of several calls.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AbortError, PromptUnsupportedError, matrix } from 'simplugin';
import { openSession } from './helpers.mjs';

const session = await openSession();
const WORDS = { dog: [1, 0], cat: [0, 1] };

async function pets(options) {
  const index = await session.createIndex({ metric: 'cosine', model: 'words', supports_prompts: true }, options);
  await index.add({ ids: ['rex', 'tom'], vectors: [[1, 0.1], [0.1, 1]] });
  return index;
}

test('R282 text is embedded by the function that was given', async () => {
  const index = await pets({ embed: async (texts) => texts.map((text) => WORDS[text]) });
  assert.deepEqual((await index.search({ text: 'dog', k: 1 })).ids, ['rex']);
  const hits = await index.search({ text: ['cat', 'dog'], k: 1 });
  assert.deepEqual([...hits].map(({ ids }) => ids[0]), ['tom', 'rex']);
});

test('R282 the function may come later, answer in any form, and fail', async () => {
  const index = await pets();
  await assert.rejects(index.search({ text: 'dog' }), (error) => error instanceof PromptUnsupportedError && error.details.model === 'words');
  index.embed = () => Float32Array.of(0, 1);
  assert.deepEqual((await index.search({ text: 'cat', k: 1 })).ids, ['tom']);
  index.embed = (texts) => matrix(Float64Array.from(texts.flatMap((text) => WORDS[text])), 2);
  assert.deepEqual((await index.search({ text: ['dog', 'cat'], k: 1 })).ids, ['rex', 'tom']);
  const mine = new Error('the model is gone');
  index.embed = () => { throw mine; };
  await assert.rejects(index.search({ text: 'dog' }), (error) => error === mine);
});

async function many(brain_key) {
  const index = await session.createIndex({ metric: 'euclidean', brain_key });
  const ids = Array.from({ length: 5000 }, (_, i) => `p${i}`);
  await index.add({ ids, vectors: Float32Array.from({ length: 5000 * 8 }, (_, i) => i % 97), fields: { n: ids.map((_, i) => i) } });
  return index;
}

test('R276 a copy tells how far it is', async () => {
  const source = await many('whole');
  const states = [];
  const progress = (one) => { states.push(one); };
  const { index, state, opened } = await session.copy(source, { brain_key: 'whole_copy' }, { verify: 'all', batch_bytes: 40_000 }, { progress });
  assert.equal(opened.total, 5000);
  assert.equal(state.phase, 'done');
  assert.equal(state.differences, 0);
  assert.equal(states.at(-1), state);
  assert.equal(await index.size(), 5000);
  assert.deepEqual((await index.search({ vectors: [[0, 1, 2, 3, 4, 5, 6, 7]], k: 1, filter: 'n < 3' })).ids, ['p0']);
});

test('R276 a dry run makes nothing', async () => {
  const source = await many('dry');
  const { opened, index } = await session.copy(source, { brain_key: 'never' }, { dry_run: true });
  assert.equal(opened.total, 5000);
  assert.equal(index, undefined);
  await assert.rejects(session.runInfo({ brain_key: 'never' }), { code: 'NOT_FOUND' });
});

test('R276 a copy that was stopped goes on where it was', async () => {
  const source = await many('stopped');
  const target = { brain_key: 'stopped_copy' };
  const copy = await session.openCopy(source, target, { batch_bytes: 4096 });
  let copied = 0;
  while (copied === 0) {
    try {
      ({ copied } = await copy.next({ timeout: 20 }));
    } catch (error) {
      if (error.code !== 'DEADLINE_EXCEEDED') throw error;
    }
  }
  assert.ok(copied < 5000);
  await copy.close();
  await assert.rejects(session.copy(source, target, {}, { signal: AbortSignal.abort() }), AbortError);
  const { state, opened, index } = await session.copy(source, target, { verify: 'all' });
  assert.ok(opened.resumed >= copied);
  assert.equal(state.differences, 0);
  assert.equal(await index.size(), 5000);
});

test('R276 what the progress function throws stops a copy, and it is closed', async () => {
  const source = await many('thrown');
  const mine = new Error('enough');
  await assert.rejects(session.copy(source, { brain_key: 'thrown_copy' }, {}, { progress: () => { throw mine; } }), (error) => error === mine);
  const again = await session.openCopy(source, { brain_key: 'thrown_copy', overwrite: true });
  await again.close();
});

test('R259 capabilities, metrics, explanations', async () => {
  const index = await pets();
  const { metrics, methods } = await index.capabilities();
  assert.ok(metrics.includes('cosine') && Array.isArray(methods));
  assert.match(await session.metrics(), /^# TYPE/m);
  const { values, backend } = await session.explain();
  assert.equal(backend, 'sklearn');
  assert.ok(Array.isArray(values));
  const { backends } = await session.backends();
  assert.ok(backends.some(({ name }) => name === 'milvus'));
});

test('a session closes what was opened in it', async () => {
  const other = await openSession();
  const index = await other.createIndex({ dimension: 2 });
  await other.close();
  await assert.rejects(index.size(), { code: 'STALE_HANDLE' });
  await index.close();
});

// SPDX-License-Identifier: Apache-2.0
// tests/corpus and the truth tables of filters, through the interface of this package: on flat,
// and on the servers that SIMPLUGIN_TEST_MILVUS_URI and SIMPLUGIN_TEST_QDRANT_URL name.
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Session } from 'simplugin';
import { Inexpressible } from './corpus/expand.mjs';
import { load, replyKeys } from './corpus/load.mjs';
import { Tally } from './corpus/native.mjs';
import { lacksOf, runCase } from './corpus/run.mjs';

const source = process.env.SIMPLUGIN_SOURCE ?? join(import.meta.dirname, '../../..');
const installed = process.env.SIMPLUGIN_INSTALLED ?? join(source, 'build/installed');
const { SIMPLUGIN_TEST_MILVUS_URI: milvus, SIMPLUGIN_TEST_QDRANT_URL: qdrant } = process.env;

/** Cases that only a program in C can make, and why. */
const LEFT_OUT = {
  'bad_input.json: an id that is not UTF-8': 'a string always has a UTF-8 form here, or is refused before it is sent',
  'bad_input.json: bodies that are no MessagePack': 'bodies are made of values',
  'bad_input.json: a body that is too large or too deep': 'the size of a body is what it is',
  'bad_input.json: tensors whose sizes overflow or disagree': 'a matrix lies within its array',
};

// what the process's environment says must not decide what a case does
for (const name of Object.keys(process.env)) if (/^(FIFTYONE|SIMPLUGIN)_(?!TEST_)/.test(name)) delete process.env[name];
process.env.HOME = process.env.XDG_DATA_HOME = mkdtempSync(join(tmpdir(), 'simplugin-home-'));

const pluginPath = [join(installed, 'lib/simplugin')];
const cases = load(source);
const tally = new Tally();
const stale = new Set(Object.keys(LEFT_OUT));

async function configOf(backend, parameters) {
  const session = await Session.open({ plugin_path: pluginPath, environment: {} });
  const describe = await session.describe(backend);
  await session.close();
  return { backend, parameters, pluginPath, tally, replyKeys: replyKeys(source), describe, again: 0 };
}

/**
 * Milvus Lite answers what lists or describes collections with errors while another program drops
 * or makes one. Such a case begins anew.
 */
const LITE_RACES = /ShowCollections at .* does not exist|has no metric, as its vectors have no index yet/;

async function runCaseOn(config, one) {
  for (let tries = 0; ; tries++) {
    try {
      return await runCase(config, one);
    } catch (error) {
      const isLite = config.backend === 'milvus' && process.env.SIMPLUGIN_TEST_MILVUS_KIND !== 'standalone';
      if (!isLite || tries === 5 || !LITE_RACES.test(error.message)) throw error;
      config.again++;
    }
  }
}

/** 1 where the case was left out. */
async function caseOf(config, one) {
  const name = `${one.file}: ${one.name}`;
  try {
    await runCaseOn(config, one);
    return 0;
  } catch (error) {
    if (!(error instanceof Inexpressible)) throw error;
    assert.ok(name in LEFT_OUT, `${name} cannot be said here (${error.message}), and is not in LEFT_OUT`);
    stale.delete(name);
    return 1;
  }
}

function corpusOn(backend, parameters, skip) {
  test(`the corpus on ${backend}`, { concurrency: 8, skip }, async (t) => {
    const begin = performance.now();
    const config = await configOf(backend, parameters);
    const applying = cases.filter((one) => !lacksOf(one, config));
    const counts = await Promise.all(applying.map((one) => {
      let leftOut = 0;
      const title = `${(one.requirement ?? []).join(' ')} ${one.file}, ${one.form}: ${one.name}`;
      return t.test(title, async () => { leftOut = await caseOf(config, one); }).then(() => leftOut);
    }));
    const seconds = ((performance.now() - begin) / 1e3).toFixed(1);
    t.diagnostic(`${backend}: ${applying.length} cases in ${seconds} s, ${cases.length - applying.length} not for it, ` +
      `${counts.reduce((a, b) => a + b, 0)} left out: only a program in C can make them` +
      (config.again ? `; cases begun anew, as Milvus Lite answers wrongly beside others: ${config.again}` : ''));
  });
}

corpusOn('sklearn_flat', {});
corpusOn('milvus', { uri: milvus, metric: 'cosine', index_type: 'FLAT' }, milvus ? false : 'no SIMPLUGIN_TEST_MILVUS_URI');
corpusOn('qdrant', { url: qdrant }, qdrant ? false : 'no SIMPLUGIN_TEST_QDRANT_URL');

test('every function of the interface was used, and no case is left out without need', (t) => {
  t.diagnostic(tally.toString());
  assert.deepEqual(tally.unused(), []);
  assert.deepEqual([...stale], []);
});

// SPDX-License-Identifier: Apache-2.0
// Workers that end with calls in flight, processes that end, the log.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { StaleHandleError, call, setLog } from 'simplugin';
import { hangingServer, openSession, pluginPath, program, temporary, until } from './helpers.mjs';

const hanging = await hangingServer();

const WORKER = `
  import { parentPort, workerData } from 'node:worker_threads';
  const { Session } = await import(workerData.module);
  const session = await Session.open(workerData.settings);
  const index = await session.createIndex({ metric: 'euclidean' });
  await index.add({ ids: ['a'], vectors: new Float32Array([1, 2]) });
  const connection = await session.connect('qdrant', { url: workerData.url, timeout_ms: 600000 });
  connection.health({ timeout: Infinity }).catch(() => {});
  for (let i = 0; i < 20; i++) index.search({ vectors: new Float32Array(2), k: 1 }).catch(() => {});
  parentPort.postMessage(index.handle);
  if (workerData.exits) process.exit(0);
`;

function startWorker(exits, more = '') {
  const workerData = {
    exits, module: import.meta.resolve('simplugin'), url: `http://127.0.0.1:${hanging.port}`,
    settings: { data_dir: `${temporary()}/data`, plugin_path: pluginPath, environment: {} },
  };
  return new Worker(new URL(`data:text/javascript,${encodeURIComponent(WORKER + more)}`), { workerData });
}

async function workerLives(exits) {
  const worker = startWorker(exits);
  const exited = once(worker, 'exit');
  const [handle] = await once(worker, 'message');
  if (!exits) await worker.terminate();
  await exited;
  return handle;
}

test('100 workers start, and end with calls in flight', { timeout: 120_000 }, async () => {
  const handles = [];
  for (let i = 0; i < 25; i++) handles.push(...await Promise.all([0, 1, 2, 3].map((j) => workerLives(j % 2 === 0))));
  assert.equal(handles.length, 100);
  // and take with them what they had opened
  for (const target of handles) await assert.rejects(call('index.size', undefined, { target }), StaleHandleError);
});

test('a worker that is too late to close what it had opened takes it along', async () => {
  const worker = startWorker(false, `
    process.on('exit', () => { session.close().catch(() => {}); });
    parentPort.postMessage(session.handle);
    setTimeout(() => process.exit(0), 50);`);
  const exited = once(worker, 'exit');
  const handles = [];
  worker.on('message', (handle) => handles.push(handle));
  await exited;
  const [index, session] = handles;
  await assert.rejects(call('index.size', undefined, { target: index }), StaleHandleError);
  await assert.rejects(call('backends.list', undefined, { target: session }), StaleHandleError);
});

test('an addon that only a worker loaded outlives it', async () => {
  const { code, stderr } = await program(`
    import { Worker } from 'node:worker_threads';
    import { once } from 'node:events';
    const text = 'import(${JSON.stringify(import.meta.resolve('simplugin'))}).then(({ createIndex }) => createIndex()).then((index) => index.cleanup())';
    for (let i = 0; i < 5; i++) await once(new Worker(text, { eval: true }), 'exit');
    await new Promise((resolve) => setTimeout(resolve, 100));
  `);
  assert.equal(code, 0, stderr);
});

test('a process waits for its calls, and ends after the last', async () => {
  const { code, stdout, stderr } = await program(`
    import { createIndex, setLog } from 'simplugin';
    setLog(() => {}, 'debug');
    createIndex().then((index) => index.cleanup()).then(() => console.log('done'));
  `);
  assert.deepEqual([code, stdout], [0, 'done\n'], stderr);
});

test('process.exit with calls in flight and a log function', async () => {
  const { code, signal, stderr } = await program(`
    import { connect, createIndex, setLog } from 'simplugin';
    setLog(() => {}, 'debug');
    const index = await createIndex({ metric: 'cosine' });
    await index.add({ ids: ['a'], vectors: [[1, 0]] });
    const connection = await connect('qdrant', { url: 'http://127.0.0.1:${hanging.port}', timeout_ms: 600000 });
    const other = await connect('milvus', { uri: 'http://127.0.0.1:${hanging.port}', timeout_ms: 600000 });
    for (let i = 0; i < 20; i++) connection.health({ timeout: Infinity }).catch(() => {});
    for (let i = 0; i < 20; i++) other.health({ timeout: Infinity }).catch(() => {});
    for (let i = 0; i < 200; i++) index.search({ vectors: [[1, 0]] }).catch(() => {});
    setTimeout(() => process.exit(7), 50);
  `);
  assert.deepEqual([code, signal], [7, null], stderr);
});

test('a process that exits leaves no thread in the library, and starts no call', async () => {
  const { code, stdout, stderr } = await program(`
    import { call, connect, setLog } from 'simplugin';
    const connection = await connect('qdrant', { url: 'http://127.0.0.1:${hanging.port}', timeout_ms: 600000 });
    for (let i = 0; i < 20; i++) connection.health({ timeout: Infinity }).catch(() => {});
    process.on('exit', () => {
      call('health').catch(() => {});
      try {
        setLog(() => {}, 'debug');
      } catch (error) {
        console.log(error.code, error.message);
      }
    });
    setTimeout(() => { throw new Error('mine'); }, 20);
  `);
  assert.equal(code, 1, stderr);
  assert.match(stderr, /Error: mine/);
  assert.match(stdout, /^CANCELLED .*ending/);
});

test('an error that nobody caught ends the process as ever', async () => {
  const { code, stderr } = await program(`
    import { call } from 'simplugin';
    call('no.such.method');
  `);
  assert.equal(code, 1);
  assert.match(stderr, /UnknownMethodError/);
});

test('R275 a child process has a library of its own', async () => {
  const { code, stdout, stderr } = await program(`
    import { fork } from 'node:child_process';
    import { once } from 'node:events';
    import { writeFileSync } from 'node:fs';
    import { createIndex } from 'simplugin';
    const index = await createIndex({ brain_key: 'shared', metric: 'euclidean' });
    await index.add({ ids: ['a'], vectors: [[1]] });
    const file = process.env.SIMPLUGIN_DATA + '/child.mjs';
    writeFileSync(file, \`
      import { openIndex } from '${import.meta.resolve('simplugin')}';
      process.send(await (await openIndex({ brain_key: 'shared' })).size());
      process.disconnect();\`);
    const child = fork(file, { execArgv: [] });
    const [size] = await once(child, 'message');
    console.log(size, await index.size());
  `);
  assert.deepEqual([code, stdout], [0, '1 1\n'], stderr);
});

test('R278 the log comes to a function, set and taken away beside calls', async () => {
  const session = await openSession();
  const index = await session.createIndex({ metric: 'euclidean', dimension: 1 });
  const lines = [];
  setLog((level, message) => lines.push([level, message]), 'warning');
  await index.remove({ ids: ['nobody'], warn_missing: true });
  await until(() => lines.length > 0, 'a line of the log');
  assert.deepEqual(lines[0][0], 'warning');
  assert.match(lines[0][1], /1/);
  for (let i = 0; i < 200; i++) {
    setLog(i % 2 ? null : () => {}, 'debug');
    index.size().catch(() => {});
  }
  await index.size();
  setLog(null);
  assert.throws(() => setLog(7), TypeError);
  assert.throws(() => setLog(() => {}, 'loud'), TypeError);
});

test('what a log function throws is an uncaught exception, and no call fails', async () => {
  const { code, stdout, stderr } = await program(`
    import { createIndex, setLog } from 'simplugin';
    const thrown = new Promise((resolve) => {
      process.on('uncaughtException', (error) => resolve(console.log(error.message)));
    });
    const index = await createIndex({ metric: 'euclidean', dimension: 1 });
    setLog(() => { throw new Error('mine'); }, 'warning');
    await index.remove({ ids: ['nobody'], warn_missing: true });
    await thrown;
  `);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^mine$/m);
});

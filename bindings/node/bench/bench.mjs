// SPDX-License-Identifier: Apache-2.0
// What a program pays for the calls of bench/bindings.c: bench.mjs ROWS.f32 DIRECTORY
import { openSync, readFileSync, readSync } from 'node:fs';
import { createIndex, matrix } from 'simplugin';

const [rowsPath, directory] = process.argv.slice(2);
const ROWS = 100_000;
const DIMENSION = 512;
const QUERIES = 256;
const CALLS = 1_000_000;
const IN_FLIGHT = 64;

const peakKib = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
const now = () => performance.now();

function readRows() {
  const rows = new Float32Array(ROWS * DIMENSION);
  const file = openSync(rowsPath);
  for (let at = 0, read; at < rows.byteLength; at += read) {
    read = readSync(file, rows, { offset: at });
    if (!read) throw new Error(`${rowsPath} has not ${ROWS} x ${DIMENSION} float32`);
  }
  return rows;
}

async function add(index, vectors) {
  const ids = Array.from({ length: ROWS }, (_, i) => `p${i}`);
  const before = peakKib();
  const begin = now();
  await index.add({ ids, vectors });
  console.log('add_s', ((now() - begin) / 1e3).toFixed(6));
  console.log('peak_kib', peakKib() - before);
}

async function search(index, vectors) {
  const queries = matrix(vectors.subarray(0, QUERIES * DIMENSION), DIMENSION);
  const seconds = [];
  for (let i = 0; i < 20; i++) {
    const begin = now();
    await index.search({ vectors: queries, k: 10 });
    seconds.push((now() - begin) / 1e3);
  }
  console.log('search_s', seconds.sort((a, b) => a - b)[10].toFixed(6));
}

async function nothing(index) {
  let left = CALLS;
  const begin = now();
  await Promise.all(Array.from({ length: IN_FLIGHT }, async () => {
    while (left-- > 0) await index.health();
  }));
  console.log('null_ns', ((now() - begin) / CALLS * 1e6).toFixed(1));
}

process.env.SIMPLUGIN_DATA = directory;
const vectors = readRows();
const index = await createIndex({ backend: 'sklearn', metric: 'cosine' });
await add(index, vectors);
await search(index, vectors);
await nothing(index);
await index.cleanup();
await index.close();

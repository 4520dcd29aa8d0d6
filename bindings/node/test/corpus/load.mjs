// SPDX-License-Identifier: Apache-2.0
// The files of tests/corpus and the truth tables of tests/cases/filter, as cases.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const TOKENS = /"(?:[^"\\]|\\.)*"|-?\d+(\.\d+)?([eE][+-]?\d+)?/g;

/** JSON whose integers are exact, and whose whole floats (1.0) stay floats: {"$float": 1}. */
export function parse(text) {
  const marked = text.replace(TOKENS, (token, fraction, exponent) => {
    if (token[0] === '"') return token;
    const isReal = fraction !== undefined || exponent !== undefined;
    if (isReal) return Number.isInteger(Number(token)) ? `{"$float":${token}}` : token;
    return Number.isSafeInteger(Number(token)) ? token : `{"$integer":"${token}"}`;
  });
  return JSON.parse(marked, (key, value) => (typeof value?.$integer === 'string' ? BigInt(value.$integer) : value));
}

function files(directory) {
  return readdirSync(directory).filter((name) => name.endsWith('.json')).sort()
    .map((name) => ({ name, ...parse(readFileSync(join(directory, name), 'utf8')) }));
}

function corpusCases({ name: file, setups = {}, cases }) {
  return cases.map((one) => ({ ...one, file, steps: [...(one.setup ? setups[one.setup] : []), ...one.steps] }));
}

/* ---- filters ---- */

function tableValue(value) {
  if (Array.isArray(value)) return value.map(tableValue);
  if (value === null || typeof value !== 'object') return value;
  if ('int64' in value) return Number.isSafeInteger(Number(value.int64)) ? Number(value.int64) : BigInt(value.int64);
  if (!('float64' in value)) return value;
  return { $float: { NaN: 'nan', Infinity: 'inf', '-Infinity': '-inf' }[value.float64] ?? Number(value.float64) };
}

function filterSteps({ filter, ids, error }) {
  const search = { call: 'index.search', target: '$ix', body: { vectors: [[0]], k: 100, filter } };
  if (error)
    return [{ ...search, error: { code: error.code, details: { argument: 'filter' }, message_contains: [`column ${error.column}`] } }];
  return [{ ...search, expect: { ids: { $set: ids } } },
    { call: 'index.size', target: '$ix', body: { filter }, expect: { size: ids.length } }];
}

function filterCase({ name, types, rows, cases, needs }) {
  const fields = Object.fromEntries(Object.entries(types).map(([field, type]) =>
    [field, { $column: { type, values: rows.map((row) => tableValue(row.fields[field] ?? null)) } }]));
  const steps = [{ call: 'index.create', body: { dimension: 1, metric: 'euclidean' }, bind: { index: 'ix' } }];
  if (rows.length)
    steps.push({ call: 'index.add', target: '$ix', body: { ids: rows.map(({ id }) => id), vectors: rows.map((_, i) => [i]), fields } });
  return {
    file: `filter/${name}`, name: `filters of ${name}`, requirement: ['R266', 'R211', 'R213'], needs,
    steps: [...steps, ...cases.flatMap(filterSteps)],
  };
}

/** All cases, each in the forms in which it is to run. */
export function load(source) {
  const all = [...files(join(source, 'tests/corpus')).flatMap(corpusCases), ...files(join(source, 'tests/cases/filter')).map(filterCase)];
  return all.flatMap((one) => ['plain', 'columns'].filter((form) => (one.form ?? form) === form).map((form) => ({ ...one, form })));
}

/** Method -> the keys of its replies, from the table of docs/protocol.md. */
export function replyKeys(source) {
  const text = readFileSync(join(source, 'docs/protocol.md'), 'utf8').split('<!-- table: application -->')[1];
  const rows = text.split('\n').filter((line) => line.startsWith('| `'));
  const end = rows.findIndex((line) => line.startsWith('| `metrics.render`'));
  const cells = rows.slice(0, end + 1).map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')));
  const keys = new Map(cells.map(([, method, , , reply]) => [method, reply]));
  return (method) => {
    let words = keys.get(method);
    while (words?.startsWith('as ') && keys.has(words.slice(3))) words = keys.get(words.slice(3));
    return words === undefined || words.startsWith('as ') ? undefined : words.split(' ').filter(Boolean);
  };
}

// SPDX-License-Identifier: Apache-2.0
// What a case expects of a value, and the matchers that say it less strictly.
import { isDeepStrictEqual } from 'node:util';
import { floatOf, notation } from './expand.mjs';

const TOLERANCE = 1e-4;

export class Mismatch extends Error {}

function show(value) {
  const text = JSON.stringify(value, (key, one) => (typeof one === 'bigint' ? `${one}` : one)) ?? 'nothing';
  return text.length > 400 ? `${text.slice(0, 400)}...` : text;
}

function mismatch(path, expected, actual) {
  throw new Mismatch(`${path || 'reply'}: expected ${show(expected)}, got ${show(actual)}`);
}

export function matches(expected, actual) {
  try {
    match(expected, actual, '');
    return true;
  } catch (error) {
    if (error instanceof Mismatch) return false;
    throw error;
  }
}

function sameSet(expected, actual) {
  const left = [...actual];
  return expected.length === left.length && expected.every((one) => {
    const at = left.findIndex((other) => matches(one, other));
    if (at >= 0) left.splice(at, 1);
    return at >= 0;
  });
}

const isNumber = (value) => typeof value === 'number' || typeof value === 'bigint';

const matchers = {
  $absent: (argument, actual) => actual === undefined,
  $any: (argument, actual) => actual !== undefined,
  $set: (argument, actual) => Array.isArray(actual) && sameSet(argument, actual),
  $count: (argument, actual) => Array.isArray(actual) && actual.length === argument,
  $between: ([low, high], actual) => isNumber(actual) && actual >= plain(low) && actual <= plain(high),
  $containing: (argument, actual) => typeof actual === 'string' && actual.includes(argument),
  $not: (argument, actual) => actual !== undefined && !isDeepStrictEqual(argument, actual),
  $contains: (argument, actual) => Array.isArray(actual) && argument.every((one) => actual.some((other) => matches(one, other))),
  $lacks: (argument, actual) => Array.isArray(actual) && !argument.some((one) => actual.some((other) => matches(one, other))),
};

function plain(value) {
  const [name, argument] = notation(value);
  return name === '$float' ? floatOf(argument) : value;
}

function near(expected, actual) {
  if (Number.isNaN(expected) || Number.isNaN(actual)) return Number.isNaN(expected) && Number.isNaN(actual);
  if (!Number.isFinite(expected)) return expected === actual;
  return Math.abs(expected - Number(actual)) <= TOLERANCE * Math.max(1, Math.abs(expected));
}

/** Whole numbers are equal, floats near each other. */
function numbersMatch(expected, isFloat, actual) {
  if (!isFloat && Number.isInteger(Number(expected)) && (typeof actual === 'bigint' || Number.isInteger(actual)))
    return expected == actual; // eslint-disable-line eqeqeq -- 1n == 1
  return near(Number(expected), actual);
}

function matchArrays(expected, actual, path) {
  if (!Array.isArray(actual) || actual.length !== expected.length) mismatch(path, expected, actual);
  expected.forEach((one, i) => match(one, actual[i], `${path}[${i}]`));
}

function matchMaps(expected, actual, path) {
  if (actual === null || typeof actual !== 'object' || Array.isArray(actual)) mismatch(path, expected, actual);
  for (const [key, one] of Object.entries(expected)) match(one, actual[key], path ? `${path}.${key}` : key);
}

export function match(expected, actual, path) {
  const [name, argument] = notation(expected);
  const value = plain(expected);
  if (matchers[name]) {
    if (!matchers[name](argument, actual)) mismatch(path, expected, actual);
  } else if (expected === null) {
    if (actual !== null && actual !== undefined) mismatch(path, expected, actual);
  } else if (isNumber(value)) {
    if (!isNumber(actual) || !numbersMatch(value, name === '$float', actual)) mismatch(path, expected, actual);
  } else if (Array.isArray(value)) {
    matchArrays(value, actual, path);
  } else if (typeof value === 'object') {
    matchMaps(value, actual, path);
  } else if (value !== actual) {
    mismatch(path, expected, actual);
  }
}

/** One list for each query, of [id, distance] or ids. */
export function matchHits(expected, { offsets, ids, distances }) {
  if (offsets.length !== expected.length + 1) mismatch('offsets', expected, offsets);
  expected.forEach((list, q) => {
    const found = ids.slice(offsets[q], offsets[q + 1]);
    const named = list.map((one) => (Array.isArray(one) ? one[0] : one));
    if (!isDeepStrictEqual(named, found)) mismatch(`hits of query ${q}`, named, found);
    list.forEach((one, i) => {
      if (Array.isArray(one)) match(one[1], distances[offsets[q] + i], 'hits.distances');
    });
  });
}

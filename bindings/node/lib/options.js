// SPDX-License-Identifier: Apache-2.0
// How to make a call: its options, checked. Errors are as those of Node's own functions.

function wrongType(name, expected) {
  return Object.assign(new TypeError(`${name} is ${expected}`), { code: 'ERR_INVALID_ARG_TYPE' });
}

function outOfRange(name, expected, value) {
  return Object.assign(new RangeError(`${name} is ${expected}, not ${value}`), { code: 'ERR_OUT_OF_RANGE' });
}

const TIMEOUT = 'a whole number of milliseconds from 0 on, or Infinity';

/** As the library takes it; a bigint as it is. */
function timeoutOf(timeout) {
  if (timeout === undefined) return undefined;
  if (typeof timeout === 'bigint') {
    if (BigInt.asIntN(64, timeout) !== timeout) throw outOfRange('timeout', 'at most 63 bits', timeout);
    return timeout;
  }
  if (typeof timeout !== 'number' || Number.isNaN(timeout)) throw wrongType('timeout', TIMEOUT);
  if (timeout === Infinity) return -1;
  if (!Number.isSafeInteger(timeout) || timeout < 0) throw outOfRange('timeout', TIMEOUT, timeout);
  return Math.max(1, timeout); // a time that has run out is neither the default nor none
}

/** Null is as if it were not there. */
export function checked(options) {
  const timeout = timeoutOf(options.timeout ?? undefined);
  const signal = options.signal ?? undefined;
  const progress = options.progress ?? undefined;
  const traceId = options.traceId ?? undefined;
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw wrongType('signal', 'an AbortSignal');
  if (progress !== undefined && typeof progress !== 'function') throw wrongType('progress', 'a function');
  if (traceId !== undefined && typeof traceId !== 'string') throw wrongType('traceId', 'a string');
  return { timeout, signal, progress, traceId };
}

const TARGET = 'a handle or its number';

/** The number of a handle. */
export function handleOf(target) {
  if (typeof target === 'bigint') {
    if (BigInt.asUintN(64, target) !== target) throw outOfRange('target', TARGET, target);
    return target;
  }
  if (typeof target !== 'number' || Number.isNaN(target)) throw wrongType('target', TARGET);
  if (!Number.isSafeInteger(target) || target < 0) throw outOfRange('target', TARGET, target);
  return BigInt(target);
}

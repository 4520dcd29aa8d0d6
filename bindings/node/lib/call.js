// SPDX-License-Identifier: Apache-2.0
// Calls in flight: what they read is kept here until the addon says that they have ended.
import { init } from './addon.js';
import { AbortError } from './errors.js';
import { errorOf } from './failure.js';
import { logDeliver } from './log.js';
import { checked } from './options.js';
import { decodeReply } from './reply.js';
import { encodeBody } from './request.js';

const calls = []; // by slot
const slotsFree = [];

/** What the addon itself fails with is an error like those of the library. */
const failed = (codeNumber, code, message) => errorOf(codeNumber, code, [message, 'node', 0, '', false]);

// Electron's V8 is built with another C++ library than the addon, which cannot share memory with it
export const addon = init(deliver, failed, !process.versions.electron);

// no thread is left in the library when the process tears it down
process.on('exit', () => addon.end());

function deliver(results, progress, lines) {
  if (progress) for (let i = 0; i < progress.length; i += 3) tell(calls[progress[i]], progress[i + 1], progress[i + 2]);
  for (let i = 0; i < results.length; i += 4) {
    const slot = results[i];
    const call = calls[slot];
    calls[slot] = undefined;
    slotsFree.push(slot);
    call.code = results[i + 1];
    call.body = results[i + 2];
    call.replyTensors = results[i + 3];
    call.resolve(call);
  }
  if (lines) logDeliver(lines);
}

/** What a progress function throws ends its call. */
function tell(call, done, total) {
  try {
    call.options.progress(done, total);
  } catch (error) {
    call.thrown ??= { error };
    addon.cancel(call.token);
  }
}

/** Which token the call carries: the shared one, its own, or its own that is fired already (src/call.c). */
function tokenOf(signal, progress) {
  if (signal?.aborted) return 2;
  return signal !== undefined || progress !== undefined ? 1 : 0;
}

/** Resolves once the library has answered. */
function begin(call) {
  const { target, method, request, options } = call;
  const { timeout, signal, progress, traceId } = options;
  return new Promise((resolve) => {
    const slot = slotsFree.length ? slotsFree.pop() : calls.length;
    call.resolve = resolve;
    calls[slot] = call;
    try {
      call.token = addon.start(slot, target, method, request?.body, request?.tensors, timeout,
        tokenOf(signal, progress), traceId, progress !== undefined);
    } catch (error) {
      calls[slot] = undefined;
      slotsFree.push(slot);
      throw error;
    }
  });
}

/** signal -> its calls under way: one listener for all of them, or Node warns of a leak. */
const signalled = new WeakMap();

function abort({ target: signal }) {
  for (const { token } of signalled.get(signal)) addon.cancel(token);
}

/** The same, with the signal that may end it. */
async function beginWith(signal, call) {
  const ending = begin(call);
  if (!signalled.has(signal)) signalled.set(signal, new Set());
  const all = signalled.get(signal);
  if (all.size === 0) signal.addEventListener('abort', abort);
  all.add(call);
  try {
    await ending;
  } finally {
    all.delete(call);
    if (all.size === 0) signal.removeEventListener('abort', abort);
  }
}

function failure({ code, body, options }) {
  const error = errorOf(code, addon.codeName(code), body);
  return error.code === 'CANCELLED' && options.signal?.aborted ? new AbortError(options.signal.reason, error) : error;
}

const NONE = Object.freeze(checked({}));

/**
 * Calls a method on a handle. `keep` lives until the call has ended.
 * @param {bigint} target
 * @param {string | undefined} method undefined closes the handle
 */
export async function invoke(target, method, body, options = undefined, keep = undefined) {
  const request = body === undefined ? undefined : encodeBody(body);
  const call = {
    target, method, request, options: options ? checked(options) : NONE, keep,
    source: body, // handles in it, such as a view, stay open
    resolve: undefined, token: undefined, thrown: undefined, code: 0, body: undefined, replyTensors: undefined,
  };
  const { signal } = call.options;
  if (signal === undefined) await begin(call);
  else await beginWith(signal, call);
  if (call.thrown) throw call.thrown.error;
  if (call.code !== 0) throw failure(call);
  return call;
}

/** The same, and its reply decoded. */
export async function invokeDecoded(target, method, body, options, keep, Shape) {
  if (typeof method !== 'string') throw new TypeError('the name of a method is a string');
  const { body: bytes, replyTensors } = await invoke(target, method, body, options, keep);
  return decodeReply(bytes, replyTensors, Shape);
}

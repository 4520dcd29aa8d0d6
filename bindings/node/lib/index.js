// SPDX-License-Identifier: Apache-2.0
import { addon, invokeDecoded } from './call.js';
import { Handle } from './handle.js';
import { logSet } from './log.js';
import { handleOf } from './options.js';
import { defaultSession } from './session.js';

export { Column, column } from './column.js';
export { Connection } from './connection.js';
export { Copy } from './copy.js';
export * from './errors.js';
export { Handle } from './handle.js';
export { Hits } from './hits.js';
export { Index } from './index_handle.js';
export { Matrix, matrix } from './matrix.js';
export { Reply } from './reply.js';
export { Scan } from './scan.js';
export { Session } from './session.js';
export { View } from './view.js';

/** The version of the library in use. */
export const version = addon.version();

/* ---- the default session ---- */

export const createIndex = (body, options) => defaultSession.createIndex(body, options);
export const openIndex = (body, options) => defaultSession.openIndex(body, options);
export const loadRun = (body, options) => defaultSession.loadRun(body, options);
export const listRuns = (body, options) => defaultSession.listRuns(body, options);
export const runInfo = (body, options) => defaultSession.runInfo(body, options);
export const renameRun = (body, options) => defaultSession.renameRun(body, options);
export const deleteRun = (body, options) => defaultSession.deleteRun(body, options);
export const connect = (backend, parameters, options) => defaultSession.connect(backend, parameters, options);
export const resolve = (body, options) => defaultSession.resolve(body, options);
export const explain = (body, options) => defaultSession.explain(body, options);
export const backends = (options) => defaultSession.backends(options);
export const describe = (backend, options) => defaultSession.describe(backend, options);
export const metrics = (options) => defaultSession.metrics(options);
export const openCopy = (source, target, body, options) => defaultSession.openCopy(source, target, body, options);
export const copy = (source, target, body, options) => defaultSession.copy(source, target, body, options);

/** Any method of docs/protocol.md; on the default session, or on the handle that `target` names. */
export async function call(method, body, { target, ...options } = {}) {
  const keep = target instanceof Handle ? target : undefined;
  return invokeDecoded(keep ? keep.id : handleOf(target ?? 0n), method, body, options, keep);
}

/** The log of the process: fn(level, message) gets what is up to level; null: the default again. */
export function setLog(fn, level = 'warning') {
  logSet(addon, fn, level);
}

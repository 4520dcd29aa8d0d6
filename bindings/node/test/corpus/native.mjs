// SPDX-License-Identifier: Apache-2.0
// Which function of the package makes the call of a step, and its result as the reply it was.
import { Connection, Copy, Index, Matrix, Scan, Session, View, call } from 'simplugin';


/** As plain JSON: tensors of one column as arrays, others as arrays of arrays. */
export function plain(value) {
  if (value instanceof Matrix) return Array.from(value, (row) => Array.from(row));
  if (ArrayBuffer.isView(value)) return Array.from(value);
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
}

const same = (result) => plain(result ?? {});
const opened = ({ opened: reply }) => plain(reply);
const nothing = () => ({});

/** method: [class of the target, call, result -> reply, does the body fit?] */
const routes = {
  'session.open': [Session, (s, body, o) => Session.open(body, o), (s) => ({ session: s.handle })],
  'session.close': [Session, (s) => s.close(), nothing],
  'config.resolve': [Session, (s, body, o) => s.resolve(body, o), same],
  'config.explain': [Session, (s, body, o) => s.explain(body, o), same],
  'backends.list': [Session, (s, body, o) => s.backends(o), same],
  'backends.describe': [Session, (s, { backend }, o) => s.describe(backend, o), same, (b) => only(b, 'backend')],
  'connection.open': [Session, (s, body, o) => s.connect(body?.backend, body?.parameters, o),
    (c) => ({ connection: c.handle, backend: c.backend }), (b) => only(b, 'backend', 'parameters')],
  'connection.close': [Connection, (c) => c.close(), nothing],
  'index.create': [Session, (s, body, o) => s.createIndex(body, o), opened],
  'index.open': [Session, (s, body, o) => s.openIndex(body, o), opened],
  'index.close': [Index, (x) => x.close(), nothing],
  'index.info': [Index, (x, body, o) => x.info(o), same, empty],
  'index.add': [Index, (x, body, o) => x.add(body, o), same],
  'index.set_fields': [Index, (x, body, o) => x.setFields(body, o), same],
  'index.remove': [Index, (x, body, o) => x.remove(body, o), same],
  'index.get': [Index, (x, body, o) => x.get(body, o), same],
  'index.search': [Index, (x, body, o) => x.search(body, o), same],
  'index.radius': [Index, (x, body, o) => x.radius(body, o), same],
  'index.neighbors': [Index, (x, body, o) => x.neighbors(body, o), same],
  'index.duplicates': [Index, (x, body, o) => x.duplicates(body, o), same],
  'index.unique': [Index, (x, body, o) => x.unique(body, o), same],
  'index.size': [Index, (x, body, o) => x.size(body, o), (size) => ({ size })],
  'index.cleanup': [Index, (x, body, o) => x.cleanup(o), same, empty],
  'index.check': [Index, (x, body, o) => x.check(o), same, empty],
  'index.compact': [Index, (x, body, o) => x.compact(o), same, empty],
  'index.backup': [Index, (x, { path }, o) => x.backup(path, o), same, (b) => only(b, 'path')],
  'view.create': [Index, (x, body, o) => x.view(body, o), (v) => ({ view: v.handle, known: v.known })],
  'view.close': [View, (v) => v.close(), nothing],
  'scan.open': [Index, (x, body, o) => x.openScan(body, o), (s) => ({ scan: s.handle })],
  'scan.next': [Scan, (s, body, o) => s.next(o), same, empty],
  'scan.close': [Scan, (s) => s.close(), nothing],
  'runs.list': [Session, (s, body, o) => s.listRuns(body, o), (runs) => ({ runs: plain(runs) })],
  'runs.info': [Session, (s, body, o) => s.runInfo(body, o), same],
  'runs.load': [Session, (s, body, o) => s.loadRun(body, o), opened],
  'runs.rename': [Session, (s, body, o) => s.renameRun(body, o), same],
  'runs.delete': [Session, (s, body, o) => s.deleteRun(body, o), same],
  'copy.open': [Session, (s, { source, target, ...more }, o) => s.openCopy(source, target, more, o),
    (c) => plain(c instanceof Copy ? c.opened : c)],
  'copy.next': [Copy, (c, body, o) => c.next(o), same, empty],
  'copy.close': [Copy, (c) => c.close(), nothing],
  'metrics.render': [Session, (s, body, o) => s.metrics(o), (text) => ({ text }), empty],
  'health of an index': [Index, (x, body, o) => x.health(o), same, empty],
  'health of a connection': [Connection, (c, body, o) => c.health(o), same, empty],
  'backend.call of an index': [Index, (x, { method, body }, o) => x.backendCall(method, body, o), same, isBackendCall],
  'backend.call of a connection': [Connection, (c, { method, body }, o) => c.backendCall(method, body, o), same, isBackendCall],
};

function empty(body) {
  return body === undefined || Object.keys(body).length === 0;
}

function isBackendCall(body) {
  return typeof body?.method === 'string' && only(body, 'method', 'body');
}

function only(body, ...keys) {
  return Object.keys(body ?? {}).every((key) => keys.includes(key));
}

/** How many steps went which way. */
export class Tally {
  native = new Map(Object.keys(routes).map((method) => [method, 0]));
  generic = new Map();

  add(map, method) {
    map.set(method, (map.get(method) ?? 0) + 1);
  }

  unused() {
    return [...this.native].filter(([, count]) => count === 0).map(([method]) => method);
  }

  toString() {
    const sum = (map) => [...map.values()].reduce((a, b) => a + b, 0);
    return `${sum(this.native)} steps by ${this.native.size} functions of the interface, ${sum(this.generic)} by the generic call`;
  }
}

function routeOf(method, target, body, fails) {
  const key = Object.keys(routes).find((name) => (name === method || name.startsWith(`${method} of `)) && target instanceof routes[name][0]);
  const fits = key && (routes[key][3] ?? (() => true))(body);
  // close() is harmless where the protocol's would fail
  return fits && !(fails && method.endsWith('.close')) ? key : undefined;
}

/** [reply, what was opened]. target: an object of the package, or a number. */
export async function callStep(tally, method, target, body, options, fails) {
  const key = routeOf(method, target, body, fails);
  if (!key) {
    tally.add(tally.generic, method);
    // a number that no handle has is negative in the corpus
    const on = typeof target === 'number' ? BigInt.asUintN(64, BigInt(target)) : target;
    return [plain(await call(method, body, { ...options, target: on })), undefined];
  }
  tally.add(tally.native, key);
  const [, invoke, reply] = routes[key];
  const result = await invoke(target, body, options);
  return [reply(result), result];
}


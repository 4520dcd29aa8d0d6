// SPDX-License-Identifier: Apache-2.0
import { invokeDecoded } from './call.js';
import { backendCall } from './connection.js';
import { Handle } from './handle.js';
import { Hits } from './hits.js';
import { points } from './request.js';
import { Scan } from './scan.js';
import { View } from './view.js';

/** One collection of a backend under a metric. `opened` is the reply of the call that opened it. */
export class Index extends Handle {
  constructor(opened, session, embed) {
    super(BigInt(opened.index), session);
    this.opened = opened;
    /** Makes vectors of texts: for searches by text. */
    this.embed = embed;
  }

  get backend() {
    return this.opened.backend;
  }

  get collection_name() {
    return this.opened.collection_name;
  }

  async add(body, options) {
    return this.call('index.add', points(body, body?.ids?.length), options);
  }

  async setFields(body, options) {
    return this.call('index.set_fields', points(body), options);
  }

  async remove(body, options) {
    return this.call('index.remove', points(body), options);
  }

  async get(body, options) {
    return this.call('index.get', points(body), options);
  }

  /** By vectors, ids or text. */
  async search(body, options) {
    return this.#hits('index.search', await this.#embedded(body, options), options);
  }

  async radius(body, options) {
    return this.#hits('index.radius', body, options);
  }

  neighbors(body, options) {
    return this.call('index.neighbors', body, options);
  }

  duplicates(body, options) {
    return this.call('index.duplicates', body, options);
  }

  unique(body, options) {
    return this.call('index.unique', body, options);
  }

  async size(body, options) {
    return (await this.call('index.size', body, options)).size;
  }

  info(options) {
    return this.call('index.info', undefined, options);
  }

  /** What its backend is and can do. */
  capabilities(options) {
    return this.parent.describe(this.backend, options);
  }

  async view(body, options) {
    return new View(await this.call('view.create', points(body), options), this);
  }

  async openScan(body, options) {
    return new Scan(await this.call('scan.open', body, options), this, options);
  }

  /** Pages of points; options are those of each call. */
  async* scan(body, options) {
    yield* await this.openScan(body, options);
  }

  /** The same, point by point. */
  async* rows(body, options) {
    yield* (await this.openScan(body, options)).rows();
  }

  cleanup(options) {
    return this.call('index.cleanup', undefined, options);
  }

  check(options) {
    return this.call('index.check', undefined, options);
  }

  compact(options) {
    return this.call('index.compact', undefined, options);
  }

  backup(path, options) {
    return this.call('index.backup', { path }, options);
  }

  health(options) {
    return this.call('health', undefined, options);
  }

  backendCall(method, body, options) {
    return backendCall(this, method, body, options);
  }

  async #embedded(body, options) {
    const text = body?.text;
    if (!this.embed || text === undefined || text === null) return body;
    const texts = Array.isArray(text) ? text : [text];
    return { ...body, text: undefined, vectors: await this.embed(texts, { signal: options?.signal ?? undefined }) };
  }

  #hits(method, body, options) {
    return invokeDecoded(this.id, method, points(body), options, this, Hits);
  }
}

// SPDX-License-Identifier: Apache-2.0
import { Connection } from './connection.js';
import { Copy } from './copy.js';
import { Handle } from './handle.js';
import { Index } from './index_handle.js';

/** Configuration, data directory and plugin path; the default one follows the environment. */
export class Session extends Handle {
  static async open(body, options) {
    return new Session((await defaultSession.call('session.open', body, options)).session);
  }

  constructor(id) {
    super(BigInt(id));
  }

  async createIndex(body, { embed, ...options } = {}) {
    return new Index(await this.call('index.create', body, options), this, embed);
  }

  async openIndex(body, { embed, ...options } = {}) {
    return new Index(await this.call('index.open', body, options), this, embed);
  }

  async loadRun(body, { embed, ...options } = {}) {
    return new Index(await this.call('runs.load', body, options), this, embed);
  }

  async listRuns(body, options) {
    return (await this.call('runs.list', body, options)).runs;
  }

  runInfo(body, options) {
    return this.call('runs.info', body, options);
  }

  async renameRun(body, options) {
    await this.call('runs.rename', body, options);
  }

  async deleteRun(body, options) {
    await this.call('runs.delete', body, options);
  }

  async connect(backend, parameters, options) {
    return new Connection(await this.call('connection.open', { backend, parameters }, options), this);
  }

  resolve(body, options) {
    return this.call('config.resolve', body, options);
  }

  explain(body, options) {
    return this.call('config.explain', body, options);
  }

  backends(options) {
    return this.call('backends.list', undefined, options);
  }

  describe(backend, options) {
    return this.call('backends.describe', { backend }, options);
  }

  async metrics(options) {
    return (await this.call('metrics.render', undefined, options)).text;
  }

  /** A copy to be stepped; with dry_run only what it would do. */
  async openCopy(source, target, body, options) {
    const opened = await this.call('copy.open', { source, target, ...body }, options);
    return opened.copy === undefined ? opened : new Copy(opened, new Index(opened, this), this);
  }

  /** All points of source into a new index: that, and the last state of the copy. */
  async copy(source, target, body, { progress, ...options } = {}) {
    const copy = await this.openCopy(source, target, body, options);
    if (!(copy instanceof Copy)) return { opened: copy, index: undefined, state: undefined };
    let index = copy.index;
    try {
      const state = await copy.finish({ ...options, progress });
      const done = { opened: copy.opened, index, state };
      index = undefined;
      return done;
    } finally {
      await copy.close();
      await index?.close();
    }
  }
}

export const defaultSession = new Session(0n);

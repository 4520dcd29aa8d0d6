// SPDX-License-Identifier: Apache-2.0
// One case on one backend.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AbortError, Connection, Copy, Index, Scan, Session, SimpluginError, View, call } from 'simplugin';
import { Inexpressible, expand, make } from './expand.mjs';
import { match, matchHits, matches } from './match.mjs';
import { callStep, plain } from './native.mjs';

let number = 0;

class Runner {
  constructor(config, one) {
    this.config = config;
    this.one = one;
    this.indexes = [];
    this.objects = new Map(); // handle -> object of the package
    this.directory = mkdtempSync(join(tmpdir(), 'simplugin-corpus-'));
    chmodSync(this.directory, 0o700);
    this.scope = {
      variables: {}, directory: this.directory, pluginPath: config.pluginPath, backend: config.backend,
      unique: `${process.pid}_${++number}`,
    };
  }

  async open() {
    const { backend, parameters } = this.config;
    const brain = { default_similarity_backend: backend, similarity_backends: { [backend]: parameters } };
    for (const [name, content] of Object.entries({ 'brain_config.json': brain, ...this.one.files })) {
      const expanded = make(expand(this.scope, content, false), 'plain');
      writeFileSync(join(this.directory, name), typeof expanded === 'string' ? expanded : JSON.stringify(expanded));
    }
    this.session = await Session.open({
      config_path: join(this.directory, 'brain_config.json'), data_dir: join(this.directory, 'data'), environment: {},
      plugin_path: this.config.pluginPath, ...make(expand(this.scope, this.one.session ?? {}, false), 'plain'),
    });
  }

  /** An object where the package has one for the handle, else the number. */
  target(name = 'session') {
    if (name === 'session') return this.session;
    if (name === 'default') return 0;
    const handle = typeof name === 'string' ? this.scope.variables[name.replace('$', '')] : name;
    if (handle === undefined) throw new Error(`no handle "${name}"`);
    return this.objects.get(handle) ?? handle;
  }

  remember(step, reply, object) {
    for (const [key, name] of Object.entries(step.bind ?? {})) if (key in reply) this.scope.variables[name] = reply[key];
    if (object instanceof Index) this.indexes.push(object);
    if (object instanceof Copy) this.objects.set(object.index.handle, object.index);
    if ([Session, Connection, Index, View, Scan, Copy].some((Class) => object instanceof Class)) this.objects.set(object.handle, object);
  }

  /** Handles as the objects they are, in the places where programs pass these. */
  withObjects(body) {
    if (!body) return body;
    const all = { ...body };
    for (const key of ['view', 'source']) if (this.objects.has(all[key])) all[key] = this.objects.get(all[key]);
    return all;
  }

  async callStep(step) {
    const { config } = this;
    if (step.raw) throw new Inexpressible('a body of bytes');
    const lacks = step.without_method && !config.describe.methods.includes(step.without_method.method);
    const failure = lacks ? step.without_method.error : step.error;
    const expanded = expand(this.scope, step.body, false);
    // as it stands: a number would be at least 1
    const timeout = step.timeout_ms < 0 ? BigInt(step.timeout_ms) : step.timeout_ms;
    const options = { timeout, ...(step.cancelled ? { signal: AbortSignal.abort() } : {}) };
    let reply;
    let object;
    try {
      const body = this.withObjects(step.body === undefined ? undefined : make(expanded, this.one.form));
      [reply, object] = await callStep(config.tally, step.call, this.target(step.target), body, options, failure !== undefined);
    } catch (error) {
      if (!failure || !(error instanceof SimpluginError || error instanceof AbortError)) throw error;
      this.errorMatches(failure, error instanceof AbortError ? error.cause : error);
      return !lacks;
    }
    if (failure) throw new Error('succeeded where an error was expected');
    this.remember(step, reply, object);
    this.keysDocumented(step.call, reply);
    this.replyMatches(step, reply);
    return true;
  }

  keysDocumented(method, reply) {
    const known = this.config.replyKeys(method);
    const unknown = known && Object.keys(reply).find((key) => !known.includes(key));
    if (unknown) throw new Error(`docs/protocol.md does not list the reply's key "${unknown}"`);
  }

  errorMatches(failure, error) {
    const expected = expand(this.scope, failure, true);
    const fail = (why) => { throw new Error(`${why} (${error.code}: ${error.message})`, { cause: error }); };
    if (![expected.code].flat().includes(error.code)) fail(`expected the error ${expected.code}`);
    if (!error.message || error.message.includes('\n') || !error.domain) fail('an error has a message of one line and a domain');
    for (const [key, value] of Object.entries(expected.details ?? {}))
      if (!matches(value, error.details[key])) fail(`no such detail "${key}": ${JSON.stringify(error.details)}`);
    for (const part of expected.message_contains ?? []) if (!error.message.includes(part)) fail(`the message does not say "${part}"`);
    for (const part of expected.message_lacks ?? []) if (error.message.includes(part)) fail(`the message says "${part}"`);
    if (expected.retryable !== undefined && expected.retryable !== error.retryable) fail('the wrong retryable');
  }

  replyMatches(step, reply) {
    if (step.expect) {
      const expected = expand(this.scope, step.expect, true);
      if (step.call === 'index.add') this.countsAdapt(expected, reply);
      match(expected, reply, '');
    }
    if (step.hits) matchHits(expand(this.scope, step.hits, true), reply);
  }

  /** Where the backend cannot know how many were replaced, all that were written count as added. */
  countsAdapt(expected, reply) {
    if (this.config.describe.counts_replaced === true || !('updated' in expected) || typeof reply.updated === 'number') return;
    if ('added' in expected) expected.added += expected.updated;
    expected.updated = null;
  }

  async drainStep(step) {
    const all = { replies: 0 };
    for await (const page of this.target(step.drain)) {
      const reply = plain(page);
      all.replies++;
      if (reply.ids.length > (step.at_most ?? Infinity)) throw new Error('a reply of scan.next has too many rows');
      for (const [key, value] of Object.entries(reply)) {
        if (Array.isArray(value)) (all[key] ??= []).push(...value);
        else if (value !== null && typeof value === 'object')
          for (const [name, values] of Object.entries(value)) ((all[key] ??= {})[name] ??= []).push(...values);
        else all[key] = value;
      }
    }
    match(expand(this.scope, step.expect, true), all, 'scan');
  }

  async finishStep(step) {
    match(expand(this.scope, step.expect, true), plain(await this.target(step.finish).finish()), 'copy');
  }

  async closeStep(step) {
    const target = this.target(step.close);
    if (!step.error && typeof target !== 'number') return target.close();
    try {
      // whatever it is: only its own method says that it is not open
      await call('index.close', undefined, { target });
    } catch (error) {
      if (!step.error || !(error instanceof SimpluginError)) throw error;
      return this.errorMatches(step.error, error);
    }
    throw new Error('closed what was not to be closed');
  }

  async step(step) {
    if (step.drain !== undefined) await this.drainStep(step);
    else if (step.finish !== undefined) await this.finishStep(step);
    else if (step.close !== undefined) await this.closeStep(step);
    else return this.callStep(step);
    return true;
  }

  async run() {
    await this.open();
    let last;
    for (const [i, step] of this.one.steps.entries()) {
      try {
        last = await this.step(step);
      } catch (error) {
        error.message = `${this.config.backend}, step ${i + 1} (${step.call ?? 'close, drain or finish'}): ${error.message}`;
        throw error;
      }
      if (!last) break;
    }
  }

  async end() {
    await Promise.allSettled(this.indexes.map((index) => index.cleanup()));
    await this.session?.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export async function runCase(config, one) {
  const runner = new Runner(config, one);
  try {
    await runner.run();
  } finally {
    await runner.end();
  }
}

/** What a case needs and the backend lacks, or undefined. */
export function lacksOf({ needs = {} }, { describe, backend }) {
  const words = Object.entries(needs).flatMap(([key, value]) => [value].flat().map((word) => [key, word]));
  const has = ([key, word]) => describe[key]?.includes?.(word) || describe[key] === word ||
    (typeof word === 'string' && describe[key] !== null && typeof describe[key] === 'object' && Object.hasOwn(describe[key], word)) ||
    (key === 'backend' && word === backend);
  return words.find((one) => !has(one))?.join(' ');
}

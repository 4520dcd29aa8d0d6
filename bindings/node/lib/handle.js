// SPDX-License-Identifier: Apache-2.0
import { addon, invoke, invokeDecoded } from './call.js';
import { integerOf } from './column.js';
import { StaleHandleError } from './errors.js';

async function closed(id) {
  try {
    await invoke(id, undefined);
  } catch (error) {
    if (!(error instanceof StaleHandleError)) throw error;
  }
}

/** Closes what nobody can reach any more; what cannot be closed now is with its worker. */
const forgotten = new FinalizationRegistry(({ id, place }) => {
  closed(id).then(() => addon.disown(place)).catch(() => {});
});

/** Something open in the library: it closes with close, when it is forgotten, and with its worker. */
export class Handle {
  #place;
  #closing;

  /** @param {bigint} id @param {Handle | undefined} parent closes this with it, so it is kept */
  constructor(id, parent) {
    this.id = id;
    Object.defineProperty(this, 'parent', { value: parent });
    if (id === 0n) return;
    this.#place = addon.own(id);
    forgotten.register(this, { id, place: this.#place }, this);
  }

  /** The library's number of it. */
  get handle() {
    return integerOf(this.id);
  }

  /** Any method of docs/protocol.md on this handle. */
  call(method, body, options) {
    return invokeDecoded(this.id, method, body, options, this);
  }

  /** The calls in it end first. Again, or after what it belongs to was closed: harmless. */
  close() {
    return this.#closing ??= this.#close();
  }

  async #close() {
    try {
      await closed(this.id);
    } catch (error) {
      this.#closing = undefined; // it is open as before
      throw error;
    }
    if (this.#place === undefined) return;
    forgotten.unregister(this);
    addon.disown(this.#place);
    this.#place = undefined;
  }

  [Symbol.asyncDispose]() {
    return this.close();
  }
}

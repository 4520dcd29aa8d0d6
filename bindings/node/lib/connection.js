// SPDX-License-Identifier: Apache-2.0
import { Handle } from './handle.js';

/** backend.call, of connections and indexes. */
export function backendCall(handle, method, body, options) {
  return handle.call('backend.call', { method, body }, options);
}

/** A backend without an index. */
export class Connection extends Handle {
  constructor({ connection, backend }, session) {
    super(BigInt(connection), session);
    this.backend = backend;
  }

  health(options) {
    return this.call('health', undefined, options);
  }

  /** A method of the backend: collection.list, native.*, ... */
  backendCall(method, body, options) {
    return backendCall(this, method, body, options);
  }
}

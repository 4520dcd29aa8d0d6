// SPDX-License-Identifier: Apache-2.0
import { Handle } from './handle.js';

/** The points of an index on their way into another. `opened` is the reply of copy.open. */
export class Copy extends Handle {
  constructor(opened, index, session) {
    super(BigInt(opened.copy), session);
    this.opened = opened;
    this.index = index;
  }

  /** About a second's work. */
  next(options) {
    return this.call('copy.next', undefined, options);
  }

  /** All of it; progress gets every state, and what it throws stops the copy where it is. */
  async finish({ progress, ...options } = {}) {
    for (;;) {
      const state = await this.next(options);
      await progress?.(state);
      if (state.phase === 'done') return state;
    }
  }
}

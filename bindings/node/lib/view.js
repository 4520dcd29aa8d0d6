// SPDX-License-Identifier: Apache-2.0
import { Handle } from './handle.js';

/** A set of points that restricts searches of its index. */
export class View extends Handle {
  constructor({ view, known }, index) {
    super(BigInt(view), index);
    this.known = known;
  }
}

// SPDX-License-Identifier: Apache-2.0
import { Reply } from './reply.js';

/** The points that one query found, nearest first. */
class QueryHits {
  constructor(hits, begin, end) {
    this.ids = hits.ids.slice(begin, end);
    if (hits.sample_ids) this.sample_ids = hits.sample_ids.slice(begin, end);
    this.distances = hits.distances.subarray(begin, end);
    this.scores = hits.scores.subarray(begin, end);
  }

  get length() {
    return this.ids.length;
  }

  * [Symbol.iterator]() {
    for (let i = 0; i < this.ids.length; i++) {
      const hit = { id: this.ids[i], distance: this.distances[i], score: this.scores[i] };
      if (this.sample_ids) hit.sample_id = this.sample_ids[i];
      yield hit;
    }
  }
}

/** What a search found, for all of its queries: columns, and an iterator of each query's hits. */
export class Hits extends Reply {
  /** How many queries there were. */
  get length() {
    return this.offsets.length - 1;
  }

  query(i) {
    if (!(i >= 0 && i < this.length)) throw new RangeError(`no query ${i} of ${this.length}`);
    return new QueryHits(this, this.offsets[i], this.offsets[i + 1]);
  }

  * [Symbol.iterator]() {
    for (let i = 0; i < this.length; i++) yield this.query(i);
  }
}

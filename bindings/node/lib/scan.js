// SPDX-License-Identifier: Apache-2.0
import { Handle } from './handle.js';

function* rowsOf({ ids, sample_ids, vectors, fields }) {
  const names = fields && Object.keys(fields);
  for (let i = 0; i < ids.length; i++) {
    const row = { id: ids[i] };
    if (sample_ids) row.sample_id = sample_ids[i];
    if (vectors) row.vector = vectors.row(i);
    if (names) row.fields = Object.fromEntries(names.map((name) => [name, fields[name][i]]));
    yield row;
  }
}

/** An iteration over the points of an index, of pages; rows() of single points. Leaving either closes it. */
export class Scan extends Handle {
  #options;

  constructor({ scan }, index, options) {
    super(BigInt(scan), index);
    this.#options = options;
  }

  next(options = this.#options) {
    return this.call('scan.next', undefined, options);
  }

  async* [Symbol.asyncIterator]() {
    try {
      for (let page; !page?.done;) yield page = await this.next();
    } finally {
      await this.close();
    }
  }

  async* rows() {
    for await (const page of this) yield* rowsOf(page);
  }
}

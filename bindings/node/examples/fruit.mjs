// SPDX-License-Identifier: Apache-2.0
import { createIndex } from 'simplugin';

const index = await createIndex({ metric: 'cosine' });
await index.add({
  ids: ['apple', 'pear', 'plum'],
  vectors: [[1, 0], [0.9, 0.1], [0, 1]],
  fields: { color: ['red', 'green', 'purple'] },
});
const hits = await index.search({ vectors: [[0.9, 0.1]], k: 2, filter: 'color != "purple"' });
for (const { id, distance } of hits.query(0))
  console.log(id, distance.toFixed(3));
await index.cleanup();
await index.close();

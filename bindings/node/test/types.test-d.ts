// SPDX-License-Identifier: Apache-2.0
// A program as tsc sees it: what must be allowed, and what must not (@ts-expect-error).
import {
  AbortError, Column, Hits, Index, InvalidArgumentError, NotFoundError, Session, SimpluginError, View, call, column, copy,
  createIndex, explain, matrix, setLog, version, type Hit, type Integer, type Page, type Row,
} from 'simplugin';

const controller = new AbortController();
const session: Session = await Session.open({ environment: {}, data_dir: '/d' }, { timeout: 1000 });
const index: Index = await session.createIndex({ metric: 'cosine', fields: { page: 'int64' } }, { embed: async (texts) => texts.map(() => [1, 2]) });

await index.add({ ids: ['a'], vectors: new Float32Array(2), fields: { page: [1], tags: [['x'], null], big: [1n] } }, { signal: controller.signal });
await index.add({ ids: column('text', ['a']), vectors: matrix(new Uint16Array(2), 2, { dtype: 'float16' }) });
// @ts-expect-error vectors are numbers
await index.add({ ids: ['a'], vectors: [['x']] });
// @ts-expect-error no such key
await index.search({ vectors: [[1, 2]], top_k: 3 });
// @ts-expect-error ids are texts
await index.remove({ ids: [7] });

const view: View = await index.view({ filter: 'page > 1' });
const hits: Hits = await index.search({ text: 'a dog', k: 3n, view, aggregation: 'mean' }, { timeout: Infinity });
const distances: Float32Array = hits.distances;
for (const query of hits) for (const hit of query) { const one: Hit = hit; void one.distance; }
const known: number = view.known;
const ids: string[] = hits.query(0).ids;
const again: Column = hits.columns.ids as Column;

for await (const page of index.scan({ fields: true })) { const one: Page = page; void one.vectors?.row(0); }
for await (const row of index.rows({ vectors: false })) { const one: Row = row; void one.id; }

const { index: target, state } = await copy(index, { backend: 'milvus', brain_key: 'k' }, { verify: 'all' }, { progress: ({ copied, total }) => console.log(copied / total) });
const planned = await copy(index, { brain_key: 'k' }, { dry_run: true });
// @ts-expect-error a dry run has no index
void planned.index.size;
const phase: 'copying' | 'verifying' | 'done' = state.phase;
const size: number = await target.size();

const reply = await call('index.size', {}, { target: index });
const number: Integer = index.handle;
setLog((level, message) => console.error(level, message), 'debug');
setLog(null);
// @ts-expect-error no such level
setLog(null, 'loud');
const { values } = await explain({ backend: 'milvus' });

try {
  await createIndex();
} catch (error) {
  if (error instanceof NotFoundError) void error.details.id;
  else if (error instanceof InvalidArgumentError && error.retryable) void error.backendMessage;
  else if (error instanceof AbortError) { const cause: SimpluginError = error.cause; void cause.code; }
}
// @ts-expect-error only open makes sessions
new Session();

void [distances, known, ids, again, phase, size, reply, number, values, version];
await view.close();
await session[Symbol.asyncDispose]();

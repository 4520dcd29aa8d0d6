// SPDX-License-Identifier: Apache-2.0
// Names of keys and values are those of docs/protocol.md, which says what each of them does.

/** The version of the library in use. */
export const version: string;

/* ---- calls ----------------------------------------------------------------------------- */

/** How to make a call. */
export interface CallOptions {
  /** Whole milliseconds; 0 is as 1. Left out: the backend's `timeout_ms`, or 60,000. `Infinity`: none. A bigint goes to the library as it is. */
  timeout?: number | bigint | null;
  /** Ends the call; its promise rejects with an {@link AbortError}. */
  signal?: AbortSignal | null;
  /** Told during long calls; what it throws ends the call. `total` is 0 where it is unknown. */
  progress?: ((done: number, total: number) => void) | null;
  /** Passed on to logs and servers. */
  traceId?: string | null;
}

/** An int64: a number where that is exact. */
export type Integer = number | bigint;

/** Any reply: the keys of the method in docs/protocol.md. Columns are decoded when they are looked at. */
export interface Reply {
  [key: string]: unknown;
}

/** Class of replies. */
export class Reply {
  /** The columns by the keys they stand under, not decoded, to pass on as they are. */
  get columns(): Columns;
}

export interface Columns {
  [key: string]: Column | Columns;
}

/**
 * Calls any method of docs/protocol.md. Typed arrays, matrices and columns in the body travel as
 * tensors, everything else as it is.
 * @param options target: the handle to call it on, or its number; left out: the default session
 */
export function call(method: string, body?: object, options?: CallOptions & { target?: Handle | Integer | null }): Promise<Reply>;

export type LogLevel = 'off' | 'error' | 'warning' | 'info' | 'debug';

/**
 * Sends the log of the whole process, up to a level, to fn; null restores the default (warnings
 * to stderr, or what SIMPLUGIN_LOG says). One function for all threads: the last one set.
 */
export function setLog(fn: ((level: LogLevel, message: string) => void) | null, level?: LogLevel): void;

/* ---- vectors ----------------------------------------------------------------------------- */

export type Dtype = 'float32' | 'float64' | 'float16' | 'int64' | 'uint64' | 'int32' | 'uint8';
export type NumberArray = Float32Array | Float64Array | Uint16Array | BigInt64Array | BigUint64Array | Int32Array | Uint8Array;

/** Rows of numbers in one typed array, which is never copied. */
export class Matrix<T extends NumberArray = NumberArray> {
  constructor(data: T, cols: number, options?: MatrixOptions);
  readonly data: T;
  readonly rows: number;
  readonly cols: number;
  /** Elements from one row to the next. */
  readonly stride: number;
  readonly dtype: Dtype;
  /** A view of row i. */
  row(i: number): T;
  [Symbol.iterator](): IterableIterator<T>;
}

export interface MatrixOptions {
  /** As many as there are. */
  rows?: number;
  /** Elements from one row to the next; cols. */
  stride?: number;
  /** That of the array; 'float16' for halves in a Uint16Array. */
  dtype?: Dtype;
}

/** The same as new Matrix. */
export function matrix<T extends NumberArray>(data: T, cols: number, options?: MatrixOptions): Matrix<T>;

/**
 * Vectors. A matrix or typed array is not copied: until the call has ended it should not be
 * written, nor on Node 21 to 23 transferred to another size. A typed array alone is one row, or in `add` as many rows as
 * there are ids. Rows that are arrays are copied once.
 */
export type Vectors = Matrix | Float32Array | Float64Array | readonly (Float32Array | Float64Array | readonly number[])[];

/* ---- columns ----------------------------------------------------------------------------- */

export type ColumnType = 'text' | 'int64' | 'float64' | 'bool' | 'list<text>' | 'list<int64>' | 'list<float64>' | 'list<bool>';
export type Scalar = string | number | bigint | boolean;
/** null is a missing value. */
export type FieldValue = Scalar | readonly Scalar[] | null;

/** As many values of one type as there are points. */
export class Column implements Iterable<FieldValue> {
  /** From tensors as docs/protocol.md has them; programs use {@link column}. */
  constructor(type: string, tensors: { values: Matrix; offsets?: Matrix; lists?: Matrix; valid?: { bits: Uint8Array; count: number } });
  readonly type: string;
  readonly length: number;
  /** Decoded at the first use. */
  toArray(): FieldValue[];
  [Symbol.iterator](): IterableIterator<FieldValue>;
}

/** A column whose type is said: floats that are whole, integers that are few. */
export function column(type: ColumnType, values: readonly (FieldValue | undefined)[]): Column;

/** Texts, or the column of a reply as it came. */
export type Ids = readonly string[] | Column;
/** By name; whole numbers make an int64 column, among other numbers a float64 one. */
export type Fields = Record<string, readonly (FieldValue | undefined)[] | Column>;
/** Names of fields, or all. */
export type FieldNames = readonly string[] | true;
export type FieldColumns = Record<string, FieldValue[]>;
export type Parameters = Record<string, unknown>;

/* ---- handles ------------------------------------------------------------------------------ */

/** Something open in the library. It closes with close(), when nothing refers to it, and with its worker. */
export abstract class Handle {
  protected constructor();
  /** The library's number of it. */
  get handle(): Integer;
  /** What it belongs to, and closes with. */
  readonly parent: Handle | undefined;
  /** Any method of docs/protocol.md on it. */
  call(method: string, body?: object, options?: CallOptions): Promise<Reply>;
  /** Calls in it end first. Closing again is harmless; any other call then fails with STALE_HANDLE. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface SessionSettings {
  config_path?: string;
  plugin_path?: readonly string[];
  data_dir?: string;
  environment?: Record<string, string>;
}

/** Makes a vector of each text. */
export type Embed = (texts: string[], options: { signal?: AbortSignal }) => Vectors | Promise<Vectors>;

/** embed: for searches by text; it can also be set later, as `index.embed`. */
export interface OpenOptions extends CallOptions {
  embed?: Embed;
}

export interface IndexSettings {
  dataset?: string;
  brain_key?: string;
  backend?: string;
  collection_name?: string;
  dimension?: Integer;
  metric?: string;
  patches_field?: string;
  model?: string;
  supports_prompts?: boolean;
  fields?: Record<string, ColumnType>;
  parameters?: Parameters;
  overwrite?: boolean;
}

export interface IndexAddress {
  dataset?: string;
  brain_key?: string;
  backend?: string;
  collection_name?: string;
  parameters?: Parameters;
}

export interface RunName {
  dataset?: string;
  brain_key: string;
}

export interface Run extends Reply {
  dataset: string;
  brain_key: string;
  config: Record<string, unknown>;
  created: string | number;
  updated: string | number;
  version: string;
}

export interface BackendChoice {
  backend?: string;
  parameters?: Parameters;
}

export interface BackendList extends Reply {
  backends: { name: string; file: string; origin: string }[];
  default: string;
}

export interface Resolved extends Reply {
  backend: string;
  parameters: Parameters;
}

export interface Explained extends Reply {
  backend: string;
  backend_source: string;
  backend_where: string;
  plugin: { name: string; file: string } | null;
  plugin_error: string | null;
  searched: string[];
  config_file: { path: string; exists: boolean };
  data_dir: string;
  values: { name: string; value: unknown; source: string; where: string; secret: boolean }[];
}

/** What a backend is and can do; docs/protocol.md, `describe`. */
export interface Description extends Reply {
  name: string;
  version: string;
  file: string;
  metrics: string[];
  exact: boolean;
  methods: string[];
  filters: string[];
  field_types: string[];
}

export interface CopyOptions {
  dry_run?: boolean;
  verify?: 'none' | 'sample' | 'all';
  sample_size?: Integer;
  resume?: boolean;
  batch_bytes?: Integer;
  mixed_fields?: 'fail' | 'skip';
}

export interface CopyTarget extends Omit<IndexSettings, 'dimension'> {
  merge?: boolean;
}

export interface CopyOpened extends Reply {
  backend: string;
  collection_name: string;
  total: number;
  resumed: number;
  losses: { what: string; name: string; detail: string; fatal: boolean }[];
}

export interface CopyState extends Reply {
  phase: 'copying' | 'verifying' | 'done';
  copied: number;
  total: number;
  bytes: number;
  rows_per_second: number | null;
  seconds_left: number | null;
  verified: number;
  compared: string | null;
  differences: number;
  difference: string | null;
  different: string[];
}

export interface CopyDone {
  opened: CopyOpened;
  index: Index;
  /** The last one. */
  state: CopyState;
}

/** Of a dry run. */
export interface CopyPlanned {
  opened: CopyOpened;
  index: undefined;
  state: undefined;
}

/** progress gets each state; what it throws stops the copy, which a later one takes up where it was. */
export interface CopyRunOptions extends Omit<CallOptions, 'progress'> {
  progress?: (state: CopyState) => void | Promise<void>;
}

/** Configuration, data directory and plugin path. Its functions are also there for the default session. */
export class Session extends Handle {
  private constructor();
  static open(settings?: SessionSettings, options?: CallOptions): Promise<Session>;
  createIndex(settings?: IndexSettings, options?: OpenOptions): Promise<Index>;
  openIndex(address: IndexAddress, options?: OpenOptions): Promise<Index>;
  loadRun(run: RunName & { parameters?: Parameters }, options?: OpenOptions): Promise<Index>;
  listRuns(body?: { dataset?: string; where?: object }, options?: CallOptions): Promise<Record<string, unknown>[]>;
  runInfo(run: RunName, options?: CallOptions): Promise<Run>;
  renameRun(run: RunName & { new_brain_key: string }, options?: CallOptions): Promise<void>;
  /** The record only, never the collection. */
  deleteRun(run: RunName, options?: CallOptions): Promise<void>;
  connect(backend?: string, parameters?: Parameters, options?: CallOptions): Promise<Connection>;
  /** The parameters in effect, secrets masked. */
  resolve(body?: BackendChoice, options?: CallOptions): Promise<Resolved>;
  /** Every value with where it came from. */
  explain(body?: BackendChoice & { load?: boolean }, options?: CallOptions): Promise<Explained>;
  backends(options?: CallOptions): Promise<BackendList>;
  describe(backend: string, options?: CallOptions): Promise<Description>;
  /** Prometheus' text format. */
  metrics(options?: CallOptions): Promise<string>;
  /** A copy to be stepped; with dry_run only what it would do. */
  openCopy(source: Index, target: CopyTarget, body: CopyOptions & { dry_run: true }, options?: CallOptions): Promise<CopyOpened>;
  openCopy(source: Index, target: CopyTarget, body?: CopyOptions & { dry_run?: false }, options?: CallOptions): Promise<Copy>;
  /** All points of source into a new index; timeout is that of each step. With dry_run there is no index. */
  copy(source: Index, target: CopyTarget, body: CopyOptions & { dry_run: true }, options?: CopyRunOptions): Promise<CopyPlanned>;
  copy(source: Index, target: CopyTarget, body?: CopyOptions & { dry_run?: false }, options?: CopyRunOptions): Promise<CopyDone>;
}

export const createIndex: Session['createIndex'];
export const openIndex: Session['openIndex'];
export const loadRun: Session['loadRun'];
export const listRuns: Session['listRuns'];
export const runInfo: Session['runInfo'];
export const renameRun: Session['renameRun'];
export const deleteRun: Session['deleteRun'];
export const connect: Session['connect'];
export const resolve: Session['resolve'];
export const explain: Session['explain'];
export const backends: Session['backends'];
export const describe: Session['describe'];
export const metrics: Session['metrics'];
export const openCopy: Session['openCopy'];
export const copy: Session['copy'];

/** A backend without an index. */
export class Connection extends Handle {
  private constructor();
  readonly backend: string;
  health(options?: CallOptions): Promise<Reply>;
  /** A method of the backend: collection.list, native.*, ... */
  backendCall(method: string, body?: object, options?: CallOptions): Promise<Reply>;
}

/* ---- indexes ------------------------------------------------------------------------------ */

/** The reply of the call that opened an index. */
export interface IndexOpened extends Reply {
  backend: string;
  collection_name: string;
  dimension: number | null;
  metric: string;
  brain_key: string | null;
  dataset: string | null;
  existing: boolean;
  patches_field: string | null;
  patches: boolean;
  model: string | null;
  supports_prompts: boolean;
}

export interface IndexInfo extends Reply {
  backend: string;
  collection_name: string;
  dimension: number | null;
  metric: string;
  brain_key: string | null;
  dataset: string | null;
  patches_field: string | null;
  patches: boolean;
  model: string | null;
  supports_prompts: boolean;
  size: number;
  fields: Record<string, string>;
  parameters: Parameters;
}

export interface AddBody {
  ids: Ids;
  vectors: Vectors;
  sample_ids?: Ids;
  fields?: Fields;
  overwrite?: boolean;
  allow_existing?: boolean;
  warn_existing?: boolean;
  duplicates?: 'fail' | 'first' | 'last';
  parameters?: Parameters;
}

export interface Added extends Reply {
  added: number;
  /** null where the backend cannot know. */
  updated: number | null;
  skipped: number;
  existing: string[];
}

export interface RemoveBody {
  ids?: Ids;
  sample_ids?: Ids;
  filter?: string;
  all?: boolean;
  allow_missing?: boolean;
  warn_missing?: boolean;
}

export interface GetBody {
  ids?: Ids;
  sample_ids?: Ids;
  vectors?: boolean;
  fields?: FieldNames;
  allow_missing?: boolean;
  warn_missing?: boolean;
}

/** Points, column by column. */
export interface Points extends Reply {
  ids: string[];
  sample_ids?: string[];
  vectors?: Matrix<Float32Array>;
  fields?: FieldColumns;
}

export interface SearchBody {
  /** Each row a query. */
  vectors?: Vectors;
  /** Each the vector of that point. */
  ids?: Ids;
  /** Made vectors by the index's embed; without one the library refuses it. */
  text?: string | readonly string[];
  k?: Integer;
  reverse?: boolean;
  aggregation?: 'mean' | 'post-mean' | 'post-min' | 'post-max';
  view?: View | Integer;
  filter?: string;
  exclude_self?: boolean;
  max_distance?: number;
  min_score?: number;
  mmr?: { lambda?: number; fetch_k?: Integer };
  fields?: FieldNames;
  with_vectors?: boolean;
  parameters?: Parameters;
}

export interface RadiusBody {
  vectors?: Vectors;
  ids?: Ids;
  radius: number;
  limit?: Integer;
  view?: View | Integer;
  filter?: string;
  exclude_self?: boolean;
  fields?: FieldNames;
  with_vectors?: boolean;
  parameters?: Parameters;
}

export interface Hit {
  id: string;
  sample_id?: string;
  /** Smaller is nearer. */
  distance: number;
  /** The backend's own. */
  score: number;
}

/** The points that one query found, nearest first. */
export interface QueryHits extends Iterable<Hit> {
  readonly length: number;
  readonly ids: string[];
  readonly sample_ids?: string[];
  readonly distances: Float32Array;
  readonly scores: Float32Array;
}

/** What all queries of a call found: those of query i are the entries offsets[i] to offsets[i + 1] - 1. */
export class Hits extends Reply implements Iterable<QueryHits> {
  private constructor();
  offsets: number[];
  ids: string[];
  sample_ids?: string[];
  distances: Float32Array;
  scores: Float32Array;
  fields?: FieldColumns;
  vectors?: Matrix<Float32Array>;
  /** How many queries there were. */
  get length(): number;
  query(i: number): QueryHits;
  [Symbol.iterator](): IterableIterator<QueryHits>;
}

export interface NeighborsBody {
  k?: Integer;
  radius?: number;
  view?: View | Integer;
  parameters?: Parameters;
}

export interface Neighbors extends Reply {
  ids: string[];
  offsets: number[];
  neighbors: string[];
  distances: Float32Array;
  scores: Float32Array;
}

export interface DuplicatesBody {
  threshold?: number;
  fraction?: number;
  view?: View | Integer;
}

export interface Duplicates extends Reply {
  unique_ids: string[];
  duplicate_ids: string[];
  threshold: number;
}

export interface ScanBody {
  vectors?: boolean;
  fields?: FieldNames;
  filter?: string;
  view?: View | Integer;
  max_rows?: Integer;
}

export interface Page extends Points {
  done: boolean;
}

export interface Row {
  id: string;
  sample_id?: string;
  vector?: Float32Array;
  fields?: Record<string, FieldValue>;
}

/** One collection of a backend under a metric. */
export class Index extends Handle {
  private constructor();
  readonly parent: Session;
  /** Of an index that a copy fills: the reply of copy.open, with fewer keys. */
  readonly opened: IndexOpened;
  readonly backend: string;
  readonly collection_name: string;
  embed: Embed | undefined;
  add(body: AddBody, options?: CallOptions): Promise<Added>;
  setFields(body: { ids: Ids; fields: Fields }, options?: CallOptions): Promise<Reply & { updated: number; missing: string[] }>;
  remove(body: RemoveBody, options?: CallOptions): Promise<Reply & { removed: number; missing: string[] }>;
  get(body?: GetBody, options?: CallOptions): Promise<Points & { missing: string[] }>;
  search(body: SearchBody, options?: CallOptions): Promise<Hits>;
  radius(body: RadiusBody, options?: CallOptions): Promise<Hits>;
  neighbors(body: NeighborsBody, options?: CallOptions): Promise<Neighbors>;
  duplicates(body: DuplicatesBody, options?: CallOptions): Promise<Duplicates & { neighbor_ids: string[]; distances: Float32Array }>;
  unique(body: { count: Integer; view?: View | Integer }, options?: CallOptions): Promise<Duplicates>;
  size(body?: { filter?: string }, options?: CallOptions): Promise<number>;
  info(options?: CallOptions): Promise<IndexInfo>;
  /** What its backend is and can do. */
  capabilities(options?: CallOptions): Promise<Description>;
  view(body: { ids?: Ids; sample_ids?: Ids; filter?: string }, options?: CallOptions): Promise<View>;
  openScan(body?: ScanBody, options?: CallOptions): Promise<Scan>;
  /** Pages of points, in constant memory. options are those of each call. */
  scan(body?: ScanBody, options?: CallOptions): AsyncGenerator<Page, void, void>;
  /** The same, point by point. */
  rows(body?: ScanBody, options?: CallOptions): AsyncGenerator<Row, void, void>;
  /** Drops the collection; the run's record stays. */
  cleanup(options?: CallOptions): Promise<Reply & { dropped: boolean }>;
  check(options?: CallOptions): Promise<Reply & { rows: number }>;
  compact(options?: CallOptions): Promise<Reply & { bytes_before: number; bytes_after: number }>;
  backup(path: string, options?: CallOptions): Promise<Reply>;
  health(options?: CallOptions): Promise<Reply>;
  /** A method of its backend: points.count, native.*, ... */
  backendCall(method: string, body?: object, options?: CallOptions): Promise<Reply>;
}

/** A set of points that restricts searches of its index. */
export class View extends Handle {
  private constructor();
  readonly parent: Index;
  /** How many of them are in the index. */
  readonly known: number;
}

/** An iteration over the points of an index. Leaving its loop closes it. */
export class Scan extends Handle implements AsyncIterable<Page> {
  private constructor();
  readonly parent: Index;
  next(options?: CallOptions): Promise<Page>;
  [Symbol.asyncIterator](): AsyncGenerator<Page, void, void>;
  rows(): AsyncGenerator<Row, void, void>;
}

/** The points of an index on their way into another. */
export class Copy extends Handle {
  private constructor();
  readonly opened: CopyOpened;
  /** Where they go. */
  readonly index: Index;
  /** About a second's work. */
  next(options?: CallOptions): Promise<CopyState>;
  /** All of it. */
  finish(options?: CopyRunOptions): Promise<CopyState>;
}

/* ---- errors ------------------------------------------------------------------------------- */

export interface ErrorDetails {
  code?: string;
  codeNumber?: number;
  domain?: string;
  backendCode?: Integer;
  backendMessage?: string;
  retryable?: boolean;
  details?: Record<string, string>;
  cause?: unknown;
}

/** What the library says went wrong; each code has a class of its own below. */
export class SimpluginError extends Error {
  constructor(message: string, more?: ErrorDetails);
  /** "NOT_FOUND", ... */
  code: string;
  /** Its number in simplugin/plugin.h. */
  codeNumber: number;
  /** Where it comes from: "config", "index", "milvus", ... */
  domain: string;
  /** The server's own code, 0 if there was none. */
  backendCode: Integer;
  /** The server's own words. */
  backendMessage: string;
  /** Whether the same call may succeed later. */
  retryable: boolean;
  /** Such as { argument: 'k' } or { id: '4711' }. */
  details: Record<string, string>;
}

/** A call that was aborted. Its name is "AbortError", or "TimeoutError" for AbortSignal.timeout. */
export class AbortError extends Error {
  constructor(reason: unknown, cause?: SimpluginError);
  code: 'ABORT_ERR';
  /** signal.reason */
  reason: unknown;
  /** The library's CANCELLED. */
  cause: SimpluginError;
}

export class InvalidArgumentError extends SimpluginError {}
export class NotFoundError extends SimpluginError {}
export class AlreadyExistsError extends SimpluginError {}
export class UnimplementedError extends SimpluginError {}
export class DeadlineExceededError extends SimpluginError {}
export class CancelledError extends SimpluginError {}
export class BusyError extends SimpluginError {}
export class UnavailableError extends SimpluginError {}
export class UnauthenticatedError extends SimpluginError {}
export class PermissionDeniedError extends SimpluginError {}
export class ResourceExhaustedError extends SimpluginError {}
export class OutOfMemoryError extends SimpluginError {}
export class IoError extends SimpluginError {}
export class CorruptError extends SimpluginError {}
export class ReadOnlyError extends SimpluginError {}
export class NoSpaceError extends SimpluginError {}
export class VersionTooOldError extends SimpluginError {}
export class VersionTooNewError extends SimpluginError {}
export class IncompatibleError extends SimpluginError {}
export class StaleHandleError extends SimpluginError {}
export class ForkedError extends SimpluginError {}
export class PromptUnsupportedError extends SimpluginError {}
export class DimensionMismatchError extends SimpluginError {}
export class MalformedError extends SimpluginError {}
export class ConfigError extends SimpluginError {}
export class UnknownMethodError extends SimpluginError {}
export class UnknownParameterError extends SimpluginError {}
export class InternalError extends SimpluginError {}
export class ProtocolError extends SimpluginError {}
export class BackendUnknownError extends SimpluginError {}
export class BackendNameError extends SimpluginError {}
export class PluginPathError extends SimpluginError {}
export class PluginUnsafeError extends SimpluginError {}
export class PluginUnloadableError extends SimpluginError {}
export class PluginNoEntryError extends SimpluginError {}
export class PluginForeignEntryError extends SimpluginError {}
export class PluginBadTableError extends SimpluginError {}
export class PluginEntryFailedError extends SimpluginError {}

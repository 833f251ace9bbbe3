/**
 * Ports: what the functions need from the outside world. Each port has three adapters in `shared/adapters` (Google's, embedded, memory) that
 * pass one contract suite, so that a function behaves alike in the cloud, on one machine and in a test.
 */

/** A field of a document: JSON, plus instants, which every store keeps as timestamps. */
export type Value = null | boolean | number | string | Date | readonly Value[] | { readonly [field: string]: Value };

/** The fields of one document. `undefined` is refused by every store: leave the field out. */
export type Fields = { readonly [field: string]: Value };

/** A document found by a query. */
export interface Stored {
  readonly id: string;
  readonly fields: Fields;
}

/** A comparison of one top-level field. A document without the field never matches. */
export type Filter = readonly [field: string, operator: "==" | "<" | "<=" | ">" | ">=" | "in", value: Value];

/** One query of one collection. A query that needs a composite index must be declared in `shared/documents/indexes.ts`. */
export interface Query {
  readonly collection: string;
  readonly where?: readonly Filter[];
  /** @default by document id, ascending */
  readonly orderBy?: { readonly field: string; readonly direction: "asc" | "desc" };
  /** @default 100 */
  readonly limit?: number;
}

/** Writes of single documents, alike inside and outside a transaction. */
export interface Reads {
  /** The document, or `undefined` where there is none. */
  get(collection: string, id: string): Promise<Fields | undefined>;
}

/** Operations of a transaction. All reads come before the first write; every adapter refuses a read after a write. */
export interface Transaction extends Reads {
  /** Writes the whole document, replacing what was there. */
  set(collection: string, id: string, fields: Fields): void;
  /** Writes the document; the commit fails with `exists` where there is one. */
  create(collection: string, id: string, fields: Fields): void;
  /** Replaces the top-level fields given and leaves the others; the commit fails with `missing` where there is no document. */
  update(collection: string, id: string, fields: Fields): void;
  delete(collection: string, id: string): void;
}

/** Documents in collections. Every call that returns has been made durable; no call is half done. */
export interface Store extends Reads {
  set(collection: string, id: string, fields: Fields): Promise<void>;
  /** @throws StoreError `exists` */
  create(collection: string, id: string, fields: Fields): Promise<void>;
  /** @throws StoreError `missing` */
  update(collection: string, id: string, fields: Fields): Promise<void>;
  delete(collection: string, id: string): Promise<void>;
  query(query: Query): Promise<Stored[]>;
  /**
   * Runs `body` with serializable reads and commits what it wrote, or nothing. On contention the body runs again, so it must have no
   * effects besides its writes.
   * @throws StoreError `contention` when it lost every try: the caller may try again later
   */
  transaction<T>(body: (transaction: Transaction) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Why a store refused. `contention` and `unavailable` are worth another try, the others are not. */
export type StoreErrorCode = "exists" | "missing" | "invalid" | "contention" | "unavailable";

/** The only error that a store throws on purpose. */
export class StoreError extends Error {
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StoreError";
    this.code = code;
  }

  /** Whether the same call may succeed later. */
  get retryable(): boolean {
    return this.code === "contention" || this.code === "unavailable";
  }
}

/** One message to a topic: JSON as its data, and attributes, by which subscriptions filter. */
export interface OutgoingMessage {
  readonly data: unknown;
  readonly attributes?: Readonly<Record<string, string>>;
}

/** Publishes messages. A call that returns has been accepted for at-least-once delivery. */
export interface Publisher {
  /**
   * Publishes all of them, in no promised order.
   * @returns the message ids, in the order given
   * @throws PublishError when any was not accepted; some may have been
   */
  publish(topic: string, messages: readonly OutgoingMessage[]): Promise<string[]>;
  close(): Promise<void>;
}

/** A publication that was not accepted. */
export class PublishError extends Error {
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;

  constructor(message: string, retryable: boolean, options?: ErrorOptions) {
    super(message, options);
    this.name = "PublishError";
    this.retryable = retryable;
  }
}

/** The time of day; only shells hold one, cores are given `now`. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

/** Does something later; only shells hold one. */
export interface Timers {
  /**
   * Calls back once, after so many milliseconds.
   * @returns what cancels it
   */
  after(milliseconds: number, work: () => void): () => void;
}

/** Resolves `{ secret: NAME }` references. */
export interface Secrets {
  /** @throws Error that names the secret and where it was looked for, never its value */
  read(name: string): Promise<string>;
}

/** One request to one of Google's APIs: JSON in, JSON out. */
export interface GoogleRequest {
  /** @default GET */
  readonly method?: "GET" | "POST";
  /** Whole, as in Google's reference: `https://run.googleapis.com/v2/projects/…`. */
  readonly url: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, in place of `body`: a file that is uploaded. */
  readonly upload?: { readonly contentType: string; readonly content: string };
  readonly signal?: AbortSignal;
}

/** Google's APIs, with the identity of the function. */
export interface GoogleApi {
  /**
   * The parsed answer.
   * @throws GoogleApiError when the API refuses or cannot be reached; the signal's reason when it was aborted
   */
  request(request: GoogleRequest): Promise<unknown>;
  /** A token of the function's own identity, for what takes it as a password. @throws GoogleApiError */
  accessToken(): Promise<string>;
  /**
   * An ID token of the function's own identity, for those who check who calls them.
   * @param audience whom it is for: the URL of a service, or the OAuth client id of IAP
   * @throws GoogleApiError
   */
  idToken(audience: string): Promise<string>;
}

/** Why one of Google's APIs did not do what it was asked for. */
export class GoogleApiError extends Error {
  /** Status of the HTTP answer; 0 where there was none. */
  readonly status: number;
  /** Google's word for it, such as `PERMISSION_DENIED` or `SERVICE_DISABLED`. */
  readonly reason: string;

  constructor(message: string, status: number, reason: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "GoogleApiError";
    this.status = status;
    this.reason = reason;
  }
}

/** One point of one series, for dashboards. */
export interface MetricPoint {
  /** Name of a metric of the catalogue, or of the monitor itself. */
  readonly metric: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** Result of exporting points. */
export interface Written {
  readonly written: number;
  readonly refused: number;
  /** Why some were refused. */
  readonly reason?: string;
}

/** Exporter of measurements for dashboards. Points that are not accepted are lost: nothing is decided by them. */
export interface MetricSink {
  /**
   * Writes the points of one instant, at most one of each series, each newer than the last of its series. Takes ten seconds at most.
   * Never throws for what the other side does.
   */
  write(points: readonly MetricPoint[]): Promise<Written>;
  close(): Promise<void>;
}

/** A page as browsers get it. */
export interface Page {
  /** Path within its place: `index.html`, `incidents/20250916-120900-4f1d.html`. */
  readonly path: string;
  readonly contentType: string;
  readonly content: string;
}

/**
 * A place for pages that browsers read: a bucket, or a folder on one machine. Each page has a version, so that who works something out from
 * older facts does not write it over newer ones: ask for the version first, read the facts then, write with that version last.
 */
export interface Pages {
  /** Returns the page at a path; `undefined` if there is none. @throws PagesError */
  version(place: string, path: string, signal: AbortSignal): Promise<string | undefined>;
  /**
   * Writes a page if the one that stands there is still of that version. Readers see the old page or the new one, never a part.
   * @returns whether it was written
   * @throws PagesError
   */
  write(place: string, page: Page, replaces: string | undefined, signal: AbortSignal): Promise<boolean>;
}

/** Why a place did not take a page. */
export class PagesError extends Error {
  /** Status of the HTTP answer that it stands for; 0 where there was none. */
  readonly status: number;

  constructor(message: string, status: number, options?: ErrorOptions) {
    super(message, options);
    this.name = "PagesError";
    this.status = status;
  }
}

/** One line of a structured log. Never given a secret or an unbounded text of a target. */
export interface Logger {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warning(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** Google Firestore through its own client, loaded at the first call, so that a start which needs no document does not pay for it. */
import { setTimeout as wait } from "node:timers/promises";
import type { DocumentSnapshot, Firestore, Query } from "@google-cloud/firestore";
import { type Fields, type Stored, StoreError, type StoreErrorCode, type Value } from "../ports.ts";
import { type Attempt, CheckedStore, type StoreOptions } from "./checked-store.ts";
import { commit, type Google, referenceTo, unchanged } from "./firestore-commit.ts";
import type { QueryPlan } from "./store-query.ts";

/** Which database a `FirestoreStore` keeps its documents in. */
export interface FirestoreOptions extends StoreOptions {
  readonly projectId: string;
  /** @default "(default)" */
  readonly databaseId?: string;
  /** `HOST:PORT` of an emulator, without TLS. @default Google's own; `FIRESTORE_EMULATOR_HOST` beats both */
  readonly host?: string;
  /** Maximum duration of one call with all its retries. @default 45_000, within the 60 s that a push may take */
  readonly deadlineMs?: number;
}

/** Documents in Firestore. */
export class FirestoreStore extends CheckedStore {
  readonly #options: FirestoreOptions;
  readonly #deadlineMs: number;
  #opening: Promise<Client> | undefined;

  constructor(options: FirestoreOptions) {
    super(options);
    this.#options = options;
    this.#deadlineMs = options.deadlineMs ?? 45_000;
  }

  async close(): Promise<void> {
    const client = await this.#opening;
    if (client === undefined) return;
    // The client waits for calls that were given up here already, for up to ten minutes.
    await Promise.race([client.firestore.terminate(), wait(this.#deadlineMs, undefined, { ref: false })]);
  }

  protected override read(collection: string, id: string): Promise<Fields | undefined> {
    return this.#call(`Read of ${collection}/${id}`, async ({ google, firestore }) =>
      fieldsOf(google, await firestore.collection(collection).doc(id).get()),
    );
  }

  protected override find({ collection, where, orders, limit }: QueryPlan): Promise<Stored[]> {
    return this.#call(`Query of ${collection}`, async ({ google, firestore }) => {
      const all: Query = firestore.collection(collection);
      const filtered = where.reduce((query, [field, operator, value]) => {
        return query.where(new google.FieldPath(field), operator, value);
      }, all.limit(limit));
      const query = orders.reduce((sorted, { field, direction }) => {
        return sorted.orderBy(new google.FieldPath(field), direction);
      }, filtered);
      const { docs } = await query.get();
      return docs.map((document) => ({ id: document.id, fields: fieldsOf(google, document) ?? {} }));
    });
  }

  protected override attempts<T>(attempt: Attempt<T>): Promise<T> {
    const startedAt = performance.now();
    const isAwaited = (): boolean => performance.now() - startedAt < this.#deadlineMs;
    return this.#call("Transaction", async (client) => {
      for (let lost = 0; isAwaited(); lost++) {
        if (lost > 0) await wait(Math.random() * Math.min(longestPauseMs, 10 * 2 ** lost));
        const outcome = await tryOnce(client, attempt, isAwaited);
        if (outcome !== "lost") return outcome.result;
      }
      throw new StoreError("contention", `A transaction lost to others for ${this.#deadlineMs} ms`);
    });
  }

  async #call<T>(attempted: string, work: (client: Client) => Promise<T>): Promise<T> {
    const deadline = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      deadline.reject(
        new StoreError("unavailable", `${attempted}: not done by Firestore within ${this.#deadlineMs} ms`),
      );
    }, this.#deadlineMs);
    try {
      this.#opening ??= open(this.#options);
      return await Promise.race([this.#opening.then(work), deadline.promise]);
    } catch (error) {
      if (error instanceof OwnError) throw error.cause;
      throw error instanceof StoreError ? error : storeErrorOf(attempted, error);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** An error of Firestore's client as a `StoreError`. Source of the codes: https://grpc.github.io/grpc/core/md_doc_statuscodes.html. */
export function storeErrorOf(attempted: string, error: unknown): StoreError {
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  return new StoreError(codes[code ?? -1] ?? "unavailable", `${attempted}: ${message}`, { cause: error });
}

function codeOf(error: unknown): number | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "number" ? error.code : undefined;
}

/** Whatever is not here may pass by itself: a deadline, a restart of the server, a quota, a permission that is being granted. */
const codes: Readonly<Record<number, StoreErrorCode>> = {
  3: "invalid",
  5: "missing",
  6: "exists",
  9: "invalid",
  10: "contention",
  11: "invalid",
  12: "invalid",
};

/** The longest pause before a transaction that others were faster than is tried again, in milliseconds. */
const longestPauseMs = 1_000;

/** Runs a transaction once: reads without locks, and commits where nothing that was read has changed since. */
async function tryOnce<T>(
  { google, firestore }: Client,
  attempt: Attempt<T>,
  isAwaited: () => boolean,
): Promise<{ readonly result: T } | "lost"> {
  const seen = new Map<string, DocumentSnapshot>();
  const readErrors = new Set<unknown>();
  const read = async (collection: string, id: string): Promise<Fields | undefined> => {
    const reference = referenceTo(firestore, collection, id);
    try {
      const snapshot = seen.get(reference.path) ?? (await reference.get());
      seen.set(reference.path, snapshot);
      return fieldsOf(google, snapshot);
    } catch (error) {
      readErrors.add(error);
      throw error;
    }
  };
  let done: Awaited<ReturnType<Attempt<T>>>;
  try {
    done = await attempt(read);
  } catch (error) {
    if (readErrors.has(error)) throw error;
    // A body that read while others wrote may have failed over a state that never was.
    if (seen.size > 1 && !(await unchanged(firestore, seen))) return "lost";
    throw new OwnError(error);
  }
  if (!isAwaited()) return "lost";
  const { result, writes } = done;
  try {
    if (writes.length > 0) await commit(google, firestore, writes, seen);
    // A single read is consistent by itself; several documents must be verified.
    else if (seen.size > 1 && !(await unchanged(firestore, seen))) return "lost";
    return { result };
  } catch (error) {
    const code = codeOf(error);
    if (code === aborted) return "lost";
    if (unmet.includes(code ?? 0) && !(await unchanged(firestore, seen))) return "lost";
    throw error;
  }
}

/** Codes of a commit: others write the same at this moment, or a document is not what the commit relies on. */
const aborted = 10;
const unmet: readonly number[] = [5, 6, 9];

/** An error of a body, which is not to be taken for one of Firestore, whatever it looks like. */
class OwnError extends Error {
  constructor(cause: unknown) {
    super("Not an error of Firestore", { cause });
  }
}

/** The client, once it is loaded. */
interface Client {
  readonly google: Google;
  readonly firestore: Firestore;
}

async function open({ projectId, databaseId, host }: FirestoreOptions): Promise<Client> {
  if (host !== undefined || process.env["FIRESTORE_EMULATOR_HOST"] !== undefined) {
    // Even without TLS the client looks for credentials, by asking a metadata server that is not there.
    process.env["METADATA_SERVER_DETECTION"] ??= "none";
  }
  const google = await import("@google-cloud/firestore");
  const firestore = new google.Firestore({
    projectId,
    ...(databaseId === undefined ? {} : { databaseId }),
    ...(host === undefined ? {} : { host, ssl: false }),
    preferRest: false,
    // Without it a refused query is sent twice more, and takes seven seconds to fail.
    gaxServerStreamingRetries: true,
  });
  return { google, firestore };
}

function fieldsOf(google: Google, snapshot: DocumentSnapshot): Fields | undefined {
  const fields = snapshot.data();
  return fields && plainMap(google, fields);
}

/** Types that only an operator can have put there, in the console, are read as text or as what they consist of. */
function plain(google: Google, value: unknown): Value {
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (value instanceof google.Timestamp) return value.toDate();
  if (Array.isArray(value)) return value.map((element) => plain(google, element));
  if (value instanceof google.GeoPoint) return { latitude: value.latitude, longitude: value.longitude };
  if (value instanceof google.DocumentReference) return value.path;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype) return plainMap(google, value);
  return String(value);
}

function plainMap(google: Google, map: object): Fields {
  return Object.fromEntries(Object.entries(map).map(([field, value]) => [field, plain(google, value)]));
}

/** Stored heartbeats: a document for each name, with the newest heartbeat. */

import type { Heartbeat } from "../messages/heartbeat.ts";
import type { Fields, Store } from "../ports.ts";
import { ownEntry } from "../runtime/entries.ts";
import { bounded } from "../text/redact.ts";

/** The collection of the documents; their ids are the names. */
export const heartbeatCollection: string = "heartbeats";

/** The newest beat of a name; instants in milliseconds since the epoch. */
export interface KeptHeartbeat {
  readonly at: number;
  readonly ok: boolean;
  readonly message?: string;
  /** When it last went well, if ever. */
  readonly okAt?: number;
}

/** Reads the newest beat of a name; `undefined` where there never was one. */
export type HeartbeatReader = (name: string) => Promise<KeptHeartbeat | undefined>;

/** Since when the beats of a probe have been awaited, in milliseconds since the epoch; Infinity where it has only been added, `undefined` where nothing is kept of any. */
export type AwaitedReader = (probe: string) => Promise<number | undefined>;

/** The beats that a store holds. */
export function heartbeatsIn(store: Pick<Store, "get">): HeartbeatReader {
  return async (name) => {
    const fields = await store.get(heartbeatCollection, name);
    return fields === undefined ? undefined : decode(fields);
  };
}

/** Document in which the evaluator records since when each probe waits: a heartbeat cannot be missed before it is expected. */
export const awaitedPlace = { collection: "state", id: "awaited" } as const;

/** The document of since when each probe waits, by its name. */
export function awaitedFields(since: Readonly<Record<string, number>>, now: number): Fields {
  return { data: JSON.stringify(since), updated_at: new Date(now) };
}

/** Since when each probe waits, as a store holds it. */
export function awaitedIn(store: Pick<Store, "get">): AwaitedReader {
  return async (probe) => {
    const fields = await store.get(awaitedPlace.collection, awaitedPlace.id);
    if (fields === undefined) return undefined;
    const since = JSON.parse(String(fields["data"])) as Readonly<Record<string, number>>;
    return ownEntry(since, probe) ?? Number.POSITIVE_INFINITY;
  };
}

/**
 * Keeps a beat, unless a newer one is kept already: messages come twice and overtake each other.
 * @param at when it was published, in milliseconds since the epoch
 * @param latest the newest instant that can have passed: what is kept of the future, by a clock that was wrong, is not newer
 */
export async function keepHeartbeat(
  store: Store,
  beat: Heartbeat,
  at: number,
  latest: number = Number.POSITIVE_INFINITY,
): Promise<void> {
  await store.transaction(async (transaction) => {
    const fields = await transaction.get(heartbeatCollection, beat.name);
    const known = fields === undefined ? undefined : decode(fields);
    if (known === undefined || known.at < at || known.at > latest)
      transaction.set(heartbeatCollection, beat.name, encode(following(known, beat, at)));
  });
}

/** Fields after a heartbeat that is newer than all before. */
export function following(known: KeptHeartbeat | undefined, { ok, message }: Heartbeat, at: number): KeptHeartbeat {
  const okAt = ok ? at : known?.okAt;
  return {
    at,
    ok,
    ...(message === undefined ? {} : { message: bounded(message) }),
    ...(okAt === undefined ? {} : { okAt }),
  };
}

function encode({ at, ok, message, okAt }: KeptHeartbeat): Fields {
  return {
    at: new Date(at),
    ok,
    ...(message === undefined ? {} : { message }),
    ...(okAt === undefined ? {} : { ok_at: new Date(okAt) }),
  };
}

function decode({ at, ok, message, ok_at: okAt }: Fields): KeptHeartbeat | undefined {
  if (!(at instanceof Date)) return undefined;
  return {
    at: at.getTime(),
    ok: ok === true,
    ...(typeof message === "string" ? { message } : {}),
    ...(okAt instanceof Date ? { okAt: okAt.getTime() } : {}),
  };
}

/**
 * Commits that hold no lock. A transaction of Firestore's client locks what it reads, and where its function is killed in between, those
 * documents stay locked against everybody for another minute. Here documents are read without a lock, and the commit holds only where none
 * of them has changed since.
 */
import type { DocumentReference, DocumentSnapshot, Firestore, Precondition, WriteBatch } from "@google-cloud/firestore";
import type { Write } from "./checked-store.ts";

/** The module of Google's client. */
export type Google = typeof import("@google-cloud/firestore");

/** Documents as a body of a transaction saw them, by path. */
export type Seen = ReadonlyMap<string, DocumentSnapshot>;

/** The reference to a document; its path is its name in `Seen`. */
export function referenceTo(firestore: Firestore, collection: string, id: string): DocumentReference {
  return firestore.collection(collection).doc(id);
}

/** Returns whether every document is unchanged since it was read. */
export async function unchanged(firestore: Firestore, seen: Seen): Promise<boolean> {
  if (seen.size === 0) return true;
  const snapshots = [...seen.values()];
  // Without fields an answer still has the times by which a document is known again.
  const now = await firestore.getAll(...snapshots.map(({ ref }) => ref), { fieldMask: [] });
  return now.every(({ exists, updateTime }, at) => {
    const before = snapshots[at]?.updateTime;
    return before === undefined ? !exists : updateTime?.isEqual(before) === true;
  });
}

/**
 * Writes all, in their order, or nothing.
 * @throws an error of the client: among them 5, 6, 9 where a document is not as it was seen, or 10 where others write at this moment
 */
export async function commit(
  google: Google,
  firestore: Firestore,
  writes: readonly Write[],
  seen: Seen,
): Promise<void> {
  const batch = firestore.batch();
  const unproved = new Map(seen);
  for (const write of writes) {
    const reference = referenceTo(firestore, write.collection, write.id);
    const snapshot = unproved.get(reference.path);
    unproved.delete(reference.path);
    add(google, batch, reference, write, snapshot);
  }
  for (const snapshot of unproved.values()) prove(google, batch, snapshot);
  await batch.commit();
}

/** Adds a write. @param seen what the document must still be like; absent where that does not matter, or is proved already */
function add(
  google: Google,
  batch: WriteBatch,
  reference: DocumentReference,
  write: Write,
  seen: DocumentSnapshot | undefined,
): void {
  const precondition = asSeen(seen);
  switch (write.kind) {
    case "create":
      return void batch.create(reference, write.fields);
    case "delete":
      return void batch.delete(reference, precondition);
    case "update":
      return void change(google, batch, reference, Object.entries(write.fields), precondition);
    case "set": {
      if (seen === undefined) return void batch.set(reference, write.fields);
      if (!seen.exists) return void batch.create(reference, write.fields);
      // Only an update has a precondition: what is not written any more is taken away by it.
      const gone = Object.keys(seen.data() ?? {}).filter((field) => !Object.hasOwn(write.fields, field));
      const entries = [
        ...Object.entries(write.fields),
        ...gone.map((field) => [field, google.FieldValue.delete()] as const),
      ];
      return void change(google, batch, reference, entries, precondition);
    }
  }
}

/** Proves that a document which was read and is not written is as it was seen: by a write that leaves it as it is. */
function prove(google: Google, batch: WriteBatch, seen: DocumentSnapshot): void {
  const fields = Object.entries(seen.data() ?? {});
  if (!seen.exists) batch.delete(seen.ref, { exists: false });
  else change(google, batch, seen.ref, fields.slice(0, 1), asSeen(seen));
}

/** Writes top-level fields, by path, because the client takes a dot in the name of a field for a step into a map. */
function change(
  google: Google,
  batch: WriteBatch,
  reference: DocumentReference,
  entries: readonly (readonly [string, unknown])[],
  precondition: Precondition,
): void {
  const [first, ...others] = entries.map(([field, value]) => [new google.FieldPath(field), value] as const);
  if (first !== undefined) batch.update(reference, first[0], first[1], ...others.flat(), ...given(precondition));
  // The client refuses an update of nothing.
  else batch.delete(reference, precondition).set(reference, {});
}

function asSeen(seen: DocumentSnapshot | undefined): Precondition {
  if (seen === undefined) return {};
  return seen.updateTime === undefined ? { exists: false } : { lastUpdateTime: seen.updateTime };
}

function given(precondition: Precondition): readonly Precondition[] {
  return precondition.lastUpdateTime === undefined ? [] : [precondition];
}

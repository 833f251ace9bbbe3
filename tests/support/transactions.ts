/** Replaces the reads of transactions, for stores that are slow or counted. */
import type { Reads, Transaction } from "../../shared/ports.ts";

/** Returns a transaction that writes through another and reads with `get`. */
export function readingBy(inner: Transaction, get: Reads["get"]): Transaction {
  return {
    get,
    set: inner.set.bind(inner),
    create: inner.create.bind(inner),
    update: inner.update.bind(inner),
    delete: inner.delete.bind(inner),
  };
}

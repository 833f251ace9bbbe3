/** Transactions whose reads take another way, for stores that are slow or counted. */
import type { Reads, Transaction } from "../../shared/ports.ts";

/** A transaction that writes as another does and reads as it is told. */
export function readingBy(inner: Transaction, get: Reads["get"]): Transaction {
  return {
    get,
    set: inner.set.bind(inner),
    create: inner.create.bind(inner),
    update: inner.update.bind(inner),
    delete: inner.delete.bind(inner),
  };
}

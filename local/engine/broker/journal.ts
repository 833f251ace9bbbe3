/** Persistent state of the broker in SQLite: subscriptions, messages, and pending deliveries. */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { DamagedFile, type Tables } from "../../../shared/adapters/sqlite-file.ts";
import type { PushSubscription } from "../../../shared/topology.ts";

/** A published message. */
export interface Message {
  readonly id: number;
  readonly topic: string;
  readonly json: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch. */
  readonly publishedAt: number;
}

/** A message pending for one subscription. */
export interface Delivery {
  readonly message: Message;
  /** Attempts that failed. */
  readonly failures: number;
  /** Milliseconds since the epoch, before which it is not tried. */
  readonly due: number;
}

/** Pending delivery of a new message to one subscription. */
export interface PendingDelivery {
  readonly subscription: string;
  /** Milliseconds since the epoch, before which it is not tried. */
  readonly due: number;
  /** Milliseconds after which to push copies of it, as a disturbance. They are not written down. */
  readonly copiesMs: readonly number[];
}

/** A message with its pending deliveries. */
export interface Publication {
  readonly message: Message;
  readonly pending: readonly PendingDelivery[];
}

/** The tables of a journal. */
export const journalTables: Tables = new Map([
  ["subscriptions", { columns: ["name", "settings"], json: "settings" }],
  ["messages", { columns: ["id", "topic", "json", "attributes", "published_at"], json: "json" }],
  ["deliveries", { columns: ["message", "subscription", "failures", "due"], json: "failures" }],
]);

/** Content recovered from a damaged journal. */
export interface Salvage {
  readonly subscriptions: readonly PushSubscription[];
  readonly messages: readonly Message[];
}

/** Reads what can be read of a damaged journal. Pending deliveries are lost: each message goes to every subscription, and duplicates do no harm. */
export function salvageJournal(damaged: string): Salvage {
  const file = new DamagedFile(damaged);
  try {
    const subscriptions = Array.from(file.rows("subscriptions"), ({ settings }) => parsed<PushSubscription>(settings));
    const messages = Array.from(file.rows("messages"), ({ id, topic, json, attributes, published_at }) => {
      const known = parsed<Message["attributes"]>(attributes);
      if (known === undefined || parsed(json) === undefined) return undefined;
      const publishedAt = Number(published_at);
      return { id: Number(id), topic: String(topic), json: String(json), attributes: known, publishedAt };
    });
    return { subscriptions: subscriptions.filter(isWhole), messages: messages.filter(isWhole) };
  } finally {
    file.close();
  }
}

function parsed<T>(json: unknown): T | undefined {
  try {
    return JSON.parse(String(json)) as T;
  } catch {
    return undefined;
  }
}

function isWhole<T>(value: T | undefined): value is T {
  return value !== undefined;
}

/**
 * A journal in one file, of one process. Each call is one transaction that is there after the process was killed; a loss of power may take
 * the last of them.
 */
export class Journal {
  readonly #database: DatabaseSync;
  readonly #statements: ReturnType<typeof prepare>;

  /**
   * @param file where to keep it; in memory, and gone with the process, when not given
   * @throws Error when the file cannot be opened, or another process has it open
   */
  constructor(file?: string) {
    try {
      this.#database = new DatabaseSync(file ?? ":memory:");
      this.#database.exec(schema);
      this.#statements = prepare(this.#database);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new Error(
        /locked/.test(reason)
          ? `the broker's file ${file} is in use: stop the other process, or choose another folder for its data`
          : `the broker cannot use its file ${file}: ${reason}`,
        { cause },
      );
    }
  }

  /** The highest id ever used, or 0. */
  lastId(): number {
    return Number(this.#statements.lastId.get()?.["seq"] ?? 0);
  }

  subscriptions(): PushSubscription[] {
    return this.#statements.subscriptions.all().map((row) => JSON.parse(String(row["settings"])));
  }

  saveSubscription(subscription: PushSubscription): void {
    this.#statements.saveSubscription.run(subscription.name, JSON.stringify(subscription));
  }

  /** Writes messages down, all or none, and strikes off what is settled by that: the delivery that `settled` names. */
  append(publications: readonly Publication[], settled?: { readonly subscription: string; readonly id: number }): void {
    this.#transaction(() => {
      for (const { message, pending } of publications) {
        const { id, topic, json, attributes, publishedAt } = message;
        this.#statements.saveMessage.run(id, topic, json, JSON.stringify(attributes), publishedAt);
        for (const { subscription, due } of pending) this.#statements.saveDelivery.run(id, subscription, due);
        this.#statements.forget.run(id);
      }
      if (settled !== undefined) this.#strike(settled.subscription, settled.id);
    });
  }

  /** Strikes a delivery off, and the message with its last one. */
  settle(subscription: string, id: number): void {
    this.#transaction(() => this.#strike(subscription, id));
  }

  /** Notes that a delivery failed and when it is due again. */
  postpone(subscription: string, { message, failures, due }: Delivery): void {
    this.#statements.postpone.run(failures, due, message.id, subscription);
  }

  /** Returns the pending deliveries of a subscription, oldest first. */
  pendingOf(subscription: string): Delivery[] {
    return this.#statements.pending.all(subscription).map((row) => ({
      message: {
        id: Number(row["id"]),
        topic: String(row["topic"]),
        json: String(row["json"]),
        attributes: JSON.parse(String(row["attributes"])),
        publishedAt: Number(row["published_at"]),
      },
      failures: Number(row["failures"]),
      due: Number(row["due"]),
    }));
  }

  /** Drops the messages published before `instant`, in milliseconds since the epoch; returns how many. */
  dropBefore(instant: number): number {
    return Number(this.#statements.dropBefore.run(instant).changes);
  }

  close(): void {
    this.#database.close();
  }

  #strike(subscription: string, id: number): void {
    this.#statements.strike.run(id, subscription);
    this.#statements.forget.run(id);
  }

  #transaction(body: () => void): void {
    this.#database.exec("BEGIN");
    try {
      body();
      this.#database.exec("COMMIT");
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }
}

// AUTOINCREMENT remembers the highest id after its message is gone. The lock keeps a second broker from pushing everything again.
const schema = `
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA foreign_keys = ON;
  CREATE TABLE IF NOT EXISTS subscriptions (name TEXT PRIMARY KEY, settings TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, json TEXT NOT NULL, attributes TEXT NOT NULL,
    published_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS deliveries (
    message INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE, subscription TEXT NOT NULL,
    failures INTEGER NOT NULL DEFAULT 0, due INTEGER NOT NULL, PRIMARY KEY (message, subscription)
  ) STRICT, WITHOUT ROWID;
`;

function prepare(database: DatabaseSync): {
  readonly [name in
    | "lastId"
    | "subscriptions"
    | "saveSubscription"
    | "saveMessage"
    | "saveDelivery"
    | "postpone"
    | "strike"
    | "forget"
    | "pending"
    | "dropBefore"]: StatementSync;
} {
  return {
    lastId: database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'messages'"),
    subscriptions: database.prepare("SELECT settings FROM subscriptions ORDER BY name"),
    saveSubscription: database.prepare("INSERT OR REPLACE INTO subscriptions (name, settings) VALUES (?, ?)"),
    saveMessage: database.prepare(
      "INSERT INTO messages (id, topic, json, attributes, published_at) VALUES (?, ?, ?, ?, ?)",
    ),
    saveDelivery: database.prepare("INSERT INTO deliveries (message, subscription, due) VALUES (?, ?, ?)"),
    postpone: database.prepare("UPDATE deliveries SET failures = ?, due = ? WHERE message = ? AND subscription = ?"),
    strike: database.prepare("DELETE FROM deliveries WHERE message = ? AND subscription = ?"),
    forget: database.prepare(
      "DELETE FROM messages WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM deliveries WHERE message = ?1)",
    ),
    pending: database.prepare(
      "SELECT m.*, d.failures, d.due FROM deliveries d JOIN messages m ON m.id = d.message WHERE d.subscription = ? ORDER BY m.id",
    ),
    dropBefore: database.prepare("DELETE FROM messages WHERE published_at < ?"),
  };
}

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { silentLogger } from "../../shared/runtime/logger.ts";
import { subscriptions, topics } from "../../shared/topology.ts";
import { RecurringFailures } from "../failures.ts";
import { openReceiver } from "./broker/receiver.ts";
import { startEmbedded } from "./embedded.ts";
import type { Engine } from "./engine.ts";
import { newToken } from "./request-guard.ts";

let dataDir: string;
let reported: string[];
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "pathkeeper-engine-"));
  reported = [];
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const start = (recover = false): Promise<Engine> =>
  startEmbedded({
    dataDir,
    duplicates: 0,
    disorderMs: 0,
    token: newToken(),
    logger: silentLogger,
    failures: new RecurringFailures(() => {}),
    recovery: { recover, report: (sentence) => void reported.push(sentence), now: Date.parse("2025-09-16T12:00:00Z") },
  });

const [listening] = subscriptions.filter(({ topic }) => topic === topics.notifications);
if (listening === undefined) throw new Error("nobody listens to notifications");

describe("the embedded engine", () => {
  it.each(["store.db", "broker.db"])("refuses a damaged %s in one sentence, and leaves nothing open", async (name) => {
    const file = join(dataDir, name);
    writeFileSync(file, "no database ".repeat(1_000));
    const servers = (): number => process.getActiveResourcesInfo().filter((one) => one === "TCPServerWrap").length;
    const before = servers();
    await expect(start()).rejects.toThrow(
      `${file} is not a database: start again with --recover to set it aside and keep what can be read, or choose another folder with --data DIR`,
    );
    expect(servers()).toBe(before);
    expect(readdirSync(dataDir).filter((other) => other.includes("damaged"))).toEqual([]);
  });

  it("keeps the documents and messages of damaged files with --recover", async () => {
    const first = await start();
    await first.subscribe([{ subscription: listening, url: "http://127.0.0.1:1" }]);
    await first.store.set("incidents", "a", { title: "An outage" });
    await first.publisher.publish(topics.notifications, [{ data: { n: 1 } }]);
    await first.stop();
    for (const name of ["store.db", "broker.db"]) damage(join(dataDir, name));

    await expect(start()).rejects.toThrow("--recover");
    const second = await start(true);
    onTestFinished(() => second.stop());
    const aside = "damaged-20250916T120000Z";
    expect(reported).toEqual([
      expect.stringMatching(`store.db is damaged: .*: it was set aside as .*store.db.${aside}$`),
      expect.stringMatching(`broker.db is damaged: .*: it was set aside as .*broker.db.${aside}$`),
      expect.stringMatching(`^1 documents of .*store.db.${aside} were kept$`),
      expect.stringMatching(`^1 messages of .*broker.db.${aside} were kept$`),
    ]);
    expect(await second.store.get("incidents", "a")).toEqual({ title: "An outage" });
    const received = Promise.withResolvers<unknown>();
    const receiver = await openReceiver(({ message }) => {
      received.resolve(message.data);
      return 204;
    });
    onTestFinished(() => receiver.close());
    await second.subscribe([{ subscription: listening, url: receiver.url }]);
    expect(await received.promise).toEqual({ n: 1 });
  });
});

/** Adds pages that no table knows of to the count in the header, as a write that was cut off leaves it. Source: https://sqlite.org/fileformat.html. */
function damage(file: string): void {
  const bytes = readFileSync(file);
  bytes.writeUInt32BE(bytes.readUInt32BE(28) + 3, 28);
  writeFileSync(file, bytes);
}

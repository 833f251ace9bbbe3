import { describe, expect, it } from "vitest";
import { MemoryStore } from "../../shared/adapters/memory.ts";
import { heartbeatCollection, heartbeatsIn } from "../../shared/documents/heartbeats.ts";
import type { PushedMessage } from "../../shared/messages/push.ts";
import { silentLogger } from "../../shared/runtime/logger.ts";
import { configurationOf } from "./heartbeats.fixtures.ts";
import { takeInHeartbeat } from "./heartbeats.ts";

const minute = 60_000;

const pushed = (data: unknown, minutes: number): PushedMessage => ({
  messageId: `${minutes}`,
  publishedAt: minutes * minute,
  attributes: {},
  data,
  subscription: "evaluate-heartbeats",
});

/** Takes in beats, each with the minute of its publication, and reads what is kept of the backup. */
async function keptOf(...beats: [data: unknown, minutes: number][]) {
  const store = new MemoryStore();
  const logged: string[] = [];
  const logger = { ...silentLogger, warning: (message: string) => void logged.push(message) };
  for (const [data, minutes] of beats)
    await takeInHeartbeat(pushed(data, minutes), configurationOf("backup"), { store, logger });
  const documents = await store.query({ collection: heartbeatCollection });
  return { kept: await heartbeatsIn(store)("backup"), names: documents.map(({ id }) => id), said: logged };
}

describe("beats", () => {
  it("keeps the newest of each name if they arrive twice or out of order", async () => {
    const { kept } = await keptOf(
      [{ name: "backup" }, 1],
      [{ name: "backup", ok: false, message: "disk\nfull" }, 3],
      [{ name: "backup", v: 1, ok: true }, 2],
      [{ name: "backup", ok: false, message: "disk\nfull" }, 3],
    );
    expect(kept).toEqual({ at: 3 * minute, ok: false, message: "disk full", okAt: minute });
  });

  it("clears the message on success", async () => {
    const { kept } = await keptOf([{ name: "backup", ok: false, message: "full" }, 1], [{ name: "backup" }, 2]);
    expect(kept).toEqual({ at: 2 * minute, ok: true, okAt: 2 * minute });
  });

  it("drops and logs names that no probe expects", async () => {
    const { names, said: logged } = await keptOf(
      [{ name: "backups" }, 1],
      [{ name: "../x" }, 2],
      [{ name: "backup" }, 3],
    );
    expect(names).toEqual(["backup"]);
    expect(logged).toEqual([
      'ignored a heartbeat named "backups", which no probe expects; did you mean backup?',
      'ignored a heartbeat named "../x", which no probe expects',
    ]);
  });

  it("replaces one dated in the future by a clock that was ahead", async () => {
    const store = new MemoryStore();
    const ports = { store, logger: silentLogger };
    await takeInHeartbeat(pushed({ name: "backup" }, 1440), configurationOf("backup"), ports);
    for (const minutes of [1, 2])
      await takeInHeartbeat(pushed({ name: "backup" }, minutes), configurationOf("backup"), {
        ...ports,
        latest: 2 * minute,
      });
    expect(await heartbeatsIn(store)("backup")).toEqual({ at: 2 * minute, ok: true, okAt: 2 * minute });
  });

  it("ignores those of another environment", async () => {
    const { names, said: logged } = await keptOf([{ name: "backup", environment: "other" }, 1]);
    expect([names, logged]).toEqual([[], []]);
  });

  it.each([
    [{}, "not a beat: name: "],
    [{ name: "backup", ok: "yes" }, "not a beat: ok: "],
    ["backup", "not a beat: it: "],
  ])("rejects invalid ones such as %j permanently", async (data, sentence) => {
    await expect(keptOf([data, 1])).rejects.toThrow(sentence);
    await expect(keptOf([data, 1])).rejects.toMatchObject({ name: "MalformedMessage" });
  });
});

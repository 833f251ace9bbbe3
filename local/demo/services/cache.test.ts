import { describe, expect, it, onTestFinished } from "vitest";
import { probeOnce } from "../../../functions/probe/fixtures.ts";
import { redis } from "../../../functions/probe/probers/redis.ts";
import { askCache, startCache } from "./cache.ts";

async function started(): Promise<{ port: number; ask: (...words: string[]) => Promise<string> }> {
  const { port, stop } = await startCache("c4che-password");
  onTestFinished(stop);
  return { port, ask: (...words) => askCache({ port, password: "c4che-password" }, words, 5_000) };
}

describe("the cache of the demo", () => {
  it("passes the probe as a Redis primary", async () => {
    const { port } = await started();
    const settings = { host: "127.0.0.1", port, password: { secret: "cache" }, replication: "primary" };
    const probe = (cache: string) => probeOnce(redis, settings, { secrets: { cache } });
    expect((await probe("c4che-password")).failure).toBeUndefined();
    expect((await probe("another")).failure).toMatchObject({ kind: "auth", code: "WRONGPASS" });
  });

  it("counts, stores and deletes", async () => {
    const { ask } = await started();
    expect([await ask("INCR", "messages"), await ask("incr", "messages")]).toEqual(["1", "2"]);
    expect(await ask("SET", "name", "größer")).toBe("OK");
    await expect(ask("INCR", "name")).rejects.toThrow("the cache refused: ERR value is not an integer");
    expect([await ask("DEL", "name"), await ask("GET", "name")]).toEqual(["1", "-1"]);
    await expect(ask("FLUSHALL")).rejects.toThrow("the cache refused: ERR unknown command 'FLUSHALL'");
  });

  it("requires authentication", async () => {
    const { port } = await started();
    await expect(askCache({ port, password: "wrong" }, ["GET", "messages"], 5_000)).rejects.toThrow("WRONGPASS");
  });
});

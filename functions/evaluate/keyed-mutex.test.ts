import { describe, expect, it } from "vitest";
import { KeyedMutex } from "./keyed-mutex.ts";

describe("the keyed mutex", () => {
  it("serializes work under one key, and runs different keys concurrently", async () => {
    const mutex = new KeyedMutex();
    const log: string[] = [];
    const gates = new Map<string, () => void>();
    const work = (name: string) => async (): Promise<void> => {
      log.push(`${name} begins`);
      await new Promise<void>((open) => gates.set(name, open));
      log.push(`${name} ends`);
    };
    const all = [mutex.take("a", work("a1")), mutex.take("a", work("a2")), mutex.take("b", work("b1"))];
    await Promise.resolve();
    expect(log).toEqual(["a1 begins", "b1 begins"]);
    gates.get("a1")?.();
    await all[0];
    gates.get("a2")?.();
    gates.get("b1")?.();
    await Promise.all(all);
    expect(log).toEqual(["a1 begins", "b1 begins", "a1 ends", "a2 begins", "a2 ends", "b1 ends"]);
  });

  it("continues after failed work", async () => {
    const mutex = new KeyedMutex();
    const failed = mutex.take("a", () => Promise.reject(new Error("no")));
    const next = mutex.take("a", async () => "yes");
    await expect(failed).rejects.toThrow("no");
    expect(await next).toBe("yes");
  });
});

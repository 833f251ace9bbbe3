import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { freePort } from "../../local/free-port.ts";
import { FirestoreStore, storeErrorOf } from "./firestore.ts";

// The contract of every store is tested against Google's emulator: `firestore.slow.test.ts`.
describe("FirestoreStore", () => {
  it("loads Google's client lazily", async () => {
    const script = `
      import { createRequire } from "node:module";
      import { FirestoreStore } from ${JSON.stringify(new URL("./firestore.ts", import.meta.url).href)};
      const { cache } = createRequire("/");
      const isLoaded = () => Object.keys(cache).some((file) => file.includes("/@google-cloud/firestore/"));
      const store = new FirestoreStore({ projectId: "p", host: "127.0.0.1:1", deadlineMs: 2_000 });
      await store.get("incidents", "a/b").catch(({ code }) => console.log(code, isLoaded()));
      await store.get("incidents", "a").catch(({ code }) => console.log(code, isLoaded()));
      process.exit();`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script]);
    expect(stdout.split("\n")).toEqual(["invalid false", "unavailable true", ""]);
  });

  it("gives up on an unreachable server at its deadline", async () => {
    const store = new FirestoreStore({ projectId: "p", host: `127.0.0.1:${await freePort()}`, deadlineMs: 500 });
    await expect(store.get("incidents", "a")).rejects.toMatchObject({ code: "unavailable", retryable: true });
    await expect(store.set("incidents", "a", {})).rejects.toMatchObject({ code: "unavailable", retryable: true });
    await store.close();
  });

  it.each([
    [3, "invalid"],
    [4, "unavailable"],
    [5, "missing"],
    [6, "exists"],
    [7, "unavailable"],
    [8, "unavailable"],
    [9, "invalid"],
    [10, "contention"],
    [13, "unavailable"],
    [14, "unavailable"],
    ["ENOTFOUND", "unavailable"],
  ])("maps the code %s to %s", (code, expected) => {
    const cause = Object.assign(new Error("no luck"), { code });
    expect(storeErrorOf("Read of incidents/a", cause)).toMatchObject({
      code: expected,
      message: "Read of incidents/a: no luck",
      cause,
    });
  });
});

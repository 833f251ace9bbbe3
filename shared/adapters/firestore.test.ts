import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Emulator, missingEmulator, startEmulator } from "../../local/emulators.ts";
import { freePort } from "../../local/free-port.ts";
import { FirestoreStore, storeErrorOf } from "./firestore.ts";
import { storeContract } from "./store.contract.ts";

const missing = missingEmulator("firestore");
if (missing !== undefined) {
  const bar = "#".repeat(100);
  console.warn(
    `\n${bar}\n# NOT TESTED: the Firestore adapter. Its contract suite needs Google's emulator.\n# ${missing}\n${bar}\n`,
  );
}

describe.skipIf(missing !== undefined)("with Google's emulator", () => {
  let emulator: Emulator | undefined;
  beforeAll(async () => {
    emulator = await startEmulator("firestore");
  });
  afterAll(() => emulator?.stop());

  const open = (projectId: string): FirestoreStore => new FirestoreStore({ projectId, host: emulator?.host ?? "" });

  storeContract("FirestoreStore", async (options) => {
    const store = new FirestoreStore({ ...options, projectId: newProject(), host: emulator?.host ?? "" });
    return { store, close: () => store.close() };
  });

  it("reads what only an operator can have written, in the console", async () => {
    const projectId = newProject();
    const { Firestore, GeoPoint } = await import("@google-cloud/firestore");
    const console = new Firestore({ projectId, host: emulator?.host ?? "", ssl: false });
    await console.doc("incidents/a").set({
      place: new GeoPoint(1, 2),
      other: console.doc("incidents/b"),
      bytes: Buffer.from("hi"),
      nan: Number.NaN,
      list: [Number.POSITIVE_INFINITY],
    });
    await console.terminate();
    const store = open(projectId);
    const fields = await store.get("incidents", "a");
    expect(fields).toEqual({
      place: { latitude: 1, longitude: 2 },
      other: "incidents/b",
      bytes: "aGk=",
      nan: "NaN",
      list: ["Infinity"],
    });
    await store.set("incidents", "b", fields ?? {});
    expect(await store.get("incidents", "b")).toEqual(fields);
    await store.close();
  });

  it("keeps databases apart", async () => {
    const projectId = newProject();
    const [one, other] = [
      open(projectId),
      new FirestoreStore({ projectId, databaseId: "other", host: emulator?.host ?? "" }),
    ];
    await one.set("incidents", "a", { n: 1 });
    expect(await other.get("incidents", "a")).toBeUndefined();
    await one.close();
    await other.close();
  });
});

describe("FirestoreStore", () => {
  it("loads Google's client no sooner than it is needed", async () => {
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

  it("gives up a server that is not there, at its deadline", async () => {
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
  ])("takes the code %s for %s", (code, expected) => {
    const cause = Object.assign(new Error("no luck"), { code });
    expect(storeErrorOf("Read of incidents/a", cause)).toMatchObject({
      code: expected,
      message: "Read of incidents/a: no luck",
      cause,
    });
  });
});

function newProject(): string {
  return `test-${randomUUID()}`;
}

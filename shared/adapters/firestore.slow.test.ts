import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { missingEmulator } from "../../local/engine/emulators.ts";
import { startedOnce } from "../../tests/support/started-once.ts";
import { FirestoreStore } from "./firestore.ts";
import { storeContract } from "./store.contract.ts";

const missing = missingEmulator("firestore");
if (missing !== undefined) {
  const bar = "#".repeat(100);
  console.warn(
    `\n${bar}\n# NOT TESTED: the Firestore adapter. Its contract suite needs Google's emulator.\n# ${missing}\n${bar}\n`,
  );
}

describe.skipIf(missing !== undefined)("with Google's emulator", () => {
  let host: string;
  beforeAll(async () => {
    host = await startedOnce("firestore");
  });

  const open = (projectId: string): FirestoreStore => new FirestoreStore({ projectId, host });

  storeContract("FirestoreStore", async (options) => {
    const store = new FirestoreStore({ ...options, projectId: newProject(), host });
    return { store, close: () => store.close() };
  });

  it("reads values that only an operator can write in the console", async () => {
    const projectId = newProject();
    const { Firestore, GeoPoint } = await import("@google-cloud/firestore");
    const console = new Firestore({ projectId, host, ssl: false });
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
    const [one, other] = [open(projectId), new FirestoreStore({ projectId, databaseId: "other", host })];
    await one.set("incidents", "a", { n: 1 });
    expect(await other.get("incidents", "a")).toBeUndefined();
    await one.close();
    await other.close();
  });
});

function newProject(): string {
  return `test-${randomUUID()}`;
}

/** The commands by which people act on incidents, on Firestore. */
import { randomBytes } from "node:crypto";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { missingEmulator } from "../../local/engine/emulators.ts";
import { FirestoreStore } from "../../shared/adapters/firestore.ts";
import type { Fields } from "../../shared/ports.ts";
import { startedOnce } from "../../tests/support/started-once.ts";
import { run } from "../local-probes.fixtures.ts";

const missing = missingEmulator("firestore");
if (missing !== undefined) console.warn(`\n######## NOT TESTED: commands on Firestore ########\n# ${missing}\n`);

const incident = "20250916-121200-vpc-connector";

/** Creates a project with one open incident. Returns it, and a function that reads the incident's document. */
async function project(database: string = "(default)"): Promise<{ readonly id: string; read(): Promise<Fields> }> {
  vi.stubEnv("FIRESTORE_EMULATOR_HOST", await startedOnce("firestore"));
  const id = `operator-${randomBytes(4).toString("hex")}`;
  const store = new FirestoreStore({ projectId: id, databaseId: database });
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await store.close();
  });
  await store.set("incidents", incident, {
    title: "Shop: VPC connector failing",
    summary: "The VPC connector is saturated.",
    status: "open",
    severity: "critical",
    opened_at: new Date("2025-09-16T12:12:00Z"),
    edited_by: null,
  });
  return { id, read: async () => (await store.get("incidents", incident)) ?? {} };
}

describe.skipIf(missing)("on Firestore", () => {
  it.each([
    [["ack"], { status: "acknowledged" }],
    [["resolve"], { status: "resolved" }],
    [["note", "Ana is on it"], { note: "Ana is on it" }],
    [["note", "Back by noon.", "--public"], { public_note: "Back by noon." }],
    [["silence", "--for", "2h"], { silenced_until: expect.any(Date) }],
  ] as const)("%j writes its field, and who it was", async (args, written) => {
    const { id, read } = await project();
    expect(await run(...args, "--project", id, "--by", "Ana", "--json")).toMatchObject({ code: 0, err: [] });
    const [field = ""] = Object.keys(written);
    const edits = { [field]: { by: "Ana", via: "on the command line" } };
    expect(await read()).toMatchObject({ ...written, edited_by: "Ana", edits });
  });

  it("lists open incidents", async () => {
    const { id } = await project();
    const { code, out } = await run("incidents", "--project", id, "--json");
    expect([code, JSON.parse(out.join("\n"))]).toMatchObject([0, [{ id: incident, status: "open" }]]);
  });

  it("reads and writes the selected database", async () => {
    const { id, read } = await project("shop");
    expect(await run("ack", "--project", id)).toMatchObject({
      code: 2,
      err: [expect.stringMatching("there are no open incidents")],
    });
    expect(await run("ack", "--project", id, "--database", "shop")).toMatchObject({ code: 0 });
    expect(await read()).toMatchObject({ status: "acknowledged" });
  });
});

/** The commands by which people act on incidents, as they are called. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { SqliteStore } from "../../shared/adapters/sqlite.ts";
import type { Fields } from "../../shared/ports.ts";
import { run } from "../local-probes.fixtures.ts";

const connector = "20250916-121200-vpc-connector";
const login = "20250916-130000-login";

/** Creates a folder as `npm start -- --data` leaves it, with an incident of each status. Returns it, and a function that reads a document. */
async function system(statuses: Readonly<Record<string, string>>): Promise<{
  readonly data: string;
  read(id: string): Promise<Fields | undefined>;
}> {
  const data = mkdtempSync(join(tmpdir(), "pathkeeper-operator-"));
  onTestFinished(() => rmSync(data, { recursive: true, force: true }));
  const open = async <T>(use: (store: SqliteStore) => Promise<T>): Promise<T> => {
    const store = new SqliteStore(join(data, "store.db"));
    try {
      return await use(store);
    } finally {
      await store.close();
    }
  };
  await open(async (store) => {
    for (const [id, status] of Object.entries(statuses))
      await store.set("incidents", id, {
        title: `Shop: ${id.slice(16)} failing`,
        summary: "The VPC connector is saturated.",
        status,
        severity: "critical",
        opened_at: new Date(Date.UTC(2025, 8, 16, 12, 12)),
        resolved_at: status === "resolved" ? new Date(Date.UTC(2025, 8, 16, 13, 12)) : null,
        next_steps: ["Give the connector room."],
        edited_by: null,
      });
  });
  return { data, read: (id) => open((store) => store.get("incidents", id)) };
}

describe("an edit by command", () => {
  it.each([
    [["ack"], { status: "acknowledged" }, "is acknowledged"],
    [["resolve"], { status: "resolved" }, "is resolved"],
    [["note", "Ana is on it"], { note: "Ana is on it" }, "has a new note"],
    [["note", "Back by noon.", "--public"], { public_note: "Back by noon." }, "has a new public note"],
    [["silence", "--end"], { silenced_until: null }, "is not silenced any more"],
  ] as const)("%j of the only open incident writes its field and who it was", async (args, written, done) => {
    const { data, read } = await system({ [connector]: "open", [login]: "resolved" });
    expect(await run(...args, "--data", data, "--by", "Ana")).toEqual({
      code: 0,
      out: [`${connector} ${done}, by Ana. The monitor applies it within a minute.`],
      err: [],
    });
    const [field = ""] = Object.keys(written);
    const edits = { [field]: { by: "Ana", via: "on the command line" } };
    expect(await read(connector)).toMatchObject({ ...written, edited_by: "Ana", edits });
    expect(await read(login)).toMatchObject({ status: "resolved", edited_by: null });
  });

  it("silences from now until the given duration has passed", async () => {
    const { data, read } = await system({ [connector]: "open" });
    const before = Date.now();
    expect(await run("silence", connector, "--for", "2h", "--data", data, "--json")).toMatchObject({ code: 0 });
    const { silenced_until: until, edited_by: by } = (await read(connector)) ?? {};
    const ms = (until as Date).getTime() - before;
    expect(ms).toBeGreaterThanOrEqual(7_200_000);
    expect(ms).toBeLessThan(7_260_000);
    expect(by).toBe(userInfo().username);
  });

  it("withdraws an acknowledgement", async () => {
    const { data, read } = await system({ [connector]: "acknowledged" });
    expect((await run("ack", "--undo", "--data", data)).code).toBe(0);
    expect(await read(connector)).toMatchObject({ status: "open" });
  });

  it("accepts an unambiguous beginning of an ID", async () => {
    const { data, read } = await system({ [connector]: "open", [login]: "open" });
    expect((await run("ack", "20250916-13", "--data", data)).code).toBe(0);
    expect(await read(login)).toMatchObject({ status: "acknowledged" });
    expect(await read(connector)).toMatchObject({ status: "open" });
  });

  it.each([
    [["ack"], /2 incidents are open: specify one of 20250916-130000-login and 20250916-121200-vpc-connector/],
    [["ack", "20250916"], /several open incidents begin with 20250916: enter the full ID/],
    [["ack", "20250916-121200-vpc-conector"], /no incident .*: did you mean 20250916-121200-vpc-connector\?/],
    [["resolve", "constructor"], /there is no incident constructor: the open ones are/],
    [["resolve", "20250915-000000-gone"], /the incident is resolved already/],
    [["ack", connector, "--undo"], /the incident is open: there is no acknowledgement to withdraw/],
    [["silence", connector, "--for", "soon"], /--for soon is an invalid duration: use a value such as 30m or 2h/],
    [["note", connector, "we", "are"], /several arguments: put it in quotes/],
    [["note", connector, "  "], /the note is empty/],
    [["note"], /the note is empty/],
    [["note", connector, "x".repeat(1001)], /1001 characters: write at most 1000/],
    [["ack", connector, "--by", " "], /--by is empty: enter your name/],
  ] as const)("of %j says what is wrong, and writes nothing", async (args, message) => {
    const { data, read } = await system({ [connector]: "open", [login]: "open", "20250915-000000-gone": "resolved" });
    const { code, err } = await run(...args, "--data", data);
    expect([code, err.join()]).toEqual([2, expect.stringMatching(message)]);
    expect(await read(connector)).toMatchObject({ status: "open", edited_by: null });
  });

  it("is refused if no incident is open", async () => {
    const { data } = await system({});
    expect(await run("ack", "--data", data)).toMatchObject({
      code: 2,
      err: [expect.stringMatching(/there are no open incidents/)],
    });
  });
});

describe("incidents", () => {
  it("lists open incidents, newest first, with the summary and the first step", async () => {
    const { data } = await system({ [connector]: "acknowledged", [login]: "open", "20250915-000000-gone": "resolved" });
    const { out } = await run("incidents", "--data", data);
    expect(out.slice(0, 2).map((line) => line.split(/ {2,}/).slice(1, 4))).toEqual([
      [login, "critical", "open"],
      [connector, "critical", "acknowledged"],
    ]);
    expect(out.slice(2, 6)).toEqual([
      "",
      login,
      "  The VPC connector is saturated.",
      "  First: Give the connector room.",
    ]);
    expect(out.join()).not.toContain("gone");
  });

  it("lists resolved incidents with --all, with their durations", async () => {
    const { data } = await system({ "20250915-000000-gone": "resolved" });
    expect((await run("incidents", "--data", data)).out).toEqual(["No open incidents."]);
    const { out } = await run("incidents", "--all", "--data", data);
    expect(out).toEqual(["  20250915-000000-gone  critical  resolved  1 h  Shop: gone failing"]);
  });

  it("prints incidents as JSON", async () => {
    const { data } = await system({ [connector]: "open" });
    const { out } = await run("incidents", "--json", "--data", data);
    expect(JSON.parse(out.join("\n"))).toMatchObject([
      {
        id: connector,
        status: "open",
        opened_at: "2025-09-16T12:12:00.000Z",
        next_steps: ["Give the connector room."],
      },
    ]);
  });
});

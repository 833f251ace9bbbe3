import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { SqliteStore } from "../../shared/adapters/sqlite.ts";
import type { Fields } from "../../shared/ports.ts";
import { run } from "../local-probes.fixtures.ts";
import { main } from "../main.ts";
import { memoryTerminal } from "../terminal/terminal.ts";

const noon = Date.UTC(2025, 8, 16, 12);

/** A folder as `npm start -- --data` leaves it, with incidents by their ids. */
async function dataWith(...incidents: readonly (readonly [id: string, fields: Fields])[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "pathkeeper-postmortem-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const store = new SqliteStore(join(folder, "store.db"));
  for (const [index, [id, fields]] of incidents.entries()) {
    await store.set("incidents", id, {
      title: `Shop: outage ${index + 1}`,
      status: "resolved",
      severity: "critical",
      opened_at: new Date(Date.UTC(2025, 8, 16, 12, index)),
      ...fields,
    });
  }
  await store.set("deliveries", "20250916-120000-database:opened:mail", {
    incident: "20250916-120000-database",
    event: "opened",
    channel: "mail",
    sequence: 1,
    status: "delivered",
    reason: "a route",
    at: new Date("2025-09-16T12:00:00Z"),
    delivered_at: new Date("2025-09-16T12:00:04Z"),
    attempt_count: 1,
  });
  await store.close();
  return folder;
}

const database = ["20250916-120000-database", { postmortem: null }] as const;
const shop = ["20250916-120100-shop", { postmortem: "# Postmortem: as people left it\n", status: "resolved" }] as const;

describe("postmortem", () => {
  it("prints the stored document, including manual edits", async () => {
    const data = await dataWith([...database], [...shop]);
    expect(await run("postmortem", shop[0], "--data", data)).toEqual({
      code: 0,
      out: ["# Postmortem: as people left it"],
      err: [],
    });
  });

  it("generates it if it is not stored yet, with the deliveries", async () => {
    const data = await dataWith(["20250916-120000-database", { status: "open", postmortem: null }]);
    const { code, out } = await run("postmortem", "20250916-120000-database", "--data", data);
    expect(code).toBe(0);
    expect(out[0]).toMatch(/^# Draft postmortem: Shop: outage 1\n/);
    expect(out[0]).toContain("Delivered: opened to `mail` after 4 s");
  });

  it("prints a page with a picture of the incident, and escapes all texts", async () => {
    const incident = {
      status: "resolved",
      postmortem: null,
      root_cause: "database",
      title: "Shop: <script>alert(1)</script>",
      affected: [{ component: "database", title: "<img src=x>", trouble: "failed", from: new Date(noon), until: null }],
      symptoms: [
        { check: "db", kind: "probe", component: "database", since: new Date(noon), until: new Date(noon + 600_000) },
      ],
      first_failure_at: new Date(noon),
      resolved_at: new Date(noon + 900_000),
    };
    const data = await dataWith(["20250916-120000-database", incident]);
    const { code, out } = await run("postmortem", "20250916-120000-database", "--html", "--data", data);
    expect(code).toBe(0);
    expect(out[0]).toMatch(/^<!doctype html>[\s\S]*<\/html>$/);
    expect(out[0]).toMatch(/<figure><svg[\s\S]*<h2>Summary/);
    expect(out[0]).toContain("the cause: failed for 10 min");
    expect(out[0]).toContain("default-src &#39;none&#39;; style-src &#39;sha256-");
    expect(out[0]).not.toMatch(/<script|<img|\sstyle=/);
    const { out: text } = await run("postmortem", "20250916-120000-database", "--data", data);
    expect(text[0]).toMatch(/\n- `·+█+·+` \\<img src=x\\>: root cause, failed for 10 min\n/);
  });

  it("regenerates it with --anew, including later deliveries", async () => {
    const data = await dataWith([database[0], { postmortem: "# Postmortem: as people left it\n" }]);
    const { out } = await run("postmortem", database[0], "--anew", "--data", data);
    expect(out[0]).toMatch(/^# Postmortem: Shop: outage 1\n/);
    expect(out[0]).toContain("Delivered: opened to `mail` after 4 s");
  });

  it("lists the newest incidents first on a terminal if none is specified", async () => {
    const data = await dataWith([...database], [...shop]);
    const terminal = memoryTerminal(true);
    expect(await main(["postmortem", "--data", data], terminal)).toBe(0);
    expect(terminal.printed).toEqual([
      [
        "  20250916-120100-shop      resolved  critical  Shop: outage 2",
        "  20250916-120000-database  resolved  critical  Shop: outage 1",
      ].join("\n"),
    ]);
    const empty = memoryTerminal(true);
    expect(await main(["postmortem", "--data", await dataWith()], empty)).toBe(0);
    expect(empty.printed).toEqual(["No incidents."]);
  });

  it.each<[string, string[], string]>([
    ["a slip in the id", ["20250916-120000-databse"], "did you mean 20250916-120000-database?"],
    ["another id", ["7"], "there is no incident 7: the newest are 20250916-120100-shop, 20250916-120000-database"],
    ["no id in a pipe", [], "specify the incident: the newest are 20250916-120100-shop, 20250916-120000-database"],
    ["two ids", ["1", "2"], 'unexpected argument "2"'],
  ])("ends with 2 and one line for %s", async (_, ids, said) => {
    const { code, out, err } = await run("postmortem", ...ids, "--data", await dataWith([...database], [...shop]));
    expect({ code, out, lines: err.length }).toEqual({ code: 2, out: [], lines: 1 });
    expect(err[0]).toContain(said);
  });

  it("reports the location searched, and creates no store", async () => {
    const folder = await dataWith();
    const nowhere = join(folder, "elsewhere");
    const { code, err } = await run("postmortem", "1", "--data", nowhere);
    expect(code).toBe(2);
    expect(err[0]).toContain(`${join(nowhere, "store.db")} not found: npm start -- --data ${nowhere} creates it`);
    expect(existsSync(nowhere)).toBe(false);
    expect((await run("postmortem", "1")).err[0]).toContain("PATHKEEPER_PROJECT is not set");
  });
});

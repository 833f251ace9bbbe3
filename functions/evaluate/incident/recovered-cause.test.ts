/** An outage that outlasts its cause: later failures are charged to another. */
import { expect, it } from "vitest";
import { Bench, failing, type Shown } from "../fixtures.ts";
import { readAccount } from "../postmortem/account.ts";
import { postmortemOf } from "../postmortem/postmortem.ts";

const refused = failing("http_status/response");
const databaseDown = { database: failing("timeout/connect"), "database-direct": failing("timeout/connect") };
const outage = { ...databaseDown, "backend-health": refused, "auth-health": refused };

async function played(...stretches: readonly (readonly [minutes: number, shown: Readonly<Record<string, Shown>>])[]) {
  const bench = new Bench();
  for (const [minutes, shown] of stretches) for (let i = 0; i < minutes; i++) await bench.minute(shown);
  const [incident] = await bench.incidents();
  return { bench, incident };
}

it.each([
  ["another kind of failure", failing("body/response")],
  ["no answer", failing("timeout/response")],
])("names another cause if %s continues after the first is measured good", async (_, otherwise) => {
  const { bench, incident } = await played([3, {}], [10, outage], [12, { "backend-health": otherwise }], [15, {}]);
  const changes = bench.events.filter(({ event }) => event === "root_cause_changed");
  expect(changes.map(({ root_cause }) => root_cause)).toEqual(["backend"]);
  expect(changes[0]?.change).toMatch(
    /^Cloud SQL has worked again since 12:13:00 UTC, and the remaining failures do not follow from it\. The likely cause is now Backend\.$/,
  );
  expect(Date.parse(changes[0]?.at ?? "") - Date.UTC(2025, 8, 16, 12, 13)).toBeLessThanOrEqual(10 * 60_000);
  expect(incident?.fields).toMatchObject({
    status: "resolved",
    root_cause: "backend",
    causes: [
      { component: "sql", title: "Cloud SQL", until: new Date("2025-09-16T12:13:00Z") },
      { component: "backend", from: new Date("2025-09-16T12:13:00Z") },
    ],
    summary: expect.stringContaining("Until 12:13:00 UTC, the cause was Cloud SQL. The cause was Backend"),
  });
  const account = await readAccount(bench.store, incident?.id ?? "");
  const postmortem = account === undefined ? "" : postmortemOf(account);
  expect(postmortem).toMatch(
    /Cloud SQL from 12:03:00 to 12:13:00 \(10 min\), Backend from 12:13:00 to 12:\d\d:\d\d \(1\d min/,
  );
});

it("keeps the cause if the same failure ends soon after it", async () => {
  const { bench, incident } = await played([3, {}], [10, outage], [2, { "backend-health": refused }], [15, {}]);
  expect(bench.events.filter(({ event }) => event === "root_cause_changed")).toEqual([]);
  expect(incident?.fields).toMatchObject({ root_cause: "sql", causes: [{ component: "sql" }] });
});

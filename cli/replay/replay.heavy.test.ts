import { describe, expect, it } from "vitest";
import { planOf } from "../../functions/evaluate/plan.ts";
import type { IncidentEvent } from "../../shared/messages/incident-event.ts";
import type { Report } from "../../shared/messages/report.ts";
import { configurationOf, recorded, shop, validated } from "../commands/replay.fixtures.ts";
import { readRecord } from "./record.ts";
import { rehearse } from "./replay.ts";

interface Rehearsed {
  readonly events: readonly IncidentEvent[];
  /** `12:07:00 opened critical database`. */
  readonly outline: readonly string[];
  readonly remarks: readonly string[];
}

async function play(reports: readonly Report[], text: string = shop, until?: string): Promise<Rehearsed> {
  const configuration = configurationOf(text);
  const events: IncidentEvent[] = [];
  const { remarks } = await rehearse({
    plan: planOf(configuration),
    record: await readRecord(lines(reports), configuration.environment),
    until: until === undefined ? undefined : Date.parse(`2025-09-16T${until}Z`),
    onEvent: (event) => events.push(event),
  });
  const outline = events.map(
    (announced) => `${announced.at.slice(11, 19)} ${announced.event} ${announced.severity} ${announced.root_cause}`,
  );
  return { events, outline, remarks };
}

async function* lines(reports: readonly Report[]): AsyncGenerator<string> {
  for (const report of reports) yield JSON.stringify(report);
}

const outage = recorded({
  //               12:00     12:10     12:20
  "backend-health": "......XXXXXX.........",
  database: ".....XXXXXXX.........",
  pages: ".....................",
});

const announced = [
  "12:07:00 opened critical database",
  "12:08:00 joined critical database",
  "12:14:00 recovering critical database",
  "12:16:00 resolved critical database",
];

describe("an outage of twenty minutes", () => {
  it("is one incident with its cause, resolved when later results have passed every stage", async () => {
    const { outline, remarks, events } = await play(outage);
    expect(outline).toEqual(announced);
    expect(remarks).toEqual([]);
    expect(events[0]).toMatchObject({
      v: 1,
      at: "2025-09-16T12:07:00.100Z",
      incident: "20250916-120700-database",
      verdict: "platform",
      components: ["database", "backend"],
      alerts: ["database failing"],
      first_failure_at: "2025-09-16T12:05:00.100Z",
    });
  });

  it.each([
    ["backwards", outage.toReversed()],
    ["shuffled", outage.toSorted((a, b) => hash(a.report) - hash(b.report))],
    ["twice", outage.flatMap((report) => [report, report])],
    ["twice and shuffled", [...outage, ...outage].toSorted((a, b) => hash(a.report) - hash(b.report))],
  ])("produces the same bytes when the record comes %s", async (_, reports) => {
    const [once, again] = [await play(outage), await play(reports)];
    expect(reports).not.toEqual(outage);
    expect(JSON.stringify(again.events)).toBe(JSON.stringify(once.events));
  });

  it("reports which results were not evaluated", async () => {
    const { remarks } = await play(outage.flatMap((report) => [report, report]));
    expect(remarks).toEqual([`a report was not judged: repeated (${outage.length} times)`]);
  });

  it.each([
    ["12:07:00", []],
    ["12:07:01", announced.slice(0, 1)],
    ["12:15:59", announced.slice(0, 3)],
    ["14:00:00", announced],
  ])("is replayed until %s", async (until, outline) => {
    expect((await play(outage, shop, until)).outline).toEqual(outline);
  });

  it("differs under other rules", async () => {
    const patient = shop.replaceAll("kind:", "alert_after: 5m, kind:");
    expect((await play(outage, patient)).outline).toEqual([
      "12:10:00 opened critical database",
      "12:11:00 joined critical database",
      "12:17:00 recovering critical database",
      "12:19:00 resolved critical database",
    ]);
  });
});

it("advances time minute by minute, even after the last report", async () => {
  const rule = `monitoring_rules:
  - { name: Silence, component: pages, condition: "absent(probe_success{probe=\\"pages\\"}, 5m)", severity: warning }
`;
  const outside = shop.replace("vantage: inside, ", "");
  const reports = recorded({ pages: "....", "backend-health": "...." });
  const { events } = await play(reports, outside + rule, "12:20:00");
  expect(events.map(({ at, event, alerts }) => [at, event, alerts])).toEqual([
    ["2025-09-16T12:09:00.000Z", "opened", ["Silence"]],
  ]);
});

describe("results of scheduled runs replace missing validations", () => {
  it("if they are newer than the request", async () => {
    const { outline, remarks } = await play(outage.filter(({ finished_at }) => finished_at < "2025-09-16T12:15:30"));
    expect(outline).toEqual(announced.slice(0, 3));
    expect(remarks).toEqual([
      "20250916-120700-database remains recovering: the record contains no validation of stage 2",
    ]);
  });

  it("and a failed one delays the resolution", async () => {
    const { outline } = await play(
      recorded({
        //               12:00     12:10     12:20
        "backend-health": "......XXXXXX.........",
        database: ".....XXXXXXX.........",
        pages: "................XX...",
      }),
    );
    expect(outline).toEqual([...announced.slice(0, 3), "12:18:00 resolved critical database"]);
  });

  it("even if the probes run so rarely that the evaluator has repeated its request", async () => {
    const { outline } = await play(
      recorded({
        //               12:00     12:10     12:20     12:30
        "backend-health": ".   .   XXXXXXXX.......................",
        database: "......XXXXXXX.......     .       .     ",
        pages: ".      .      .      .      .      .   ",
      }),
      shop.replace("{ kind: http, component: pages", "{ schedule: every 10m, kind: http, component: pages"),
    );
    expect(outline.map((line) => line.split(" ").slice(0, 2).join(" "))).toEqual([
      "12:08:00 opened",
      "12:10:00 joined",
      "12:18:00 recovering",
      "12:21:00 resolved",
    ]);
  });

  it("but not if they precede a recurrence of the outage", async () => {
    const { outline, remarks } = await play(
      recorded({
        //               12:00     12:10     12:20
        "backend-health": "......XXXXXX...XXXXXX.........",
        database: ".....XXXXXXX...             . ",
        pages: "..............   .            ",
      }),
      `${shop.slice(0, shop.indexOf("    - {"))}    - { name: behind, probes: [database, pages] }\n`,
    );
    expect(outline.slice(2)).toEqual([
      "12:14:00 recovering critical database",
      "12:17:00 regressed critical database",
      "12:23:00 recovering critical database",
    ]);
    expect(remarks).toEqual([
      "20250916-120700-database remains recovering: the record contains no validation of stage 1",
    ]);
  });
});

describe("only recorded validations count if there are any", () => {
  const other = "20250916-120659-backend";

  it.each<[string, Report[], string[]]>([
    [
      "of every stage",
      [
        validated(14, "outside", `${other}/1/1`, { "backend-health": "." }),
        validated(14, "inside", `${other}/1/1`, { database: "." }),
        validated(15, "outside", `${other}/2/1`, { pages: "." }),
      ],
      ["12:15:30 resolved critical database"],
    ],
    ["of one vantage point", [validated(14, "outside", `${other}/1/1`, { "backend-health": "." })], []],
    [
      "that was made before",
      [
        validated(11, "outside", `${other}/1/1`, { "backend-health": "." }),
        validated(11, "inside", `${other}/1/1`, { database: "." }),
      ],
      [],
    ],
    [
      "that failed first",
      [
        validated(14, "outside", `${other}/1/1`, { "backend-health": "X" }),
        validated(14, "inside", `${other}/1/1`, { database: "." }),
        validated(15, "outside", `${other}/1/2`, { "backend-health": "." }),
        validated(15, "inside", `${other}/1/2`, { database: "." }),
        validated(16, "outside", `${other}/2/1`, { pages: "." }),
      ],
      ["12:16:30 resolved critical database"],
    ],
  ])("%s", async (_, validations, end) => {
    const { outline } = await play([...outage, ...validations]);
    expect(outline).toEqual([...announced.slice(0, 3), ...end]);
  });
});

/** Some number for a text, for an order without meaning. */
function hash(text: string): number {
  return [...text].reduce((sum, character) => (sum * 31 + character.charCodeAt(0)) % 9973, 7);
}

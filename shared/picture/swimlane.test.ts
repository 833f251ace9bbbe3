import { describe, expect, it } from "vitest";
import { type IncidentDocument, readIncident } from "../documents/incident.ts";
import { type LaneState, type Swimlane, type SwimlaneSources, swimlaneOf, swimlaneSentence } from "./swimlane.ts";
import { swimlaneLegend, swimlaneSvg } from "./swimlane-svg.ts";
import { laneText, swimlaneTable } from "./swimlane-table.ts";
import { ticksOf } from "./time-axis.ts";

const at = (clock: string): Date => new Date(`2025-09-16T${clock}:00Z`);
const ms = (clock: string): number => at(clock).getTime();
const hostile = `<script>alert(1)</script>"'&`;

const symptom = (check: string, component: string, since: string, until: string | null, kind = "probe") => ({
  ...{ check, kind, component, vantage: null, times: 1, failures: [] },
  ...{ since: at(since), until: until === null ? null : at(until), showed: `${check} fails` },
});
const affected = (component: string, from: string | null, until: string | null, intermittent = false) => ({
  ...{ component, title: component.toUpperCase(), layer: null, impact: null, trouble: "failed", intermittent },
  ...{ from: from === null ? null : at(from), until: until === null ? null : at(until), availability_target: 0.99 },
});

const outage: IncidentDocument = {
  ...readIncident({}),
  root_cause: "database",
  affected: [
    affected("shop", "12:02", "12:20"),
    affected("database", "12:00", "12:20"),
    affected("api", "12:01", "12:20"),
  ],
  symptoms: [
    symptom("pool", "database", "12:00", "12:20", "rule"),
    symptom("database", "database", "12:05", "12:20"),
    symptom("api", "api", "12:01", "12:20"),
    symptom("shop", "shop", "12:02", "12:20"),
  ],
  first_failure_at: at("12:00"),
  opened_at: at("12:02"),
  acknowledged_at: at("12:10"),
  resolved_at: at("12:25"),
};

function picture(changes: Partial<IncidentDocument> = {}, sources: Partial<SwimlaneSources> = {}): Swimlane {
  const found = swimlaneOf({ incident: { ...outage, ...changes }, now: ms("12:25"), ...sources });
  if (found === undefined) throw new Error("there is no picture");
  return found;
}

/** `good 12:00 bad 12:20 good`: the states of a lane, with the times at which they change. */
function story({ lanes }: Swimlane, component: string): string {
  const spans = lanes.find((lane) => lane.component === component)?.spans ?? [];
  return spans
    .map(({ from, state }, index) => `${index === 0 ? "" : ` ${new Date(from).toISOString().slice(11, 16)} `}${state}`)
    .join("");
}

describe("a swimlane", () => {
  it("lists the cause first, then failed components in order, then working ones", () => {
    const shown = picture(
      {},
      {
        working: [
          { component: "cache", title: "Cache" },
          { component: "api", title: "API" },
        ],
      },
    );
    expect(shown.lanes.map(({ component, part }) => `${component} ${part}`)).toEqual([
      "database cause",
      "api affected",
      "shop affected",
      "cache working",
    ]);
  });

  it("fills every lane from the first instant to the last, with the worst state at each", () => {
    const shown = picture();
    expect(story(shown, "database")).toBe("good 12:00 degraded 12:05 bad 12:20 good");
    expect(story(shown, "shop")).toBe("good 12:02 bad 12:20 good");
    for (const { spans } of shown.lanes) {
      expect(spans[0]?.from).toBe(shown.from);
      expect(spans.at(-1)?.until).toBe(shown.until);
      for (const [index, { from }] of spans.entries()) expect(from).toBe(spans[index - 1]?.until ?? shown.from);
    }
  });

  it.each<[string, Partial<IncidentDocument>, Partial<SwimlaneSources>, string, string]>([
    [
      "an outage that goes on",
      { resolved_at: null, symptoms: [symptom("api", "api", "12:01", null)] },
      {},
      "api",
      "good 12:01 bad",
    ],
    ["a component that was not measured", { symptoms: [] }, {}, "api", "unknown"],
    [
      "one without a symptom that was seen to work",
      { symptoms: [] },
      { working: [{ component: "api", title: "API" }] },
      "api",
      "good",
    ],
    [
      "one that fails now and then",
      { affected: [affected("api", "12:01", "12:20", true)] },
      {},
      "api",
      "good 12:01 degraded 12:20 good",
    ],
    [
      "an incident that came back",
      {
        relapses: [
          { resolved_at: at("12:08"), failed_at: at("12:14"), reopened_at: at("12:15"), acknowledged_at: null },
        ],
      },
      {},
      "api",
      "good 12:01 bad 12:08 good 12:14 bad 12:20 good",
    ],
    [
      "a gap in the data",
      {},
      { gaps: [{ component: "shop", from: ms("12:21"), until: ms("12:23") }] },
      "shop",
      "good 12:02 bad 12:20 good 12:21 unknown 12:23 good",
    ],
  ])("shows %s", (_, changes, sources, component, expected) => {
    expect(story(picture(changes, sources), component)).toBe(expected);
  });

  it("marks the moments in order, and a cause identified later", () => {
    const moments = picture({ root_cause_since: at("12:04") }).moments.map(({ text }) => text);
    expect(moments).toEqual(["first failure", "opened", "cause named", "acknowledged", "resolved"]);
    expect(picture({ root_cause_since: at("12:02") }).moments.map(({ text }) => text)).not.toContain("cause named");
  });

  it("includes a change shortly before, and not one long ago", () => {
    const changes = [
      { at: ms("11:50"), text: "deployed" },
      { at: ms("03:00"), text: "long ago" },
    ];
    const shown = picture({}, { changes });
    expect(shown.from).toBeLessThan(ms("11:50"));
    expect(shown.from).toBeGreaterThan(ms("11:30"));
    expect(shown.changes.map(({ text }) => text)).toEqual(["deployed"]);
  });

  it("has the recovery stages with their results", () => {
    const stage = { status: "", seconds: null, attempts: 1, unanswered: 0, failures: [] };
    const stages = [
      { ...stage, name: "health", begun_at: at("12:21"), passed_at: at("12:22"), failed_at: null },
      { ...stage, name: "journey", begun_at: at("12:22"), passed_at: null, failed_at: at("12:23") },
      { ...stage, name: "later", begun_at: null, passed_at: null, failed_at: null },
    ];
    const recovery = {
      status: "regressed",
      begun_at: at("12:21"),
      ended_at: at("12:24"),
      seconds: 180,
      stages,
      earlier: [],
    };
    expect(picture({ recovery }).stages).toEqual([
      { name: "health", from: ms("12:21"), until: ms("12:22"), outcome: "passed" },
      { name: "journey", from: ms("12:22"), until: ms("12:24"), outcome: "failed" },
    ]);
  });

  it("shows at most twelve affected components, and the number of others", () => {
    const many = Array.from({ length: 30 }, (_, index) => affected(`c${index}`, "12:01", "12:20"));
    const shown = picture({ affected: many });
    expect([shown.lanes.length, shown.leftOut]).toEqual([12, 18]);
    expect(swimlaneSentence(shown)).toMatch(/; and 18 more\.$/);
  });

  it("is undefined without a known instant", () => {
    expect(swimlaneOf({ incident: readIncident({}), now: 0 })).toBeUndefined();
  });

  it("describes itself in a sentence", () => {
    expect(swimlaneSentence(picture({ affected: outage.affected.slice(0, 2) }))).toBe(
      "DATABASE, the cause: failed for 15 min; SHOP: failed for 18 min.",
    );
  });
});

describe("a swimlane as SVG", () => {
  const notices = [{ at: ms("12:03"), text: hostile }];

  it("has a bar for each span and a sign for each mark, and no style or script of its own", () => {
    const shown = picture({}, { notices, changes: [{ at: ms("11:58"), text: "deployed" }] });
    const svg = swimlaneSvg(shown);
    const bars = shown.lanes.reduce((sum, { spans }) => sum + spans.length, 0);
    expect(svg.match(/<rect /g)).toHaveLength(bars);
    expect(svg.match(/class="notice"/g)).toHaveLength(1);
    expect(svg.match(/class="change"/g)).toHaveLength(1);
    expect(svg.match(/class="alert"/g)).toHaveLength(4);
    expect(svg).not.toMatch(/style=|<style|<script|javascript:|\bid=/);
  });

  it("escapes all text", () => {
    const named = [{ ...affected("api", "12:01", "12:20"), title: hostile }];
    const shown = picture(
      { affected: named, symptoms: [{ ...symptom("x", "api", "12:01", "12:20"), showed: hostile }] },
      { notices },
    );
    for (const text of [swimlaneSvg(shown), swimlaneTable(shown), swimlaneLegend(shown).text])
      expect(text).not.toMatch(/<script/);
    expect(swimlaneSvg(shown)).toContain("&lt;script&gt;");
  });

  it("stacks overlapping labels", () => {
    const svg = swimlaneSvg(picture({ opened_at: at("12:01"), acknowledged_at: at("12:02") }));
    const rows = [...svg.matchAll(/y="(\d+)" text-anchor="\w+" fill="#5d5f66">(first failure|opened|acknowledged)/g)];
    expect(new Set(rows.map(([, y]) => y)).size).toBe(3);
  });

  it("is the same for the same incident", () => {
    expect(swimlaneSvg(picture())).toBe(swimlaneSvg(picture()));
  });
});

describe("a swimlane without SVG", () => {
  it("is a table with parts proportional to their duration", () => {
    const rows = swimlaneTable(picture()).split('<th scope="row"').slice(1);
    expect(rows).toHaveLength(3);
    for (const row of rows) {
      const lane = row.slice(row.indexOf("<table"), row.indexOf("</table>"));
      const widths = [...lane.matchAll(/<td style="width:([\d.]+)%/g)].map(([, width]) => Number(width));
      expect(widths.reduce((sum, width) => sum + width, 0)).toBeCloseTo(100, 0);
    }
    expect(rows[0]).toContain("cause, failed for 15 min");
    expect(rows[0]).toMatch(/background:#d93025[^>]*>fails</);
  });

  it("is text in which every failure is visible", () => {
    const shown = picture({ symptoms: [symptom("api", "api", "12:10", "12:10")] });
    const lane = shown.lanes.find(({ component }) => component === "api");
    expect(lane && laneText(lane, shown)).toMatch(/^·+█+·+$/);
    const [cause] = picture().lanes;
    expect(cause && laneText(cause, picture())).toMatch(/^·+▒+█+·+$/);
    expect(lane?.says).toBe("failed once");
  });
});

describe("the ticks of an axis", () => {
  it.each<[LaneState | string, number, number]>([
    ["seconds", 0, 20_000],
    ["minutes", ms("12:00"), ms("12:25")],
    ["hours", 0, 9 * 3_600_000],
    ["days", 0, 30 * 86_400_000],
    ["years", 0, 2_000 * 86_400_000],
  ])("are few and round over %s", (_, from, until) => {
    const ticks = ticksOf(from, until, 5, "Etc/UTC");
    expect(ticks.length).toBeGreaterThanOrEqual(2);
    expect(ticks.length).toBeLessThanOrEqual(6);
    expect(new Set(ticks.map(({ text }) => text)).size).toBe(ticks.length);
  });
});

import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { renderChanges } from "./changes.ts";
import { render } from "./render.ts";
import type { ViewSnapshot } from "./snapshot.ts";

const start = Date.parse("2025-09-16T12:04:00Z");
const at = (seconds: number): number => start + seconds * 1_000;

const calm: ViewSnapshot = {
  title: "Demo",
  timezone: "Etc/UTC",
  at: at(9),
  elapsedMs: 9_000,
  headline: { text: "Everything works: users are served, and the probes run.", nextInMs: 6_000 },
  components: [
    { title: "VPC connector", state: "ok", since: at(1), figure: "24% of capacity" },
    { title: "Cloud SQL", state: "ok", since: at(1), figure: "12ms" },
    { title: "Backend", state: "ok", since: at(1), figure: "9ms" },
    { title: "Auth service", state: "ok", since: at(1), figure: "7ms" },
    { title: "WebSocket", state: "unknown", since: at(0), figure: "not probed yet" },
  ],
  deliveries: [],
  traffic: { reports: 9, messages: 21 },
  hints: ["data in .pathkeeper", "Ctrl-C to stop"],
};

const outage: ViewSnapshot = {
  ...calm,
  at: at(62),
  elapsedMs: 62_000,
  headline: { text: "The connector loses every connection: the database is unreachable.", nextInMs: 13_000 },
  components: [
    { title: "VPC connector", state: "degraded", since: at(20), figure: "96% of capacity" },
    { title: "Cloud SQL", state: "failing", since: at(36), figure: "no answer to the authentication within 1.5s" },
    { title: "Backend", state: "failing", since: at(36), figure: "503 Service Unavailable" },
    { title: "Auth service", state: "failing", since: at(36), figure: "503 Service Unavailable" },
    { title: "WebSocket", state: "failing", since: at(38), figure: "0% of handshakes accepted" },
  ],
  incident: {
    id: "20250916-120422-vpc-connector",
    title: "VPC connector is failing, and Cloud SQL, Backend and Auth service with it",
    status: "open",
    severity: "critical",
    rootCause: "VPC connector",
    verdict: "platform",
    confidence: 0.9,
    impact: "Nobody can log in or chat.",
    openedAt: at(22),
    evidence: [
      "For: database fails through the connector while database-direct answers in 4ms.",
      "For: vpc_connector_utilization is 96%, above 70% since 12:04:18.",
      "Against: nothing.",
      "A fourth sentence that nobody sees.",
    ],
    timeline: [
      { at: at(22), text: "Opened: VPC Connector Capacity Warning." },
      { at: at(40), text: "Raised to critical: Backend fails its health check." },
      { at: at(41), text: "Joined: Database unreachable, auth-health failing, websocket failing." },
    ],
  },
  deliveries: [
    { at: at(23), channel: "team-email", incident: "i", event: "opened", state: "delivered" },
    { at: at(23), channel: "ops-hook", incident: "i", event: "opened", state: "delivered" },
    { at: at(41), channel: "team-email", incident: "i", event: "severity_raised", state: "delivered" },
    { at: at(41), channel: "ops-hook", incident: "i", event: "severity_raised", state: "waiting" },
  ],
  traffic: { reports: 62, messages: 188 },
};

describe("render", () => {
  it("shows a healthy system", () => {
    expect(render(calm, { columns: 80, rows: 24 }, false)).toMatchInlineSnapshot(`
      " Pathkeeper · Demo                                               12:04:09  0:09
       ▸ Everything works: users are served, and the probes run.          next in 6 s

       Components ───────────────────────────────────────────────────────────────────
       ● VPC connector  ok              8 s   24% of capacity
       ● Cloud SQL      ok              8 s   12ms
       ● Backend        ok              8 s   9ms
       ● Auth service   ok              8 s   7ms
       ○ WebSocket      unknown         9 s   not probed yet

       Incident ─────────────────────────────────────────────────────────────────────
       none

       Notifications ────────────────────────────────────────────────────────────────
       none yet








       9 reports  ·  21 messages  ·  data in .pathkeeper  ·  Ctrl-C to stop"
    `);
  });

  it("shows failures of this machine while they last", () => {
    const full = "cannot write watch/logs/local.log: no space left on device; monitoring goes on";
    const [title, headline, failure] = render({ ...calm, failures: [full] }, { columns: 80, rows: 24 }, false).split(
      "\n",
    );
    expect([title, headline]).toEqual(render(calm, { columns: 80, rows: 24 }, false).split("\n").slice(0, 2));
    expect(failure).toBe(` ▲ ${full.slice(0, 75)}…`);
  });

  it("collapses healthy components into one line if there is no space for the rest", () => {
    const well = ["Certificates", "Website", "Backup", "Agents", "Golden path", "Configuration"];
    const many: ViewSnapshot = {
      ...outage,
      components: [
        ...outage.components,
        ...well.map((title) => ({ title, state: "ok" as const, since: at(1), figure: "" })),
      ],
    };
    const short = render(many, { columns: 80, rows: 24 }, false).split("\n");
    expect(short.slice(8, 11)).toEqual([
      expect.stringMatching(/^ ✖ WebSocket/),
      " ● ok: Certificates, Website, Backup, Agents, Golden path, Configuration",
      "",
    ]);
    expect(short.filter((line) => line.includes("✓") || line.includes("waiting")).length).toBeGreaterThan(0);
    expect(render(many, { columns: 80, rows: 40 }, false)).toMatch(/● Website +ok/);
  });

  it("shows the newest entries of each section if an outage does not fit", () => {
    expect(render(outage, { columns: 80, rows: 24 }, false)).toMatchInlineSnapshot(`
      " Pathkeeper · Demo                                               12:05:02  1:02
       ▸ The connector loses every connection: the database is unreacha… next in 13 s

       Components ───────────────────────────────────────────────────────────────────
       ▲ VPC connector  degraded       42 s   96% of capacity
       ✖ Cloud SQL      failing        26 s   no answer to the authentication within…
       ✖ Backend        failing        26 s   503 Service Unavailable
       ✖ Auth service   failing        26 s   503 Service Unavailable
       ✖ WebSocket      failing        24 s   0% of handshakes accepted

       Incident ────────────── 20250916-120422-vpc-connector · open · critical · 40 s
       VPC connector is failing, and Cloud SQL, Backend and Auth service with it
       cause   VPC connector (platform, 90% sure)
       impact  Nobody can log in or chat.
       because For: database fails through the connector while database-direct answe…
               For: vpc_connector_utilization is 96%, above 70% since 12:04:18.
       12:04:40 Raised to critical: Backend fails its health check.
       12:04:41 Joined: Database unreachable, auth-health failing, websocket failing.

       Notifications ────────────────────────────────────────────────────────────────
       12:04:41 ✓ team-email     severity_raised    delivered
       12:04:41 … ops-hook       severity_raised    waiting

       62 reports  ·  188 messages  ·  data in .pathkeeper  ·  Ctrl-C to stop"
    `);
  });

  it("uses the size of the terminal", () => {
    expect(render(outage, { columns: 120, rows: 32 }, false)).toMatchInlineSnapshot(`
      " Pathkeeper · Demo                                                                                       12:05:02  1:02
       ▸ The connector loses every connection: the database is unreachable.                                      next in 13 s

       Components ───────────────────────────────────────────────────────────────────────────────────────────────────────────
       ▲ VPC connector  degraded       42 s   96% of capacity
       ✖ Cloud SQL      failing        26 s   no answer to the authentication within 1.5s
       ✖ Backend        failing        26 s   503 Service Unavailable
       ✖ Auth service   failing        26 s   503 Service Unavailable
       ✖ WebSocket      failing        24 s   0% of handshakes accepted

       Incident ────────────────────────────────────────────────────── 20250916-120422-vpc-connector · open · critical · 40 s
       VPC connector is failing, and Cloud SQL, Backend and Auth service with it
       cause   VPC connector (platform, 90% sure)
       impact  Nobody can log in or chat.
       because For: database fails through the connector while database-direct answers in 4ms.
               For: vpc_connector_utilization is 96%, above 70% since 12:04:18.
               Against: nothing.
       12:04:22 Opened: VPC Connector Capacity Warning.
       12:04:40 Raised to critical: Backend fails its health check.
       12:04:41 Joined: Database unreachable, auth-health failing, websocket failing.

       Notifications ────────────────────────────────────────────────────────────────────────────────────────────────────────
       12:04:23 ✓ team-email     opened             delivered
       12:04:23 ✓ ops-hook       opened             delivered
       12:04:41 ✓ team-email     severity_raised    delivered
       12:04:41 … ops-hook       severity_raised    waiting





       62 reports  ·  188 messages  ·  data in .pathkeeper  ·  Ctrl-C to stop"
    `);
  });

  it.each([
    [40, 8],
    [60, 16],
    [80, 24],
    [80, 20],
    [200, 60],
  ])("fits in %i x %i", (columns, rows) => {
    for (const snapshot of [calm, outage]) {
      const lines = render(snapshot, { columns, rows }, false).split("\n");
      expect(lines.length).toBe(rows);
      expect(Math.max(...lines.map((line) => [...line].length))).toBeLessThanOrEqual(columns);
    }
  });

  it("differs only in colours on a colour terminal", () => {
    const size = { columns: 80, rows: 24 };
    const coloured = render(outage, size, true);
    expect(coloured).toContain("\x1b[31m✖");
    expect(stripVTControlCharacters(coloured)).toBe(render(outage, size, false));
  });

  it("prevents texts of targets from moving the cursor or adding lines", () => {
    const figure = "503\x1b[2J\r\n\u2028 forged";
    const hostile = { ...calm, components: [{ title: "Backend", state: "failing", since: at(0), figure } as const] };
    const frame = render(hostile, { columns: 80, rows: 24 }, false);
    expect(frame).toContain("503 [2J forged");
    expect(frame).not.toContain("\x1b");
  });
});

describe("renderChanges", () => {
  it("prints everything at first, and later only changes", () => {
    expect(renderChanges(undefined, calm).join("\n")).toMatchInlineSnapshot(`
      "12:04:01  VPC connector: unknown -> ok (24% of capacity)
      12:04:01  Cloud SQL: unknown -> ok (12ms)
      12:04:01  Backend: unknown -> ok (9ms)
      12:04:01  Auth service: unknown -> ok (7ms)
      12:04:09  demo: Everything works: users are served, and the probes run."
    `);
    expect(renderChanges(calm, { ...calm, at: at(10), elapsedMs: 10_000 })).toEqual([]);
    expect(renderChanges(calm, outage).join("\n")).toMatchInlineSnapshot(`
      "12:04:20  VPC connector: ok -> degraded (96% of capacity)
      12:04:22  incident 20250916-120422-vpc-connector: VPC connector is failing, and Cloud SQL, Backend and Auth service with it
      12:04:22  incident: Opened: VPC Connector Capacity Warning.
      12:04:23  told team-email: opened (delivered)
      12:04:23  told ops-hook: opened (delivered)
      12:04:36  Cloud SQL: ok -> failing (no answer to the authentication within 1.5s)
      12:04:36  Backend: ok -> failing (503 Service Unavailable)
      12:04:36  Auth service: ok -> failing (503 Service Unavailable)
      12:04:38  WebSocket: unknown -> failing (0% of handshakes accepted)
      12:04:40  incident: Raised to critical: Backend fails its health check.
      12:04:41  incident: Joined: Database unreachable, auth-health failing, websocket failing.
      12:04:41  told team-email: severity_raised (delivered)
      12:04:41  told ops-hook: severity_raised (waiting)
      12:05:02  demo: The connector loses every connection: the database is unreachable.
      12:05:02  cause: VPC connector (platform, 90% sure)"
    `);
  });

  it("prints the end of the incident", () => {
    const { incident } = outage;
    if (!incident) throw new Error("the sample has an incident");
    const text = "Resolved: every stage of the recovery passed.";
    const resolved: ViewSnapshot = {
      ...outage,
      at: at(95),
      incident: {
        ...incident,
        status: "resolved",
        resolvedAt: at(95),
        timeline: [...incident.timeline, { at: at(95), text }],
      },
    };
    expect(renderChanges(outage, resolved)).toEqual([
      "12:05:35  incident: Resolved: every stage of the recovery passed.",
      "12:05:35  incident is resolved after 1 min 13 s",
    ]);
  });
});

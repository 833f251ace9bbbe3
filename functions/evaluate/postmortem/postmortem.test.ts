import { describe, expect, it } from "vitest";
import type { Availability } from "../../../shared/documents/availability.ts";
import { type IncidentDocument, readIncident } from "../../../shared/documents/incident.ts";
import type { Account } from "./account.ts";
import { at, delivery, outage } from "./postmortem.fixtures.ts";
import { longestPostmortem, postmortemOf } from "./postmortem.ts";

const text = postmortemOf(outage);

/** The lines of a section, empty ones left out. */
function linesOf(heading: string, of: string = text): string[] {
  const [, body = ""] = of.split(`\n## ${heading}\n`);
  const [own = ""] = body.split("\n## ");
  return own.split("\n").filter((line) => line !== "");
}

function changed(incident: Partial<IncidentDocument>, more: Partial<Account> = {}): Account {
  return { ...outage, ...more, incident: { ...outage.incident, ...incident } };
}

describe("a postmortem", () => {
  it("summarizes the outage, its impact and the response in three paragraphs", () => {
    expect(text.split("\n")[0]).toBe("# Postmortem: Shop: Database and Shop failing");
    expect(text).toContain(
      "`20250916-120200-database` · critical, P0 · verdict: platform · confidence: 90% · team: infrastructure",
    );
    expect(linesOf("Summary")).toEqual([
      "On 2025-09-16: Database failed from 12:00:00 UTC, Shop from 12:01:00 UTC. The cause was Database (platform). Database has no free connection: it responds immediately, but refuses new clients.",
      "Nobody can buy. 2 of 3 components are affected.",
      "Pathkeeper opened this incident 2 min after the first failure and identified the cause 1 min later. The first notification was delivered 3 s after the incident opened. It was acknowledged after 20 min. It was resolved 30 min 30 s after the first failure, at 12:30:30 UTC, after fresh probes validated the recovery in 1 stage.",
    ]);
  });

  it("lists affected components, with downtime and error budget from the availability", () => {
    // 1% of 30 days is 7 h 12 min, 0.1% is 43 min 12 s; a share is never rounded up.
    expect(linesOf("Impact")).toEqual([
      "User-facing downtime: **19 min** (longest: Shop).",
      "| component | status | from | until | downtime | error budget | user impact |",
      "|---|---|---|---|---|---|---|",
      "| Database | failed | 12:00:00 | 12:20:00 | 18 min 30 s | 4.28%, 95.37% left |  |",
      "| Shop | failed | 12:01:00 | 12:20:00 | 19 min | 43.98%, overspent | Nobody can buy |",
      "In September 2025, a target of 99% allows 7 h 12 min and a target of 99.9% allows 43 min 12 s of downtime; `database` completed 199 of 200 attempts (99.5%).",
    ]);
  });

  it("splits the downtime by month", () => {
    const [september] = outage.months;
    if (september === undefined) throw new Error("the fixture has a month");
    const taken = (database: number): Availability["downtime"] => ({ [outage.id]: { database } });
    const months = [
      { ...september, downtime: taken(1_200) },
      { ...september, period: "2025-10", downtime: taken(2_400) },
    ];
    const [database] = linesOf("Impact", postmortemOf({ ...outage, months })).filter((line) => /Database/.test(line));
    expect(database).toContain("| September 2025: 20 min; October 2025: 40 min |");
  });

  it("has a timeline without redundant lines, and the operator's note", () => {
    expect(linesOf("Timeline")).toEqual([
      "- **2025-09-16 12:00:00** `database` fails in authentication (database): too many clients.",
      '- **12:02:00** Opened by "database failing". The likely cause is Database.',
      "- **12:20:00** `database` and `shop-health` are good again.",
      "- **12:30:30** Resolved. Every stage of the recovery has passed.",
      "- Note: It was the importer",
    ]);
    const timeline = [
      "2025-09-16 12:00:00 UTC  `database` fails in connect (timeout): no answer.",
      "2025-09-16 12:01:00 UTC  `database` is good again.",
      "2025-09-16 12:02:00 UTC  Again: `database` fails in connect (timeout): no answer.",
      '2025-09-16 12:02:00 UTC  "database failing" and "shop failing" joined: part of the same outage.',
      "2025-09-16 12:05:00 UTC  The incident has not been acknowledged for 5 min.",
      "2025-09-16 12:06:00 UTC  `database` is good again.",
      '2025-09-16 12:08:00 UTC  "database failing" has cleared.',
      "2025-09-16 12:08:01 UTC  Stage 1, basic health, passed after 1 s.",
      "2025-09-16 12:08:02 UTC  Stage 2, websocket, failed: `websocket` is slow.",
    ];
    expect(linesOf("Timeline", postmortemOf(changed({ timeline, note: null })))).toEqual([
      "- **2025-09-16 12:00:00** `database` fails in connect (timeout): no answer.",
      "- **12:06:00** `database` is good again.",
      "- **12:08:02** Stage 2, websocket, failed: `websocket` is slow.",
    ]);
  });

  it("has the chain of whys, and labels evidence against the cause", () => {
    expect(linesOf("Root cause")).toEqual([
      "1. Shop fails: `shop-health` fails in response (http_status): 503.",
      "2. Why? It depends on Database. Database fails: `database` fails in authentication (database): too many clients.",
      "3. Why? Database has no free connection: it responds immediately, but refuses new clients.",
      "- **Evidence for:** Its connections are used up: 100 of 100.",
      "- **Evidence against:** `reports` was good throughout, though it needs Database.",
      "- Less likely: Shop, because it explains fewer of the symptoms.",
    ]);
  });

  it("lists each of several causes with its own period", () => {
    const causes = [
      { component: "shop", title: "Shop", from: at("12:00:00"), until: at("12:08:00") },
      { component: "database", title: "Database", from: at("12:08:00"), until: at("12:30:30") },
    ];
    expect(postmortemOf(changed({ causes }))).toContain(
      "The identified cause changed: Shop from 12:00:00 to 12:08:00 (8 min), Database from 12:08:00 to 12:30:30 (22 min 30 s).",
    );
  });

  it("describes the detection and the recovery", () => {
    expect(linesOf("Detection")).toEqual([
      'The first symptom was `database`, from inside, at 12:00:00 UTC. The rule "database failing" opened the incident at 12:02:00 UTC. 2 checks on 1 component detected it, from inside.',
    ]);
    expect(linesOf("Recovery")).toEqual([
      "Validation took 6 min 30 s.",
      "- basic health: passed after 6 min 30 s (3 attempts, 1 without a response).",
      "- basic health: 2025-09-16 12:25:00 UTC Attempt 1: `database` succeeds, but it is slow.",
      "- Earlier validation: Begun at 12:10:00 UTC, regressed after 2 min; no stage had passed.",
    ]);
  });

  it("lists deliveries in one line, and failed deliveries", () => {
    expect(linesOf("Notifications")).toEqual([
      "Delivered: opened to `mail` after 3 s, `hook` after 3 s on attempt 2; resolved to `mail` after 1 s.",
      '- `hook` did not receive "resolved": 410 Gone.',
    ]);
    const [ann, bob, cleo] = ["ann@example.com", "bob@example.com", "cleo@example.com"];
    const several = [
      delivery(1, "opened", "mail", "delivered", { recipient: ann }),
      delivery(1, "opened", "mail", "delivered", { recipient: bob, attempt_count: 3 }),
      delivery(1, "opened", "mail", "rejected", { recipient: cleo, reason: "550 no such user" }),
      delivery(1, "opened", "hook", "suppressed", { reason: "silenced until 13:00" }),
      delivery(2, "joined", "mail", "delivered", { recipient: ann }),
      delivery(3, "joined", "mail", "delivered", { recipient: ann }),
      delivery(4, "resolved", "mail", "delivered", { recipient: ann }),
      delivery(4, "resolved", "mail", "delivered", { recipient: bob }),
      delivery(4, "resolved", "mail", "suppressed", { recipient: cleo, reason: "never announced here" }),
    ];
    expect(linesOf("Notifications", postmortemOf({ ...outage, deliveries: several }))).toEqual([
      "Delivered: opened to `mail (ann@example.com)` after 3 s, `mail (bob@example.com)` after 3 s on attempt 3; updates to `mail (ann@example.com)`: joined (2 times); resolved to the same recipients after 1 s.",
      '- `mail (cleo@example.com)` did not receive "opened": 550 no such user.',
      '- `hook` did not receive "opened": silenced until 13:00.',
    ]);
    const same = [
      delivery(1, "opened", "mail", "delivered"),
      delivery(1, "opened", "hook", "delivered"),
      delivery(2, "resolved", "mail", "delivered"),
      delivery(2, "resolved", "hook", "delivered"),
    ];
    expect(linesOf("Notifications", postmortemOf({ ...outage, deliveries: same }))).toEqual([
      "Delivered: opened to `mail` and `hook` after 3 s; resolved to the same recipients after 1 s.",
    ]);
    expect(linesOf("Notifications", postmortemOf({ ...outage, deliveries: [] }))).toEqual([
      "No notifications were recorded for this incident.",
    ]);
  });

  it("proposes action items for the cause, findings, notifications and recovery, each with its reason", () => {
    const lines = linesOf("Action items");
    const reasons = lines.flatMap((line) => / \(([A-Z][^()]*)\)$/.exec(line)?.[1] ?? []);
    expect(reasons).toEqual([
      "A configuration check was failing before the outage: max-connections is 100, expected 400: instances x pool is above it",
      "Nothing was measured of Load balancer meanwhile",
      "It took 20 min to acknowledge the incident",
      "A notification was not delivered: 410 Gone",
      "Recovery was declared too early once",
      "Validations of basic health got no response",
    ]);
    // Proposals against the cause state no reason: the cause is the reason.
    expect(lines.filter((line) => line.startsWith("- [ ] ")).length).toBeGreaterThan(reasons.length);
    expect(text).toContain(
      "- [ ] Alert before connections run out, with a rule such as `forecast(cloud_sql_pool_utilization, 1h) > 90%`.",
    );
  });

  it("counts relapses, and lists earlier resolutions as updates", () => {
    const relapse = (resolved: string, failed: string): IncidentDocument["relapses"][number] => ({
      ...{ resolved_at: at(resolved), failed_at: at(failed), reopened_at: at(failed), acknowledged_at: null },
    });
    const events = ["resolved", "regressed", "resolved", "regressed", "resolved"];
    const written = postmortemOf(
      changed(
        { relapses: [relapse("12:08:00", "12:14:00"), relapse("12:18:00", "12:22:00")] },
        {
          deliveries: ["opened", ...events].map((event, index) => delivery(index + 1, event, "mail", "delivered")),
        },
      ),
    );
    expect(linesOf("Summary", written).at(-1)).toContain(
      "It relapsed 2 times, last at 12:22:00 UTC; excluding the time it was resolved, it lasted 20 min 30 s.",
    );
    expect(linesOf("Action items", written).join()).toContain("Recovery was declared too early 2 times");
    expect(linesOf("Notifications", written)).toEqual([
      "Delivered: opened to `mail` after 3 s; updates to `mail`: resolved (2 times) and regressed (2 times); resolved to the same recipients after 1 s.",
    ]);
  });

  it("asks whether the preceding change was the cause", () => {
    const says = "Changed Cloud SQL instance shop: tier at 11:58:00 UTC, 2 min before the first failure.";
    const lines = linesOf("Open questions", postmortemOf(changed({ suspected_change: says })));
    expect(lines[0]).toBe(`- Did this change cause it? ${says}`);
    expect(lines.join()).not.toContain("What changed at");
  });

  it("asks the open questions", () => {
    expect(linesOf("Open questions")).toEqual([
      expect.stringMatching(/^- What changed at Database before 12:00:00 UTC\? /),
      expect.stringMatching(/^- Why did the stage "basic health" need 3 attempts\? /),
      expect.stringMatching(/^- What is the current state of `Pool is full`\? /),
      '- What did the operator intend? `status` cannot be set to "fixed": enter acknowledged or resolved.',
    ]);
  });

  it.each<[string, Account, string]>([
    ["while it lasts", changed({ status: "open", resolved_at: null, recovery: null }), "The incident is open."],
    ["without a cause", changed({ root_cause: "unknown", confidence: 0, whys: [] }), "The cause was not found."],
    ["that an operator ended", changed({ recovery: null }), "at 12:30:30 UTC, by an operator."],
    [
      "that came back after its proof, and that an operator ended",
      changed({ recovery: outage.incident.recovery && { ...outage.incident.recovery, ended_at: at("12:25:00") } }),
      "at 12:30:30 UTC, by an operator.",
    ],
    [
      "with a proof of an earlier recovery only",
      changed({ recovery: outage.incident.recovery && { ...outage.incident.recovery, ended_at: at("12:25:00") } }),
      "The latest validation is of an earlier recovery, started at 12:24:00 UTC.",
    ],
    ["of doubt", changed({ confidence: 0.5 }), "- Was Database the cause? Confidence was 50%."],
    ["of two causes", changed({ also_broken: "shop" }), "Do the failures of Database and Shop have a common cause?"],
    [
      "with a notice on its way",
      changed({}, { deliveries: [delivery(1, "opened", "mail", "retrying")] }),
      "pending when this was written: opened to mail.",
    ],
    ["that nobody heard of", changed({}, { deliveries: [] }), "No notifications were recorded for this incident."],
    ["that nobody took up", changed({ acknowledged_at: null }), "Nobody acknowledged it."],
    ["over midnight", changed({ resolved_at: new Date("2025-09-17T00:10:00Z") }), "at 2025-09-17 00:10:00 UTC"],
    [
      "of which little is left",
      { ...outage, incident: readIncident({ timeline: "broken", affected: [{}] }) },
      "# Draft postmortem:",
    ],
  ])("covers an outage %s", (_, account, expected) => {
    expect(postmortemOf(account)).toContain(expected);
  });
});

describe("a postmortem of hostile texts", () => {
  const hostile = [
    "<img src=x onerror=alert(1)>",
    "[log in](https://evil.example)",
    "\n# Resolved by mistake\n",
    "| a | b |",
    "</details><script>",
    "`".repeat(7),
    "x".repeat(5_000),
  ];

  it.each(hostile)("escapes %j", (evil) => {
    const written = postmortemOf(poisoned(outage, evil));
    const outside = written.replaceAll(/\\./g, "").replaceAll(/`[^`\n]*`/g, "");
    expect(outside).not.toMatch(/<[a-z/]|\]\(|https:\/\//);
    const headings = written.split("\n").filter((line) => line.startsWith("#"));
    const own = text.split("\n").filter((line) => line.startsWith("## "));
    expect(headings.filter((line) => line.startsWith("## "))).toEqual(own.filter((line) => headings.includes(line)));
    for (const row of written.split("\n").filter((line) => line.startsWith("| "))) {
      expect([3, 4, 5, 6, 7]).toContain(row.split(/(?<!\\)\|/).length - 2);
    }
  });

  it("has a maximum size for any document", () => {
    const many = changed({
      timeline: Array.from({ length: 150 }, (_, i) => `2025-09-16 12:00:00 UTC  ${i} ${"<>".repeat(2_000)}`),
      evidence: Array(400).fill(`Against it: ${"&amp;".repeat(500)}`),
      affected: outage.incident.affected.flatMap((one) => Array(2_000).fill({ ...one, title: "&amp;".repeat(20) })),
    });
    const written = postmortemOf(many);
    expect(Buffer.byteLength(written)).toBeLessThanOrEqual(longestPostmortem);
    expect(written).toContain("Truncated: the postmortem exceeds");
  });

  it("is the same for the same account", () => {
    expect(postmortemOf(structuredClone(outage))).toBe(text);
    expect(at("12:00:00").toISOString()).toBe("2025-09-16T12:00:00.000Z");
  });
});

/** The same with a text added to every text. */
function poisoned<T>(value: T, evil: string): T {
  if (typeof value === "string") return `${value} ${evil}` as T;
  if (value instanceof Date || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => poisoned(item, evil)) as T;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, poisoned(item, evil)])) as T;
}

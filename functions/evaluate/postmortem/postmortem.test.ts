import { describe, expect, it } from "vitest";
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
  it("tells in three paragraphs what happened, what it meant and how it went", () => {
    expect(text.split("\n")[0]).toBe("# Postmortem: Shop: Database and Shop failing");
    expect(text).toContain(
      "`20250916-120200-database` · critical, P0 · verdict: platform · 90% sure · team: infrastructure",
    );
    expect(linesOf("Summary")).toEqual([
      "On 2025-09-16, from 12:00:00 UTC on, Database and Shop failed. The cause was Database (platform). Database has no connection left: it answers at once, and turns new clients away.",
      "Nobody can buy. 2 of 3 components are affected.",
      "Pathkeeper opened this incident 2 min after the first failure and named the cause 1 min later. It ended 30 min 30 s after the first failure, at 12:30:30 UTC, when fresh probes had proved the recovery in 1 stage.",
    ]);
  });

  it("says who was affected for how long, and what that takes of the error budget", () => {
    const lines = linesOf("Impact");
    expect(lines[0]).toBe("What people use failed for **19 min**, from 12:01:00 to 12:20:00: Shop.");
    expect(lines).toContain("| Database | failed | 12:00:00 | 12:20:00 | 20 min |  |");
    expect(lines).toContain("| Shop | failed | 12:01:00 | 12:20:00 | 19 min | Nobody can buy |");
    // 1% of 30 days is 7 h 12 min, 0.1% is 43 min 12 s; 99.91% is not rounded up.
    expect(lines).toContain(
      "| Database | 99.91% | 15 d 12 h | 99% | 7 h 12 min | 20 min (4.62%) | 20 min, 95.37% left |",
    );
    expect(lines).toContain(
      "| Shop | 99.7% | 15 d 13 h | 99.9% | 43 min 12 s | 19 min (43.98%) | 1 h 6 min, overdrawn |",
    );
    expect(lines.at(-1)).toBe("`database` was walked to its end in 199 of 200 attempts of the month (99.5%).");
  });

  it("has the timeline, with what happened at once put together, and a note that is not in it", () => {
    expect(linesOf("Timeline")).toEqual([
      "- **2025-09-16 12:00:00** `database` fails in authentication (database): too many clients.",
      '- **12:02:00** Opened by "database failing". The likely cause is Database.',
      "- **12:20:00** `database` and `shop-health` are good again.",
      "- **12:30:30** Resolved. Every stage of the recovery has passed.",
      "- Note in the document: It was the importer",
    ]);
  });

  it("has the chain of whys and the evidence for and against", () => {
    expect(linesOf("Why it happened")).toEqual([
      "1. Shop fails: `shop-health` fails in response (http_status): 503.",
      "2. Why? It depends on Database. Database fails: `database` fails in authentication (database): too many clients.",
      "3. Why? Database has no connection left: it answers at once, and turns new clients away.",
      "### What speaks for it",
      "- Its connections are used up: 100 of 100.",
      "### What it explains",
      "- `shop-health` fails in response (http_status): 503, from outside, since 12:01:00 UTC until 12:20:00 UTC.",
      "### What speaks against it, or is not explained by it",
      "- Against Database: `reports` was good all the time, though it needs Database.",
      "### What else was considered",
      "- Less likely: Shop, because it explains less of what was seen.",
    ]);
  });

  it("says how it was noticed and how long everything took", () => {
    expect(linesOf("How it was noticed")).toEqual([
      'The first sign was at 12:00:00 UTC, from inside: `database` fails in authentication (database): too many clients. The rule "database failing" opened the incident at 12:02:00 UTC. In all, 2 checks of 2 components saw it, from inside.',
    ]);
    const timeline = [
      "2025-09-16 12:04:00 UTC  The likely cause is Database and no longer Shop. For Database: it is down.",
    ];
    expect(linesOf("How it was noticed", postmortemOf(changed({ timeline })))[0]).toMatch(
      /from inside\. The cause that was named changed once, as the timeline says\.$/,
    );
    expect(linesOf("How long it took").slice(2)).toEqual([
      "| detect | the first failure | 2 min | 12:02:00 |",
      "| name the cause | the first failure | 3 min | 12:03:00 |",
      "| tell the first | the opening | 3 s | 12:02:03 |",
      "| acknowledge | the opening | 20 min | 12:22:00 |",
      "| recover (every alert clear) | the first failure | 24 min | 12:24:00 |",
      "| validate (every stage passed) | the recovery | 6 min 30 s | 12:30:30 |",
      "| resolve | the first failure | 30 min 30 s | 12:30:30 |",
    ]);
    expect(linesOf("How the recovery was proved").slice(2)).toEqual([
      "| basic health | passed | 6 min 30 s | 3 | 1 |",
      "- basic health: 2025-09-16 12:25:00 UTC Attempt 1: `database` succeeds, but it is slow.",
      "- An earlier proof: Begun at 12:10:00 UTC, regressed after 2 min; no stage had passed.",
    ]);
  });

  it("says who was told, who was not, and why", () => {
    expect(linesOf("Who was told").slice(2)).toEqual([
      "| 12:02:00 | opened | `mail` after 3 s; `hook` after 3 s, at attempt 2 |  |",
      "| 12:30:30 | resolved | `mail` after 1 s | `hook`: 410 Gone |",
      "- `sales` was not told of opened: no route brings that there.",
      "- `sales` was not told of resolved: never announced here.",
    ]);
    const [ann, bob, cleo] = ["ann@example.com", "bob@example.com", "cleo@example.com"];
    const several = [
      delivery(1, "opened", "mail", "delivered", { recipient: ann }),
      delivery(1, "opened", "mail", "delivered", { recipient: bob, attempt_count: 3 }),
      delivery(1, "opened", "mail", "rejected", { recipient: cleo, reason: "550 no such user" }),
      delivery(2, "resolved", "mail", "delivered", { recipient: ann }),
      delivery(2, "resolved", "mail", "delivered", { recipient: bob }),
      delivery(2, "resolved", "mail", "suppressed", { recipient: cleo, reason: "never announced here" }),
      delivery(3, "reminder", "mail", "suppressed", { recipient: ann, reason: "not due" }),
      delivery(3, "reminder", "mail", "suppressed", { recipient: bob, reason: "not due" }),
      delivery(3, "reminder", "mail", "suppressed", { recipient: cleo, reason: "not due" }),
    ];
    expect(linesOf("Who was told", postmortemOf({ ...outage, deliveries: several })).slice(2)).toEqual([
      "| 12:02:00 | opened | `mail (ann@example.com)` after 3 s; `mail (bob@example.com)` after 3 s, at attempt 3 | `mail (cleo@example.com)`: 550 no such user |",
      "| 12:30:30 | resolved | `mail (ann@example.com)` and `mail (bob@example.com)` after 1 s |  |",
      "| 12:30:30 | reminder | nobody |  |",
      "- `mail (cleo@example.com)` was not told of resolved: never announced here.",
      "- `mail` was not told of reminder: not due.",
    ]);
    expect(linesOf("Who was told", postmortemOf({ ...outage, deliveries: [] }))).toEqual([
      "Nobody: there are no notices of this incident.",
    ]);
  });

  it("lists the checks that failed at the time", () => {
    expect(linesOf("Checks that failed").slice(2)).toEqual([
      "| probe `database` | inside | 12:00:00 | 12:20:00 | 2 times | fails in authentication (database): too many clients |",
      '| rule "Pool is full" | – | 12:00:30 | not seen | once | cloud_sql_pool_utilization (100%) \\> 85% |',
      "The checks of the configuration found:",
      "- max-connections is 100, expected 400: instances x pool is above it (warning; it was so before).",
    ]);
  });

  it("proposes what the cause, the findings, the telling and the recovery call for, each with its reason", () => {
    const reasons = linesOf("Proposals to prevent it").filter((line) => line.startsWith("- "));
    expect(reasons).toEqual([
      "- Database has no connection left: it answers at once, and turns new clients away. Therefore:",
      "- A configuration check was wrong before the outage: max-connections is 100, expected 400: instances x pool is above it. Therefore:",
      "- Nothing was measured of Load balancer meanwhile. Therefore:",
      "- It took 20 min until somebody acknowledged it. Therefore:",
      "- A notice did not arrive there: 410 Gone. Therefore:",
      "- The recovery was believed too early once. Therefore:",
      "- Validations of basic health got no answer. Therefore:",
    ]);
    expect(text).toContain(
      "  - [ ] Warn before they are used up: a rule such as `forecast(cloud_sql_pool_utilization, 1h) > 90%`.",
    );
  });

  it("asks what only people can answer", () => {
    expect(linesOf("Open questions")).toEqual([
      expect.stringMatching(/^- What made Database fail at 12:00:00 UTC\? /),
      "- How does this fit? Against Database: `reports` was good all the time, though it needs Database.",
      expect.stringMatching(/^- Why did the stage "basic health" need 3 attempts\? /),
      expect.stringMatching(/^- What does `Pool is full` show now\? /),
      '- What did the operator mean? `status` cannot be made "fixed": write acknowledged or resolved.',
    ]);
  });

  it.each<[string, Account, string]>([
    ["while it lasts", changed({ status: "open", resolved_at: null, recovery: null }), "It is open."],
    ["without a cause", changed({ root_cause: "unknown", confidence: 0, whys: [] }), "The cause was not found."],
    ["that an operator ended", changed({ recovery: null }), "because an operator said so"],
    ["of doubt", changed({ confidence: 0.5 }), "- Was it Database? The monitor was 50% sure."],
    ["of two causes", changed({ also_broken: "shop" }), "Do Database and Shop have something in common"],
    [
      "with a notice on its way",
      changed({}, { deliveries: [delivery(1, "opened", "mail", "retrying")] }),
      "on their way when this was written: opened to mail.",
    ],
    ["that nobody heard of", changed({}, { deliveries: [] }), "Nobody: there are no notices of this incident."],
    ["that nobody took up", changed({ acknowledged_at: null }), "| acknowledge | the opening | nobody did |  |"],
    ["over midnight", changed({ resolved_at: new Date("2025-09-17T00:10:00Z") }), "at 2025-09-17 00:10:00 UTC"],
    [
      "of which little is left",
      { ...outage, incident: readIncident({ timeline: "broken", affected: [{}] }) },
      "# So far:",
    ],
  ])("of an outage %s says so", (_, account, said) => {
    expect(postmortemOf(account)).toContain(said);
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

  it.each(hostile)("keeps %j text", (evil) => {
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

  it("has a bound, whatever its document holds", () => {
    const many = changed({
      timeline: Array.from({ length: 150 }, (_, i) => `2025-09-16 12:00:00 UTC  ${i} ${"<>".repeat(2_000)}`),
      evidence: Array(400).fill(`Against it: ${"&amp;".repeat(500)}`),
    });
    const written = postmortemOf(many);
    expect(Buffer.byteLength(written)).toBeLessThanOrEqual(longestPostmortem);
    expect(written).toContain("The rest is left out");
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

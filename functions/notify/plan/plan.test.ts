import { describe, expect, it } from "vitest";
import type { MaintenanceWindow, Route } from "../../../shared/config/model.ts";
import type { IncidentEvent } from "../../../shared/messages/incident-event.ts";
import type { OutgoingMail } from "../channel.ts";
import { channels as kinds } from "../channels/index.ts";
import type { DeliveryStatus, LedgerEntry } from "../deliver/ledger.ts";
import { configurationOf, heldLedger, incidentEvent, noon, resolvedEvent } from "../fixtures.ts";
import { maxPerHour, type NotificationPlan, plan } from "./plan.ts";
import { revokedByRelapse } from "./relapse.ts";
import type { Silence } from "./silence.ts";

const ops = { name: "ops", kind: "webhook", settings: { url: { secret: "ops-url" } } };
const mail = { name: "mail", kind: "email", settings: { to: ["infra@example.com"] } };

/** Formats the plan as lines: `mail: yes`, `ops: no route: …`. */
function outcomes(
  event: IncidentEvent,
  given: {
    routes?: readonly Route[];
    silences?: readonly Silence[];
    maintenance?: readonly MaintenanceWindow[];
    ledger?: readonly LedgerEntry[];
  } = {},
): Record<string, string> {
  const { deliveries, suppressed } = planned(event, given);
  return Object.fromEntries([
    ...deliveries.map(({ channel }) => [channel, "yes"]),
    ...suppressed.map(({ channel, reason }) => [channel, reason]),
  ]);
}

function planned(event: IncidentEvent, given: Parameters<typeof outcomes>[1] = {}): NotificationPlan {
  const { maintenance = [] } = given;
  const configuration = { ...configurationOf([mail, ops], given.routes), maintenance };
  return plan(event, { configuration, kinds, silences: given.silences ?? [], ledger: given.ledger ?? [] }, noon);
}

const silence = (scope: Silence["scope"], name: string, changes: Partial<Silence> = {}): Silence => ({
  scope,
  name,
  from: noon,
  until: noon + 3_600_000,
  reason: "connector upgrade",
  ...changes,
});

describe("routes", () => {
  it.each<[string, Omit<Route, "channels">, string]>([
    ["an empty route", {}, "yes"],
    ["its severity", { severity: ["warning", "critical"] }, "yes"],
    ["another severity", { severity: ["info"] }, "no route: opened, critical, vpc-connector"],
    ["the root cause", { components: ["vpc-connector"] }, "yes"],
    ["an affected component", { components: ["backend"] }, "yes"],
    ["another component", { components: ["auth"] }, "no route: opened, critical, vpc-connector"],
    ["the event", { events: ["opened", "resolved"] }, "yes"],
    ["another event", { events: ["resolved"] }, "no route: opened, critical, vpc-connector"],
    [
      "all but one of several",
      { severity: ["critical"], events: ["resolved"] },
      "no route: opened, critical, vpc-connector",
    ],
  ])("%s", (_, route, expected) => {
    expect(outcomes(incidentEvent(), { routes: [{ channels: ["ops"], ...route }] })).toEqual({
      mail: "no route: opened, critical, vpc-connector",
      ops: expected,
    });
  });

  it("says which routes matched", () => {
    const routes: Route[] = [
      { channels: ["ops"], severity: ["info"] },
      { channels: ["ops"] },
      { channels: ["ops", "mail"] },
    ];
    expect(planned(incidentEvent(), { routes }).deliveries.map(({ channel, reason }) => [channel, reason])).toEqual([
      ["mail", "route 3"],
      ["ops", "route 2, 3"],
    ]);
  });
});

describe("silences", () => {
  const until = "until 2025-09-16T13:00:00.000Z: connector upgrade";

  it.each<[string, Silence[], string]>([
    ["of the environment", [silence("environment", "netra-staging")], `silenced (environment netra-staging) ${until}`],
    ["of another environment", [silence("environment", "production")], "yes"],
    ["of the root cause", [silence("component", "vpc-connector")], `silenced (component vpc-connector) ${until}`],
    ["of a component that is only affected", [silence("component", "backend")], "yes"],
    ["of one rule of two", [silence("rule", "connector full")], "yes"],
    [
      "of every rule",
      [silence("rule", "connector full"), silence("rule", "backend-health failing")],
      `silenced (rule connector full) ${until}`,
    ],
    [
      "of the incident",
      [silence("incident", "20250916-120000-vpc-connector")],
      `silenced (incident 20250916-120000-vpc-connector) ${until}`,
    ],
    ["that ends at this moment", [silence("environment", "netra-staging", { until: noon })], "yes"],
    ["that starts later", [silence("environment", "netra-staging", { from: noon + 1 })], "yes"],
  ])("%s", (_, silences, expected) => {
    expect(outcomes(incidentEvent(), { silences })).toEqual({ mail: expected, ops: expected });
  });

  it("never mute the all-clear of an announced incident", () => {
    const ledger = heldLedger("mail", [[{}, "delivered"]]);
    const silences = [silence("environment", "netra-staging")];
    expect(outcomes(resolvedEvent(), { silences, ledger })).toEqual({ mail: "yes", ops: "never announced here" });
  });
});

describe("maintenance", () => {
  const once = { from: noon, to: noon + 3_600_000 };
  const window = (components?: string[]): MaintenanceWindow[] => [
    { name: "patching", timezone: "Etc/UTC", once, ...(components === undefined ? {} : { components }) },
  ];
  const refused = 'maintenance "patching" until 2025-09-16T13:00:00.000Z';

  it.each<[string, MaintenanceWindow[], string]>([
    ["of everything", window(), refused],
    ["of the root cause", window(["vpc-connector"]), refused],
    ["of a component that is only affected", window(["backend"]), "yes"],
    ["of another component", window(["auth"]), "yes"],
  ])("%s", (_, maintenance, expected) => {
    expect(outcomes(incidentEvent(), { maintenance })).toEqual({ mail: expected, ops: expected });
  });

  it("never mute the all-clear of an announced incident", () => {
    const ledger = heldLedger("mail", [[{}, "delivered"]]);
    expect(outcomes(resolvedEvent(), { maintenance: window(), ledger })).toEqual({
      mail: "yes",
      ops: "never announced here",
    });
  });
});

describe("a reader who was not notified at first", () => {
  const joined = incidentEvent({ event: "joined", sequence: 2, components: ["vpc-connector", "backend", "auth"] });
  const routes: Route[] = [
    { channels: ["ops"], components: ["auth"] },
    { channels: ["mail"], events: ["escalated", "resolved"] },
  ];

  it.each<[string, LedgerEntry[]]>([
    ["was not affected", heldLedger("ops", [[{}, "suppressed"]])],
    ["was unreachable", heldLedger("ops", [[{}, "rejected"]])],
    ["was not configured", []],
  ])("and %s is notified once, with an opening", (_, ledger) => {
    const { deliveries, suppressed } = planned(joined, { routes, ledger });
    expect(deliveries.map(({ key, insteadOf, reason }) => [key, insteadOf, reason])).toEqual([
      [
        "20250916-120000-vpc-connector:opened:ops",
        "20250916-120000-vpc-connector:joined:ops",
        "route 1, since joined: it was not announced before",
      ],
    ]);
    expect(JSON.stringify(deliveries[0]?.payload)).toContain("incident.opened");
    expect(suppressed.map(({ channel, reason }) => [channel, reason])).toEqual([
      ["mail", "no route: joined, critical, vpc-connector"],
    ]);
    const again = incidentEvent({ event: "root_cause_changed", sequence: 3, components: joined.components });
    const known = heldLedger("ops", [[{}, "planned"]]);
    expect(planned(again, { routes, ledger: known }).deliveries.map(({ key }) => key)).toEqual([
      "20250916-120000-vpc-connector:root_cause_changed:ops",
    ]);
  });

  it("and is still muted is not notified, with the reason", () => {
    const maintenance = [{ name: "move", timezone: "Etc/UTC", once: { from: noon, to: noon + 60_000 } }];
    expect(outcomes(joined, { routes, maintenance }).ops).toBe('maintenance "move" until 2025-09-16T12:01:00.000Z');
  });
});

describe("the limit", () => {
  const updates = (count: number): LedgerEntry[] =>
    heldLedger(
      "ops",
      Array.from({ length: count }, (_, index) => [
        { event: "root_cause_changed", sequence: index + 1, occurrence: index + 1 },
        "delivered",
      ]),
    );

  it.each<[IncidentEvent["event"], number, string]>([
    ["root_cause_changed", 11, "yes"],
    [
      "root_cause_changed",
      12,
      "limit: 12 notifications of this incident within an hour; see the incident for the rest",
    ],
    ["severity_raised", 12, "yes"],
    ["resolved", 12, "yes"],
  ])("a %s after %i notices within the hour", (event, count, expected) => {
    const status = event === "resolved" ? "resolved" : "open";
    const ledger = updates(count);
    expect(outcomes(incidentEvent({ event, status, sequence: 20, occurrence: 20 }), { ledger }).ops).toBe(expected);
  });

  it("counts the last hour only", () => {
    const at = new Date(noon + 3_600_000).toISOString();
    const event = incidentEvent({ event: "root_cause_changed", sequence: 20, occurrence: 20, at });
    expect(outcomes(event, { ledger: updates(12) }).ops).toBe("yes");
  });
});

describe("a detected change", () => {
  const found = incidentEvent({ event: "status_update", news: "change", sequence: 2, at: "2025-09-16T12:00:30.000Z" });
  const ledger = [...heldLedger("mail", [[{}, "delivered"]]), ...heldLedger("ops", [[{}, "delivered"]])];

  it("is sent soon after the opening, to engineers only", () => {
    expect(outcomes(found, { ledger })).toEqual({ mail: "yes", ops: "yes" });
    const configuration = configurationOf([{ ...mail, audience: "executives" }, ops]);
    const { suppressed } = plan(found, { configuration, kinds, silences: [], ledger }, noon);
    expect(suppressed.map(({ channel, reason }) => [channel, reason])).toEqual([
      ["mail", "changes are announced to engineers only"],
    ]);
  });
});

describe("the all-clear", () => {
  it.each<[DeliveryStatus, string]>([
    ["planned", "yes"],
    ["sending", "yes"],
    ["retrying", "yes"],
    ["delivered", "yes"],
    ["rejected", "never announced here"],
    ["suppressed", "never announced here"],
  ])("after an opening that is %s: %s", (status, expected) => {
    const ledger = heldLedger("ops", [[{}, status]]);
    expect(outcomes(resolvedEvent(), { ledger, routes: [] })).toEqual({ mail: "never announced here", ops: expected });
  });

  it.each([
    ["retry", "never announced here"],
    ["lost", "yes"],
  ])("after an opening that was given up, with an attempt that was %s: %s", (outcome, expected) => {
    const attempts = [{ at: new Date(noon), outcome, answer: "" }];
    const [given] = heldLedger("ops", [[{}, "rejected"]]);
    const ledger = given === undefined ? [] : [{ ...given, delivery: { ...given.delivery, attempts } }];
    expect(outcomes(resolvedEvent(), { ledger, routes: [] }).ops).toBe(expected);
  });

  it("goes to readers first notified by a later event", () => {
    const ledger = heldLedger("ops", [
      [{}, "suppressed"],
      [{ event: "severity_raised", sequence: 2 }, "delivered"],
    ]);
    expect(outcomes(resolvedEvent({ sequence: 3 }), { ledger }).ops).toBe("yes");
  });

  it("gives the reason for not notifying a removed channel", () => {
    const ledger = heldLedger("gone", [[{}, "delivered"]]);
    expect(outcomes(resolvedEvent(), { ledger }).gone).toBe("the channel is no longer in the configuration");
  });

  it("is not followed by updates that it has overtaken", () => {
    const ledger = heldLedger("ops", [
      [{}, "delivered"],
      [{ event: "resolved", status: "resolved", sequence: 3 }, "delivered"],
    ]);
    const raised = incidentEvent({ event: "severity_raised", sequence: 2 });
    const reason = "superseded: the incident is resolved";
    // The mail channel, added or renamed since, would be notified of the incident and never of its end.
    expect(outcomes(raised, { ledger })).toEqual({ mail: reason, ops: reason });
  });
});

describe("a relapse", () => {
  const regressed = incidentEvent({ event: "regressed", sequence: 3 });
  const history = (channel: string, status: DeliveryStatus = "delivered"): LedgerEntry[] =>
    heldLedger(channel, [
      [{}, "delivered"],
      [{ event: "resolved", sequence: 2 }, status],
    ]);
  const quiet: Route[] = [{ channels: ["ops", "mail"], events: ["opened", "resolved"] }];

  it("is sent to readers of the all-clear, regardless of the events in the route", () => {
    const ledger = [...history("ops"), ...heldLedger("mail", [[{}, "delivered"]])];
    expect(outcomes(regressed, { routes: quiet, ledger })).toEqual({
      mail: "no route: regressed, critical, vpc-connector",
      ops: "yes",
    });
  });

  it.each<[DeliveryStatus, string]>([
    ["planned", "yes"],
    ["retrying", "yes"],
    ["rejected", "no route: regressed, critical, vpc-connector"],
    ["suppressed", "no route: regressed, critical, vpc-connector"],
  ])("after an all-clear that is %s: %s", (status, expected) => {
    expect(outcomes(regressed, { routes: quiet, ledger: history("ops", status) })["ops"]).toBe(expected);
  });

  it("is exempt from the hourly limit, but not from silences", () => {
    const many = Array.from({ length: maxPerHour }, (_, at) => at + 3);
    const ledger = [
      ...history("ops"),
      ...heldLedger(
        "ops",
        many.map((sequence) => [{ event: "reminder", sequence }, "delivered"] as const),
      ),
    ];
    const late = { ...regressed, sequence: 100 };
    expect(outcomes(late, { routes: quiet, ledger })["ops"]).toBe("yes");
    const silences = [silence("environment", "netra-staging")];
    expect(outcomes(late, { routes: quiet, ledger, silences })["ops"]).toMatch(/^silenced/);
  });

  it("revokes an all-clear whose message arrives later", () => {
    const ledger = heldLedger("ops", [
      [{}, "delivered"],
      [{ event: "regressed", sequence: 3 }, "suppressed"],
    ]);
    expect(outcomes(resolvedEvent({ sequence: 2 }), { ledger })["ops"]).toBe(revokedByRelapse);
    expect(outcomes(resolvedEvent({ sequence: 4 }), { ledger })["ops"]).toBe("yes");
  });

  it("that was silenced for a reader is announced by the next event", () => {
    const ledger = [...history("mail"), ...heldLedger("mail", [[{ event: "regressed", sequence: 3 }, "suppressed"]])];
    const news = incidentEvent({ event: "status_update", sequence: 4, status: "acknowledged" });
    const payload = planned(news, { ledger }).deliveries.find(({ channel }) => channel === "mail")?.payload;
    expect((payload as OutgoingMail).text).toMatch(/^OPEN AGAIN, the recovery did not last · /);
  });

  it.each<[string, string, DeliveryStatus, string]>([
    [
      "a person who was not notified",
      "mail",
      "suppressed",
      "the resolution was already announced here, and not that it came back",
    ],
    ["a person who was notified", "mail", "delivered", "yes"],
    ["a person who may have been notified", "mail", "sending", "yes"],
    ["a program", "ops", "suppressed", "yes"],
  ])("is followed by an all-clear for readers notified of it, and for programs: %s", (_, channel, status, expected) => {
    const ledger = [...history(channel), ...heldLedger(channel, [[{ event: "regressed", sequence: 3 }, status]])];
    expect(outcomes(resolvedEvent({ sequence: 4 }), { ledger })[channel]).toBe(expected);
  });

  it("during a recovery is sent according to the routes", () => {
    const ledger = heldLedger("ops", [[{}, "delivered"]]);
    expect(outcomes(regressed, { routes: quiet, ledger })["ops"]).toBe("no route: regressed, critical, vpc-connector");
  });
});

describe("a changed root cause", () => {
  const changed = incidentEvent({
    event: "root_cause_changed",
    sequence: 2,
    root_cause: "backend",
    summary: "It is the backend.",
  });
  const heldFor = (ago: number): Record<string, number | undefined> => {
    const at = new Date(noon - ago * 60_000).toISOString();
    const ledger = ["ops", "mail"].flatMap((channel) => heldLedger(channel, [[{ at }, "delivered"]]));
    const { deliveries } = planned(changed, { ledger });
    return Object.fromEntries(deliveries.map(({ channel, hold }) => [channel, hold && (hold.until - noon) / 60_000]));
  };

  it.each<[number, number | undefined]>([
    [0, 10],
    [4, 6],
    [10, undefined],
    [600, undefined],
  ])("is held back for a person notified %i minutes ago, and never for a program", (ago, minutes) => {
    expect(heldFor(ago)).toEqual({ mail: minutes, ops: undefined });
  });
});

describe("late events", () => {
  it.each<[string, Partial<IncidentEvent>, string]>([
    ["a change", { event: "joined" }, "superseded: included in a later notification"],
    ["an escalation", { event: "escalated" }, "yes"],
  ])("%s overtaken by later events", (_, changes, expected) => {
    const ledger = heldLedger("ops", [
      [{}, "delivered"],
      [{ event: "severity_raised", sequence: 3 }, "delivered"],
    ]);
    const routes = [{ channels: ["ops"], events: ["joined", "escalated"] as const }];
    expect(outcomes(incidentEvent({ sequence: 2, ...changes }), { ledger, routes }).ops).toBe(expected);
  });
});

describe("reminders and escalations", () => {
  const minutesLater = (minutes: number): string => new Date(noon + minutes * 60_000).toISOString();
  const ledger = [
    ...heldLedger("ops", [[{}, "delivered"]]),
    ...heldLedger("mail", [
      [{}, "delivered"],
      [{ event: "reminder", sequence: 2, at: minutesLater(60) }, "delivered"],
    ]),
  ];

  it.each<[number, string, string]>([
    [119, "not due: 59 min of 1 h have passed", "yes"],
    [119.5, "yes", "yes"],
    [120, "yes", "yes"],
  ])(
    "a reminder %d minutes after the opening counts from the last notice in the channel",
    (minutes, mailed, posted) => {
      const event = incidentEvent({ event: "reminder", sequence: 3, occurrence: 2, at: minutesLater(minutes) });
      const routes = [{ channels: ["mail", "ops"], remindEveryMs: 3_600_000 }];
      expect(outcomes(event, { ledger, routes })).toEqual({ mail: mailed, ops: posted });
    },
  );

  it("counts from the arrival of a notice, and waits for one that is pending", () => {
    const event = incidentEvent({ event: "reminder", sequence: 3, at: minutesLater(60) });
    const routes = [{ channels: ["mail", "ops"], remindEveryMs: 3_600_000 }];
    const late = heldLedger("ops", [[{}, "delivered"]]).map(({ id, delivery }) => ({
      id,
      delivery: { ...delivery, delivered_at: new Date(noon + 20 * 60_000) },
    }));
    expect(outcomes(event, { ledger: [...late, ...heldLedger("mail", [[{}, "retrying"]])], routes })).toEqual({
      mail: "not due: an earlier notification is still being delivered",
      ops: "not due: 40 min of 1 h have passed",
    });
  });

  it.each<[string, Omit<Route, "channels">, number, string]>([
    ["without escalate_after", {}, 15, "no route requests it (escalate_after)"],
    ["before it is due", { escalateAfterMs: 900_000 }, 14, "not due: 14 min of 15 min have passed"],
    ["when it is due", { escalateAfterMs: 900_000 }, 15, "yes"],
    ["by a separate route", { events: ["escalated"] }, 1, "yes"],
  ])("an escalation to a route %s", (_, route, minutes, expected) => {
    const event = incidentEvent({ event: "escalated", sequence: 3, at: minutesLater(minutes) });
    expect(outcomes(event, { ledger, routes: [{ channels: ["ops"], ...route }] }).ops).toBe(expected);
  });
});

describe("a plan", () => {
  it("contains every reader exactly once, with its key", () => {
    const { deliveries, suppressed } = planned(
      incidentEvent({ event: "reminder", occurrence: 3, at: "2025-09-16T12:01:00.000Z" }),
      {
        ledger: heldLedger("ops", [[{ sequence: 0 }, "delivered"]]),
        routes: [{ channels: ["ops"], remindEveryMs: 1 }],
      },
    );
    expect(deliveries.map(({ key }) => key)).toEqual(["20250916-120000-vpc-connector:reminder-3:ops"]);
    expect(suppressed.map(({ key }) => key)).toEqual([
      "20250916-120000-vpc-connector:reminder-3:mail:infra@example.com",
    ]);
  });

  it("keeps the title of the thread when the incident is renamed", () => {
    const ledger = heldLedger("mail", [[{}, "delivered"]]);
    const [mailed] = planned(resolvedEvent({ title: "Netra staging: VPC connector, backend failing" }), {
      ledger,
    }).deliveries;
    expect(mailed?.payload).toMatchObject({
      subject: "[RESOLVED] Netra staging: VPC connector failing · 20250916-120000-vpc-connector",
      messageId: expect.stringMatching(
        /^<20250916-120000-vpc-connector\.resolved\.mail\.[0-9a-f]{12}@netra-staging\.pathkeeper>$/,
      ),
      inReplyTo: "<20250916-120000-vpc-connector.opened.mail@netra-staging.pathkeeper>",
    });
  });

  it("leaves out only the channel with invalid settings", () => {
    const configuration = configurationOf([{ ...mail, settings: { to: [] } }, ops]);
    const { deliveries, suppressed } = plan(incidentEvent(), { configuration, kinds, silences: [], ledger: [] }, noon);
    expect(deliveries.map(({ channel }) => channel)).toEqual(["ops"]);
    expect(suppressed.map(({ reason }) => reason)).toEqual([
      "invalid channel settings: must name at least one mail address",
    ]);
  });
});

import { describe, expect, it } from "vitest";
import type { Route } from "../../shared/config/model.ts";
import type { IncidentEvent } from "../../shared/messages/incident-event.ts";
import { channels as kinds } from "./channels/index.ts";
import { configurationOf, incidentEvent, noon, resolvedEvent } from "./fixtures.ts";
import { type Delivery, type DeliveryStatus, deliveryId, type LedgerEntry } from "./ledger.ts";
import { type NotificationPlan, plan } from "./plan.ts";
import type { Silence } from "./silence.ts";

const ops = { name: "ops", kind: "webhook", settings: { url: { secret: "ops-url" } } };
const mail = { name: "mail", kind: "email", settings: { to: ["infra@example.com"] } };

/** What the ledger holds: events and their states in one channel. */
function held(channel: string, events: readonly (readonly [Partial<IncidentEvent>, DeliveryStatus])[]): LedgerEntry[] {
  return events.map(([changes, status]) => {
    const event = incidentEvent(changes);
    const delivery: Delivery = {
      incident: event.incident,
      event: event.event,
      channel,
      kind: channel === "mail" ? "email" : "webhook",
      sequence: event.sequence,
      at: new Date(event.at),
      title: event.title,
      status,
      reason: "",
      attempts: [],
      attempt_count: 0,
      planned_at: new Date(noon),
      expires_at: new Date(noon),
    };
    return { id: deliveryId(event, channel), delivery };
  });
}

/** The plan as lines: `mail: yes`, `ops: no route: …`. */
function told(
  event: IncidentEvent,
  given: { routes?: readonly Route[]; silences?: readonly Silence[]; ledger?: readonly LedgerEntry[] } = {},
): Record<string, string> {
  const { deliveries, suppressed } = planned(event, given);
  return Object.fromEntries([
    ...deliveries.map(({ channel }) => [channel, "yes"]),
    ...suppressed.map(({ channel, reason }) => [channel, reason]),
  ]);
}

function planned(event: IncidentEvent, given: Parameters<typeof told>[1] = {}): NotificationPlan {
  const configuration = configurationOf([mail, ops], given.routes);
  return plan(event, { configuration, kinds, silences: given.silences ?? [], ledger: given.ledger ?? [] }, noon);
}

describe("routes", () => {
  it.each<[string, Omit<Route, "channels">, string]>([
    ["an empty route", {}, "yes"],
    ["its severity", { severity: ["warning", "critical"] }, "yes"],
    ["another severity", { severity: ["info"] }, "no route: opened, critical, vpc-connector"],
    ["the root cause", { components: ["vpc-connector"] }, "yes"],
    ["a component that suffers", { components: ["backend"] }, "yes"],
    ["another component", { components: ["auth"] }, "no route: opened, critical, vpc-connector"],
    ["the event", { events: ["opened", "resolved"] }, "yes"],
    ["another event", { events: ["resolved"] }, "no route: opened, critical, vpc-connector"],
    [
      "all but one of several",
      { severity: ["critical"], events: ["resolved"] },
      "no route: opened, critical, vpc-connector",
    ],
  ])("%s", (_, route, expected) => {
    expect(told(incidentEvent(), { routes: [{ channels: ["ops"], ...route }] })).toEqual({
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
  const silence = (scope: Silence["scope"], name: string, changes: Partial<Silence> = {}): Silence => ({
    scope,
    name,
    from: noon,
    until: noon + 3_600_000,
    reason: "connector upgrade",
    ...changes,
  });
  const until = "until 2025-09-16T13:00:00.000Z: connector upgrade";

  it.each<[string, Silence[], string]>([
    ["of the environment", [silence("environment", "netra-staging")], `silenced (environment netra-staging) ${until}`],
    ["of another environment", [silence("environment", "production")], "yes"],
    ["of the root cause", [silence("component", "vpc-connector")], `silenced (component vpc-connector) ${until}`],
    ["of a component that only suffers", [silence("component", "backend")], "yes"],
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
    ["that ends now", [silence("environment", "netra-staging", { until: noon })], "yes"],
    ["that begins later", [silence("environment", "netra-staging", { from: noon + 1 })], "yes"],
  ])("%s", (_, silences, expected) => {
    expect(told(incidentEvent(), { silences })).toEqual({ mail: expected, ops: expected });
  });

  it("never mutes the all-clear of what was announced", () => {
    const ledger = held("mail", [[{}, "delivered"]]);
    const silences = [silence("environment", "netra-staging")];
    expect(told(resolvedEvent(), { silences, ledger })).toEqual({ mail: "yes", ops: "never announced here" });
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
    const ledger = held("ops", [[{}, status]]);
    expect(told(resolvedEvent(), { ledger, routes: [] })).toEqual({ mail: "never announced here", ops: expected });
  });

  it("goes to whom a later event was the first news", () => {
    const ledger = held("ops", [
      [{}, "suppressed"],
      [{ event: "severity_raised", sequence: 2 }, "delivered"],
    ]);
    expect(told(resolvedEvent({ sequence: 3 }), { ledger }).ops).toBe("yes");
  });

  it("says of a channel that has left the configuration why it is not told", () => {
    const ledger = held("gone", [[{}, "delivered"]]);
    expect(told(resolvedEvent(), { ledger }).gone).toBe("the channel is not in the configuration any more");
  });

  it("is followed by no update that it has overtaken", () => {
    const ledger = held("ops", [
      [{}, "delivered"],
      [{ event: "resolved", status: "resolved", sequence: 3 }, "delivered"],
    ]);
    const raised = incidentEvent({ event: "severity_raised", sequence: 2 });
    expect(told(raised, { ledger })).toEqual({ mail: "yes", ops: "superseded: the incident is resolved" });
  });
});

describe("reminders and escalations", () => {
  const minutesLater = (minutes: number): string => new Date(noon + minutes * 60_000).toISOString();
  const ledger = [
    ...held("ops", [[{}, "delivered"]]),
    ...held("mail", [
      [{}, "delivered"],
      [{ event: "reminder", sequence: 2, at: minutesLater(60) }, "delivered"],
    ]),
  ];

  it.each<[number, string, string]>([
    [119, "not due: 59 min of 1 h have passed", "yes"],
    [120, "yes", "yes"],
  ])("a reminder %i minutes after the opening counts from what the channel last heard", (minutes, mailed, posted) => {
    const event = incidentEvent({ event: "reminder", sequence: 3, occurrence: 2, at: minutesLater(minutes) });
    const routes = [{ channels: ["mail", "ops"], remindEveryMs: 3_600_000 }];
    expect(told(event, { ledger, routes })).toEqual({ mail: mailed, ops: posted });
  });

  it.each<[string, Omit<Route, "channels">, number, string]>([
    ["without escalate_after", {}, 15, "no route asks for it (escalate_after)"],
    ["before its time", { escalateAfterMs: 900_000 }, 14, "not due: 14 min of 15 min have passed"],
    ["in its time", { escalateAfterMs: 900_000 }, 15, "yes"],
    ["by a route of its own", { events: ["escalated"] }, 1, "yes"],
  ])("an escalation to a route %s", (_, route, minutes, expected) => {
    const event = incidentEvent({ event: "escalated", sequence: 3, at: minutesLater(minutes) });
    expect(told(event, { ledger, routes: [{ channels: ["ops"], ...route }] }).ops).toBe(expected);
  });
});

describe("what is planned", () => {
  it("names every channel exactly once, with its key", () => {
    const { deliveries, suppressed } = planned(incidentEvent({ event: "reminder", occurrence: 3 }), {
      routes: [{ channels: ["ops"], remindEveryMs: 1 }],
    });
    expect(deliveries.map(({ key }) => key)).toEqual(["20250916-120000-vpc-connector:reminder-3:ops"]);
    expect(suppressed.map(({ key }) => key)).toEqual(["20250916-120000-vpc-connector:reminder-3:mail"]);
  });

  it("keeps the name of the thread when the incident is renamed", () => {
    const ledger = held("mail", [[{}, "delivered"]]);
    const [mailed] = planned(resolvedEvent({ title: "Netra staging: VPC connector, backend failing" }), {
      ledger,
    }).deliveries;
    expect(mailed?.payload).toMatchObject({
      subject: "Netra staging: VPC connector failing · 20250916-120000-vpc-connector",
      messageId: "<20250916-120000-vpc-connector.resolved.mail@netra-staging.pathkeeper>",
      inReplyTo: "<20250916-120000-vpc-connector.opened.mail@netra-staging.pathkeeper>",
    });
  });

  it("leaves out a channel with wrong settings, and only that", () => {
    const configuration = configurationOf([{ ...mail, settings: { to: [] } }, ops]);
    const { deliveries, suppressed } = plan(incidentEvent(), { configuration, kinds, silences: [], ledger: [] }, noon);
    expect(deliveries.map(({ channel }) => channel)).toEqual(["ops"]);
    expect(suppressed.map(({ reason }) => reason)).toEqual([
      "the settings of the channel are wrong: must name at least one mail address",
    ]);
  });
});

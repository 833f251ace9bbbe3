import { describe, expect, it } from "vitest";
import type { Received } from "../inbox/inbox.ts";
import { isOver, type ObservedRun, outcomeOf } from "./outcome.ts";
import { outages } from "./script.ts";

const fields = {
  status: "resolved",
  severity: "critical",
  root_cause: "vpc-connector",
  verdict: "platform",
  opened_at: new Date("2025-09-16T12:04:00Z"),
  resolved_at: new Date("2025-09-16T12:05:00Z"),
  postmortem: "# Postmortem",
};

function receivedOf(...notices: string[]): Received[] {
  return notices.map((notice, at) => {
    const [channel = "", event = ""] = notice.split(" ");
    return { at, channel, event, incident: "one", id: notice };
  });
}

const good: ObservedRun = {
  incidents: [{ id: "one", fields }],
  received: receivedOf("mail opened", "hook opened", "mail resolved", "hook resolved"),
  channels: ["mail", "hook"],
  repeated: 0,
  restarts: 0,
};

describe("the outcome of the demo", () => {
  it("is as expected with one incident, the correct cause, and one notification per channel", () => {
    expect(isOver(good)).toBe(true);
    expect(outcomeOf(good, outages.connector)).toEqual({
      ok: true,
      problems: [],
      incidents: [
        {
          id: "one",
          status: "resolved",
          severity: "critical",
          root_cause: "vpc-connector",
          verdict: "platform",
          opened_at: "2025-09-16T12:04:00.000Z",
          resolved_at: "2025-09-16T12:05:00.000Z",
          postmortem: true,
        },
      ],
      deliveries: { mail: { opened: 1, resolved: 1 }, hook: { opened: 1, resolved: 1 } },
      repeated: 0,
      restarts: 0,
    });
  });

  it("requires the change that caused it, and none if there was none", () => {
    const named = (suspected_change?: string): ObservedRun => ({
      ...good,
      incidents: [
        { id: "one", fields: { ...fields, ...(suspected_change === undefined ? {} : { suspected_change }) } },
      ],
    });
    const promised = { ...outages.connector, change: "Created firewall rule lock-down" };
    const right =
      "Created firewall rule lock-down, which denies egress, at 12:03:59 UTC, 1 s before the first failure.";
    expect(outcomeOf(named(right), promised).problems).toEqual([]);
    expect(outcomeOf(named("Deployed revision auth-00012"), promised).problems).toEqual([
      "one names Deployed revision auth-00012 as the change before it, but it was Created firewall rule lock-down.",
    ]);
    expect(outcomeOf(named(), promised).problems).toHaveLength(1);
    expect(outcomeOf(named(right), outages.connector).problems).toHaveLength(1);
  });

  it.each<[string, Partial<ObservedRun>, string]>([
    ["nothing was seen", { incidents: [] }, "Expected exactly one incident, found 0."],
    [
      "the outage was torn in two",
      { incidents: [...good.incidents, { id: "two", fields }] },
      "Expected exactly one incident, found 2.",
    ],
    [
      "the backend is blamed",
      { incidents: [{ id: "one", fields: { ...fields, root_cause: "backend", verdict: "platform" } }] },
      "one names backend as its cause, but the cause was vpc-connector.",
    ],
    [
      "it is not closed",
      { incidents: [{ id: "one", fields: { ...fields, status: "recovering", resolved_at: null } }] },
      "one is recovering, not resolved.",
    ],
    [
      "somebody has not had the all-clear",
      { received: receivedOf("mail opened", "hook opened", "mail resolved") },
      'hook received 0 notifications of "resolved" instead of one.',
    ],
  ])("is not as expected when %s", (_, change, problem) => {
    const outcome = outcomeOf({ ...good, ...change }, outages.connector);
    expect(outcome.ok).toBe(false);
    expect(outcome.problems).toEqual([problem]);
  });

  it("covers each recipient of a channel", () => {
    const both = ["ann", "bob"].flatMap((recipient) =>
      receivedOf("mail opened", "mail resolved").map((one) => ({ ...one, recipient })),
    );
    const received = [...both, ...receivedOf("hook opened", "hook resolved")];
    expect(isOver({ ...good, received })).toBe(true);
    expect(outcomeOf({ ...good, received }, outages.connector)).toMatchObject({
      ok: true,
      deliveries: { mail: { opened: 1, resolved: 1 } },
    });
    const missing = received.filter(({ recipient, event }) => recipient !== "bob" || event !== "resolved");
    expect(isOver({ ...good, received: missing })).toBe(false);
    expect(outcomeOf({ ...good, received: missing }, outages.connector).problems).toEqual([
      'mail received 0 notifications of "resolved" instead of one.',
    ]);
  });

  it("is complete only after the last resolution notice has arrived", () => {
    expect(isOver({ ...good, incidents: [] })).toBe(false);
    expect(isOver({ ...good, received: receivedOf("mail resolved") })).toBe(false);
  });
});

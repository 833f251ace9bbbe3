import { describe, expect, it } from "vitest";
import { type Audience, audiences } from "../../../shared/config/notification.ts";
import type { IncidentEvent } from "../../../shared/messages/incident-event.ts";
import { incidentEvent, noticeOf, resolvedEvent } from "../fixtures.ts";
import { wording } from "./notice-text.ts";

function textFor(audience: Audience, event: IncidentEvent): string {
  const { state, what, facts, lists, nextSteps } = wording({ ...noticeOf(event), timezone: "Etc/UTC", audience });
  return [
    state,
    what,
    ...facts.map(({ label, value }) => `${label}: ${value}`),
    ...lists.flatMap(({ label, items }) => [`${label}:`, ...items]),
    ...nextSteps,
  ].join("\n");
}

describe("notices of one incident", () => {
  it("give engineers the evidence, the chain of whys and the next steps", () => {
    const text = textFor("engineers", incidentEvent({ next_steps: ["Look at the size of the connector."] }));
    expect(text).toContain("Evidence:\nThe connector is at 98 % of its capacity.");
    expect(text).toContain("Next steps:\nLook at the size of the connector.");
  });

  it.each<Audience>(["executives", "customer_success"])("give %s impact and outlook in plain words", (audience) => {
    expect(textFor(audience, incidentEvent())).toBe(`NEW INCIDENT · critical P0 · Netra staging
Netra staging is not working properly.
Impact: $500K+ ARR pipeline blocked
Outlook: Nobody has acknowledged it yet. There is no estimate of when it will be resolved.
What we know: The likely cause is VPC connector.
Owner: infrastructure
Since: 2025-09-16 11:58 UTC
Incident: 20250916-120000-vpc-connector`);
  });

  it.each<[Partial<IncidentEvent>, string]>([
    [
      {},
      "Since 2025-09-16 11:58 UTC, Netra staging has not been working properly. We know about it. We will tell you when it is over. (Do not promise a time: there is no estimate.)",
    ],
    // The text says that somebody is working on it only if that is true.
    [
      { event: "acknowledged", status: "acknowledged" },
      "Since 2025-09-16 11:58 UTC, Netra staging has not been working properly. We are working on it. We will tell you when it is over. (Do not promise a time: there is no estimate.)",
    ],
    [
      { event: "recovering", status: "recovering" },
      "Netra staging had an outage that began 2025-09-16 11:58 UTC. Service appears to be restored; we are verifying it. We will tell you when it is over. (Do not promise a time: there is no estimate.)",
    ],
    [{ severity: "warning" }, "Nothing yet. If somebody asks: We know about it."],
    [resolvedEvent(), "The problem that began 2025-09-16 11:58 UTC is over: Backend is back to normal."],
  ])("give sales and support a text for customers: %j", (changes, words) => {
    for (const audience of ["sales", "support"] as const) {
      expect(textFor(audience, incidentEvent(changes))).toContain(`\nTell customers: ${words}\n`);
    }
  });

  it.each<[string[], string]>([
    [["Note by ana: the connector was given more instances."], "Note by ana: the connector was given more instances."],
    [[], "Nothing new has been noted since the last update."],
  ])("daily updates tell everyone but engineers what was tried: %j", (tried, words) => {
    const update = incidentEvent({ event: "status_update", status: "acknowledged", tried });
    for (const audience of audiences.filter((one) => one !== "engineers"))
      expect(textFor(audience, update)).toContain(`\nWhat was tried: ${words}\nOutlook: Somebody is working on it.`);
    for (const audience of audiences) expect(textFor(audience, incidentEvent())).not.toContain("What was tried");
  });

  it("list the next steps of a daily update for engineers, apart from what changed", () => {
    const change = "The incident is open, 1 d after it was opened. Nothing has changed since the last update.";
    const update = incidentEvent({
      event: "status_update",
      change,
      next_steps: ["Look at the pool. Then restart it."],
    });
    const { paragraphs, lists } = wording({ ...noticeOf(update), audience: "engineers" });
    expect(paragraphs).toEqual([change]);
    expect(lists).toContainEqual({ label: "Next steps", items: ["Look at the pool. Then restart it."] });
  });

  it.each<[string, Partial<IncidentEvent>]>([
    ["recovering", { event: "recovering", status: "recovering" }],
    ["resolved", resolvedEvent()],
  ])("omit past symptoms and next steps when it is %s", (_, changes) => {
    const event = incidentEvent({ ...changes, next_steps: ["Give the connector room."] });
    for (const audience of audiences) {
      const text = textFor(audience, event);
      expect(text).not.toContain("pipeline blocked");
      expect(text).not.toMatch(/Give the connector room|at 98 %|has not been working|is not working/);
    }
  });

  it("name the restored components in an all-clear, without claiming that everything works", () => {
    const text = textFor("executives", resolvedEvent());
    expect(text).toContain("\nBackend is back to normal.\n");
    expect(text).not.toMatch(/Netra staging (works|is back)/);
    const platform = resolvedEvent({ components: ["vpc-connector"] });
    expect(textFor("executives", platform)).toContain("\nVPC connector is back to normal.\n");
  });

  it("identify an incident of the monitor, with no text for customers", () => {
    const event: Partial<IncidentEvent> = { verdict: "monitor", root_cause: "pathkeeper", components: ["pathkeeper"] };
    for (const changes of [incidentEvent(event), resolvedEvent(event)]) {
      const text = textFor("support", changes);
      expect(text).toContain("\nThe monitoring of Netra staging ");
      expect(text).toContain("\nTell customers: Nothing: this concerns only our own monitoring.\n");
      expect(text).not.toMatch(/^Netra staging (is|has)/m);
    }
  });

  it.each<[Partial<IncidentEvent>, string]>([
    [{ event: "severity_raised" }, "OPEN, and worse than before"],
    [{ event: "severity_raised", status: "acknowledged" }, "ACKNOWLEDGED, and worse than before"],
    [{ event: "opened", status: "acknowledged" }, "NEW INCIDENT, acknowledged"],
    [{ event: "recovering", status: "open" }, "OPEN"],
    [{ event: "acknowledged", status: "recovering" }, "RECOVERING, not yet validated"],
    [{ event: "joined", status: "recovering" }, "RECOVERING, not yet validated"],
    [{ event: "status_update", status: "acknowledged" }, "STATUS UPDATE, acknowledged"],
  ])("show the state of the incident, whatever the event: %j", (changes, state) => {
    for (const audience of audiences) expect(textFor(audience, incidentEvent(changes)).split(" · ")[0]).toBe(state);
  });

  it("repeat no sentence for engineers", () => {
    const event = incidentEvent({
      ...resolvedEvent(),
      summary: "Backend failed from 11:58:00 UTC. The cause was VPC connector. It lasted 32 min.",
      change: "Resolved. Every stage of the recovery has passed. It lasted 32 min, from 11:58:00 UTC.",
    });
    const { paragraphs, facts } = wording(noticeOf(event));
    expect(paragraphs).toEqual(["Every stage of the recovery has passed."]);
    expect(facts.map(({ label }) => label)).not.toContain("Lasted");
    const opened = incidentEvent({
      summary: "Backend is failing. Nobody can log in.",
      impact: "Nobody can log in. 1 of 2 components is affected.",
      evidence: ["For VPC connector: it is full.", "Against VPC connector: `reports` was good."],
    });
    const words = wording(noticeOf(opened));
    expect(words.facts).toContainEqual({ label: "Impact", value: "1 of 2 components is affected." });
    expect(words.lists.find(({ label }) => label === "Evidence")?.items).toEqual([
      "it is full.",
      "Against it: `reports` was good.",
    ]);
  });

  it("show responses of targets to engineers only", () => {
    const event = incidentEvent({ summary: "TARGET", evidence: ["TARGET"], whys: ["TARGET"], alerts: ["TARGET"] });
    expect(textFor("engineers", event)).toContain("TARGET");
    for (const audience of ["executives", "customer_success", "sales", "support"] as const)
      expect(textFor(audience, event)).not.toContain("TARGET");
  });
});

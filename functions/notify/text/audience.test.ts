import { describe, expect, it } from "vitest";
import type { Audience } from "../../../shared/config/notification.ts";
import type { IncidentEvent } from "../../../shared/messages/incident-event.ts";
import { incidentEvent, noticeOf, resolvedEvent } from "../fixtures.ts";
import { wording } from "./notice-text.ts";

function said(audience: Audience, event: IncidentEvent): string {
  const { state, what, facts, lists, nextSteps } = wording({ ...noticeOf(event), timezone: "Etc/UTC", audience });
  return [
    state,
    what,
    ...facts.map(({ label, value }) => `${label}: ${value}`),
    ...lists.flatMap(({ label, items }) => [`${label}:`, ...items]),
    ...nextSteps,
  ].join("\n");
}

describe("of one incident", () => {
  it("engineers hear the evidence, the chain of whys and what to look at next", () => {
    const text = said("engineers", incidentEvent({ next_steps: ["Look at the size of the connector."] }));
    expect(text).toContain("Evidence:\nThe connector is at 98 % of its capacity.");
    expect(text).toContain("Next steps:\nLook at the size of the connector.");
  });

  it.each<Audience>(["executives", "customer_success"])("%s hear impact and outlook in plain words", (audience) => {
    expect(said(audience, incidentEvent())).toBe(`NEW INCIDENT · critical P0 · Netra staging
Netra staging does not work as it should.
Impact: $500K+ ARR pipeline blocked
Outlook: Nobody has taken it yet. How long it will take is not known.
What we know: It comes from VPC connector.
Owner: infrastructure
Since: 2025-09-16 11:58 UTC
Incident: 20250916-120000-vpc-connector`);
  });

  it.each<[Partial<IncidentEvent>, string]>([
    [
      {},
      "Since 2025-09-16 11:58 UTC Netra staging does not work as it should. We know about it. We will tell you when it is over. (Promise no time: none is known.)",
    ],
    // That somebody works on it is said when somebody does.
    [
      { event: "acknowledged", status: "acknowledged" },
      "Since 2025-09-16 11:58 UTC Netra staging does not work as it should. We are working on it. We will tell you when it is over. (Promise no time: none is known.)",
    ],
    [
      { event: "recovering", status: "recovering" },
      "Since 2025-09-16 11:58 UTC Netra staging does not work as it should. Service appears to be restored; we are verifying it. We will tell you when it is over. (Promise no time: none is known.)",
    ],
    [{ severity: "warning" }, "Nothing yet. Should somebody ask: we know about it."],
    [resolvedEvent(), "The trouble that began 2025-09-16 11:58 UTC is over, and Netra staging works again."],
  ])("sales and support hear what to tell customers: %j", (changes, words) => {
    for (const audience of ["sales", "support"] as const) {
      expect(said(audience, incidentEvent(changes))).toContain(`\nTell customers: ${words}\n`);
    }
  });

  it("only engineers read what targets answered", () => {
    const event = incidentEvent({ summary: "TARGET", evidence: ["TARGET"], whys: ["TARGET"], alerts: ["TARGET"] });
    expect(said("engineers", event)).toContain("TARGET");
    for (const audience of ["executives", "customer_success", "sales", "support"] as const)
      expect(said(audience, event)).not.toContain("TARGET");
  });
});

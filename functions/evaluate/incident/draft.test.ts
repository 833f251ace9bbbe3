import { expect, it } from "vitest";
import { noon } from "../fixtures.ts";
import { Draft } from "./draft.ts";
import type { Incident } from "./state.ts";

const incident: Incident = {
  ...{
    id: "20250916-120000-sql",
    title: "Shop failing",
    status: "open",
    severity: "critical",
    openedBy: "sql failing",
  },
  ...{ openedAt: noon, firstFailureAt: noon, alerts: {}, symptoms: {}, timeline: [], events: {} },
  diagnosis: { rootCause: "sql", verdict: "platform", confidence: 0.9, evidence: [], whys: [], working: [] },
};

it("notes the same of the same instant once, and again of another", () => {
  const draft = new Draft(incident);
  draft.note(noon, "`login` fails again.");
  draft.note(noon + 1, "The likely cause is now shop.");
  draft.note(noon, "`login` fails again.");
  draft.note(noon + 2, "`login` fails again.");
  expect(draft.incident.timeline.map(({ at }) => at - noon)).toEqual([0, 1, 2]);
});

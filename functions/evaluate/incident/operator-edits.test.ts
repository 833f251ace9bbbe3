/** Operators' edits to the document of an incident appear in its timeline and in its postmortem. */
import { describe, expect, it } from "vitest";
import { readIncident } from "../../../shared/documents/incident.ts";
import type { Fields } from "../../../shared/ports.ts";
import { environmentDocument, stateCollection } from "../commit/state-collection.ts";
import { Bench, failing } from "../fixtures.ts";
import { planOf } from "../plan.ts";
import { Draft } from "./draft.ts";
import { decodeEnvironment } from "./state.ts";

const outage = { database: failing("timeout/connect"), "backend-health": failing("http_status/response") };

/** Edits, each with the line that records it. */
const edits: readonly (readonly [written: Fields, line: string])[] = [
  [{ status: "acknowledged" }, "Acknowledged by an operator, in the document."],
  [{ status: " Acknowledged " }, "Acknowledged by an operator, in the document."],
  [{ status: "acknowledged", edited_by: "Ana" }, "Acknowledged by Ana."],
  [{ status: "resolved", edited_by: "Ana" }, "Resolved. Ana resolved it."],
  [{ note: "It is the connector", edited_by: "Ana" }, "Note by Ana: It is the connector."],
  [{ note: "It is the connector", edited_by: 7 }, "Note by an operator: It is the connector."],
  [
    { silenced_until: new Date("2025-09-16T13:00:00Z"), edited_by: "Ana" },
    "Ana silenced the incident: no new notifications before 2025-09-16 13:00:00 UTC.",
  ],
  [
    { status: "acknowledged", edited_by: "Ana", edits: { status: { by: "Ana", via: "in Slack" } } },
    "Acknowledged by Ana, in Slack.",
  ],
  [
    { status: "resolved", edited_by: "Ana", edits: { status: { by: "Ana", via: "on the command line" } } },
    "Resolved. Ana resolved it, on the command line.",
  ],
  [{ public_note: "Back by noon", edited_by: "Ana" }, "Public note by Ana: Back by noon."],
  [{ public_note: ["Back"] }, "Invalid edit: `public_note` must be a string."],
  [{ status: "resolved" }, "Resolved. An operator resolved it, in the document."],
  [{ note: "Ann looks at the connector" }, "Note by an operator: Ann looks at the connector."],
  [
    { silenced_until: new Date("2025-09-16T13:00:00Z") },
    "An operator silenced the incident: no new notifications before 2025-09-16 13:00:00 UTC.",
  ],
  [{ status: "fixed" }, 'Invalid edit: `status` cannot be set to "fixed": enter acknowledged or resolved.'],
  [{ status: 7 }, 'Invalid edit: `status` cannot be set to "7": enter acknowledged or resolved.'],
  [{ note: ["a"] }, "Invalid edit: `note` must be a string."],
  [{ silenced_until: "tomorrow" }, "Invalid edit: `silenced_until` must be of type timestamp."],
];

async function openIncident(): Promise<Bench> {
  const bench = new Bench();
  for (let i = 0; i < 4; i++) await bench.minute(outage);
  return bench;
}

async function write(bench: Bench, written: Fields): Promise<void> {
  const [{ id = "" } = {}] = await bench.incidents();
  await bench.store.update("incidents", id, written);
  await bench.minute(outage);
}

async function document(bench: Bench): Promise<Fields> {
  return (await bench.incidents())[0]?.fields ?? {};
}

async function timeline(bench: Bench): Promise<string[]> {
  return ((await document(bench))["timeline"] as string[]).map((line) => line.slice(25));
}

describe("an edit", () => {
  it.each(edits)("of %j appears once in the timeline and in the postmortem", async (written, line) => {
    const bench = await openIncident();
    await write(bench, written);
    await bench.minute(outage);
    const lines = (await timeline(bench)).filter((text) => text.startsWith(line));
    expect(lines).toHaveLength(1);
    for (let i = 0; i < 8; i++) await bench.minute();
    expect((await document(bench))["status"]).toBe("resolved");
    const postmortem = String((await document(bench))["postmortem"]);
    // As Markdown shows it.
    expect(postmortem.replaceAll(/\\(.)/g, "$1")).toContain(line);
  });

  it("that resolves a failing incident keeps every failed run until then, and none after it", async () => {
    const bench = await openIncident();
    await bench.minute(outage);
    await write(bench, { status: "resolved" });
    for (let i = 0; i < 5; i++) await bench.minute(outage);
    const { symptoms } = readIncident(await document(bench));
    // Six by the schedule and one of the diagnosis.
    expect(symptoms.map(({ check, failures }) => [check, ...failures.map(({ count }) => count)])).toEqual([
      ["backend-health", 7],
      ["database", 7],
    ]);
  });

  it("that resolves it is the last notification, regardless of simultaneous findings", async () => {
    const bench = await openIncident();
    const { incidents } = decodeEnvironment(await bench.store.get(stateCollection, environmentDocument));
    const [incident] = Object.values(incidents);
    if (incident === undefined) throw new Error("there is no incident");
    const draft = new Draft(incident);
    draft.announce("resolved", bench.now, "Resolved.");
    draft.announce("root_cause_changed", bench.now, "The likely cause is another one.");
    const announced = draft.finish(planOf(bench.configuration)).map(({ message }) => message.attributes?.["event"]);
    expect(announced).toEqual(["resolved"]);
    expect(draft.incident.timeline.at(-1)?.text).toBe("The likely cause is another one.");
  });

  it("records the name of its author, and not for the next edit", async () => {
    const bench = await openIncident();
    await write(bench, { note: "Ana looks", edited_by: "Ana" });
    expect(await document(bench)).toMatchObject({ note: "Ana looks", edited_by: null });
    await write(bench, { status: "acknowledged" });
    expect((await timeline(bench)).slice(-1)).toEqual(["Acknowledged by an operator, in the document."]);
  });

  it("by each of two people before the same tick records its author and channel", async () => {
    const bench = await openIncident();
    await write(bench, {
      status: "acknowledged",
      silenced_until: new Date(bench.now + 3_600_000),
      edited_by: "Bob",
      edits: { status: { by: "Ana", via: "in Slack" }, silenced_until: { by: "Bob", via: "on the command line" } },
    });
    const lines = (await timeline(bench)).slice(-2);
    expect(lines).toContain("Acknowledged by Ana, in Slack.");
    expect(lines.find((line) => line.startsWith("Bob"))).toMatch(/^Bob silenced the incident, on the command line: /);
    expect(await document(bench)).toMatchObject({
      acknowledged_by: "Ana, in Slack",
      edited_by: null,
      edits: null,
    });
  });

  it.each([{ status: 7 }, "Ana", { status: "Ana" }, null, ["Ana"]])(
    "with unreadable authors (%j) is attributed to an operator",
    async (written) => {
      const bench = await openIncident();
      await write(bench, { status: "acknowledged", edits: written });
      expect((await timeline(bench)).at(-1)).toBe("Acknowledged by an operator, in the document.");
    },
  );

  it("that ends a silence early records its author", async () => {
    const bench = await openIncident();
    await write(bench, { silenced_until: new Date(bench.now + 3_600_000) });
    await write(bench, { silenced_until: null, edited_by: "Ana" });
    expect((await timeline(bench)).at(-1)).toBe("Ana ended the silence, and the incident is still open.");
  });

  it("that changes nothing leaves no name for the next one", async () => {
    const bench = await openIncident();
    await write(bench, { note: "", edited_by: "Ana" });
    expect(await document(bench)).toMatchObject({ edited_by: null });
  });

  it("removes an acknowledgement, and both are recorded", async () => {
    const bench = await openIncident();
    await write(bench, { status: "acknowledged" });
    await write(bench, { status: "open" });
    expect(await document(bench)).toMatchObject({ status: "open", acknowledged_at: null });
    expect((await timeline(bench)).slice(-2)).toEqual([
      "Acknowledged by an operator, in the document.",
      "An operator withdrew the acknowledgement.",
    ]);
  });

  it("that is invalid is explained for an hour after the status is corrected", async () => {
    const bench = await openIncident();
    await write(bench, { status: "fixed" });
    for (let i = 0; i < 58; i++) await bench.minute(outage);
    expect(await document(bench)).toMatchObject({ status: "open", problem: expect.stringContaining('"fixed"') });
    for (let i = 0; i < 3; i++) await bench.minute(outage);
    expect(await document(bench)).toMatchObject({ status: "open", problem: null });
  });

  it("that is invalid twice is reported twice", async () => {
    const bench = await openIncident();
    await write(bench, { status: "fixed" });
    await write(bench, { status: "fixed" });
    expect((await timeline(bench)).filter((line) => line.startsWith("Invalid edit"))).toHaveLength(2);
  });

  it("of the end of a silence is notified when the silence ends", async () => {
    const bench = await openIncident();
    await write(bench, { silenced_until: new Date(bench.now + 120_000) });
    for (let i = 0; i < 3; i++) await bench.minute(outage);
    expect((await timeline(bench)).at(-1)).toBe("The silence has expired, and the incident is still open.");
  });
});

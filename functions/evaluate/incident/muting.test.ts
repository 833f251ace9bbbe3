import { describe, expect, it } from "vitest";
import type { MaintenanceWindow } from "../../../shared/config/model.ts";
import { Bench, failing, noon, smallEnvironment } from "../fixtures.ts";

const minute = 60_000;
const down = { "pages-health": failing("timeout/connect") };
const wider = { ...down, "backend-health": failing("timeout/connect") };

/** A window between so many minutes after noon. */
function patching(from: number, to: number, changes: Partial<MaintenanceWindow> = {}): MaintenanceWindow {
  return {
    name: "patching",
    timezone: "Etc/UTC",
    once: { from: noon + from * minute, to: noon + to * minute },
    ...changes,
  };
}

/** Minutes in which pages fail from the first on, with an incident at 12:02; and what is done before some of them. */
async function played(
  minutes: number,
  maintenance: readonly MaintenanceWindow[],
  edits: Readonly<Record<number, (bench: Bench, incident: string) => Promise<void>>> = {},
): Promise<{ story: string[]; notes: string[] }> {
  const routes = [{ channels: ["a"], remindEveryMs: 4 * minute }];
  const bench = new Bench({ ...smallEnvironment, maintenance, routes });
  for (let at = 0; at < minutes; at++) {
    const [incident] = await bench.incidents();
    await edits[at]?.(bench, incident?.id ?? "");
    await bench.minute(down);
  }
  const [incident] = await bench.incidents();
  const timeline = (incident?.fields["timeline"] ?? []) as string[];
  const notes = timeline.filter((line) => /maintenance|silence/i.test(line));
  return { story: bench.story, notes: notes.map((line) => line.slice(25)) };
}

const silence =
  (until: number) =>
  (bench: Bench, incident: string): Promise<void> =>
    bench.store.update("incidents", incident, { silenced_until: new Date(noon + until * minute) });

it("is told once that a silence is over, also where an earlier tick comes after that", async () => {
  const late = (bench: Bench): Promise<void> => bench.tick(noon + 5 * minute);
  const { story, notes } = await played(10, [], { 4: silence(7), 8: late });
  expect(story.filter((line) => line.endsWith("status_update"))).toEqual(["12:07 status_update"]);
  expect(notes).toEqual([
    "An operator silenced the incident: no new notifications before 2025-09-16 12:07:00 UTC.",
    "The silence has expired, and the incident is still open.",
  ]);
});

describe("an incident in maintenance", () => {
  it("is recorded without reminders, and is notified if still open when the window ends", async () => {
    const { story, notes } = await played(12, [patching(1, 8)]);
    expect(story).toEqual(["12:02 opened", "12:08 status_update", "12:12 reminder"]);
    expect(notes).toEqual([
      'Maintenance "patching" is in progress: no notifications before 12:08:00 UTC.',
      'Maintenance "patching" is over, and the incident is still open.',
    ]);
  });

  it("respects a window that begins while it is open, and one that follows immediately", async () => {
    const { story, notes } = await played(14, [patching(4, 6), patching(6, 11, { name: "more" })]);
    expect(story).toEqual(["12:02 opened", "12:11 status_update"]);
    expect(notes).toEqual([
      'Maintenance "patching" is in progress: no notifications before 12:06:00 UTC.',
      'Maintenance "more" is in progress: no notifications before 12:11:00 UTC.',
      'Maintenance "more" is over, and the incident is still open.',
    ]);
  });

  it("is not muted by maintenance of other components", async () => {
    expect((await played(4, [patching(1, 60, { components: ["sql"] })])).notes).toEqual([]);
  });

  it("is not muted if components outside the window fail", async () => {
    const components = smallEnvironment.components.map((component) =>
      component.name === "pages" ? { ...component, dependsOn: ["backend"] } : component,
    );
    const maintenance = [patching(1, 60, { components: ["pages"] })];
    const bench = new Bench({ ...smallEnvironment, components, maintenance });
    for (let at = 0; at < 4; at++) await bench.minute(down);
    expect(bench.story).toEqual(["12:02 opened"]);
    for (let at = 0; at < 4; at++) await bench.minute(wider);
    const update = bench.events.find(({ event }) => event === "status_update");
    expect(update?.change).toBe('The incident extends beyond maintenance "patching".');
  });
});

describe("an incident that an operator silences", () => {
  it("sends no reminders while silenced, and is notified when the silence ends", async () => {
    const { story, notes } = await played(13, [], { 3: silence(9) });
    expect(story).toEqual(["12:02 opened", "12:09 status_update", "12:13 reminder"]);
    expect(notes.at(-1)).toBe("The silence has expired, and the incident is still open.");
  });

  it("is notified sooner if the operator removes the silence", async () => {
    const takenBack = (bench: Bench, id: string): Promise<void> =>
      bench.store.update("incidents", id, { silenced_until: null });
    const { story } = await played(7, [], { 3: silence(60), 5: takenBack });
    expect(story).toEqual(["12:02 opened", "12:06 status_update"]);
  });

  it("in maintenance is notified only when both have ended", async () => {
    const { story, notes } = await played(12, [patching(1, 6)], { 3: silence(9) });
    expect(story).toEqual(["12:02 opened", "12:09 status_update"]);
    expect(notes).toContain('Maintenance "patching" is over, and the incident is still open.');
  });
});

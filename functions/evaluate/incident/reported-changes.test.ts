import { describe, expect, it } from "vitest";
import { readIncident } from "../../../shared/documents/incident.ts";
import { Bench, failing, noon, smallEnvironment } from "../fixtures.ts";

const minute = 60_000;

describe("reported changes", () => {
  it.each(["before", "after"])("are cited by an incident that opens, if they arrive %s it", async (when) => {
    const bench = new Bench({ ...smallEnvironment, recovery: { stages: [] } });
    const release = {
      component: "backend",
      what: "released 1.4.2",
      at: new Date(noon + minute).toISOString(),
      by: "pipeline 7",
    };
    for (let i = 0; i < 2; i++) await bench.minute();
    if (when === "before") await bench.change(release, noon + minute);
    for (let i = 0; i < 4; i++) await bench.minute({ "backend-health": failing("http_status/response") });
    if (when === "after") await bench.change(release, bench.now);
    // It comes twice, as everything may.
    await bench.change(release, bench.now);
    const [incident] = await bench.incidents();
    const { changes, suspected_change } = readIncident(incident?.fields ?? {});
    expect(changes).toMatchObject([{ what: "released 1.4.2", components: ["backend"], by: "pipeline 7", fits: true }]);
    expect(suspected_change).toBe("Released 1.4.2 by pipeline 7 at 12:01:00 UTC, 1 min before the first failure.");
  });

  it("of an unknown component are dropped, with the nearest name", async () => {
    const bench = new Bench();
    await bench.change({ component: "backnd", what: "released" });
    expect(bench.logged).toEqual([
      expect.stringContaining('ignored a change of "backnd", which is not a component; did you mean backend?'),
    ]);
    await bench.change({ component: "backend", what: "released", environment: "another" });
    expect(await bench.store.get("state", "environment")).toBeUndefined();
  });

  it("dated in the future are dated now", async () => {
    const bench = new Bench({ ...smallEnvironment, recovery: { stages: [] } });
    for (let i = 0; i < 2; i++) await bench.minute();
    await bench.change({ component: "backend", what: "released", at: "2031-01-01T00:00:00Z" }, noon + minute);
    for (let i = 0; i < 4; i++) await bench.minute({ "backend-health": failing("http_status/response") });
    const [incident] = await bench.incidents();
    expect(readIncident(incident?.fields ?? {}).changes).toMatchObject([{ at: new Date(noon + minute), fits: true }]);
  });

  it.each([[{ what: "released" }], [{ component: "backend" }], [{ component: "backend", what: "x", at: "noon" }]])(
    "that are incomplete, such as %j, are rejected",
    async (data) => {
      await expect(new Bench().change(data)).rejects.toThrow(/change/);
    },
  );
});

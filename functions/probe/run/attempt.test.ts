import { describe, expect, it } from "vitest";
import { z } from "zod";
import { googleApi } from "../../../shared/adapters/google-api.ts";
import type { ConfiguredProbe } from "../../../shared/config/model.ts";
import { parseReport } from "../../../shared/messages/report.ts";
import { measured, probeOf } from "../fixtures.ts";
import type { Assessment, Prober } from "../prober.ts";
import { type AttemptPorts, runProbe } from "./attempt.ts";

const noon = Date.parse("2025-09-16T12:00:00Z");

const failing = (kind: NonNullable<Assessment["failure"]>["kind"], more: Partial<Assessment> = {}): Assessment => ({
  failure: { kind, phase: "connect", message: `${kind} with very-secret` },
  measurements: [{ metric: "http_status", value: 500 }],
  ...more,
});
const good: Assessment = { measurements: [{ metric: "http_status", value: 200 }] };

/** Runs a probe with the listed attempts, on a clock that each of them advances by a second. */
async function run(
  attempts: readonly Assessment[],
  probe: Partial<ConfiguredProbe> = {},
  ports: Partial<AttemptPorts> = {},
) {
  let now = noon;
  let made = 0;
  const prober: Prober<object, Assessment> = {
    kind: "made",
    title: "Made for a test.",
    reach: "private",
    usualSeconds: 1,
    yields: () => [],
    settings: z.strictObject({}),
    example: "{}",
    async observe(_settings, world) {
      await world.resolve({ secret: "token" });
      now += 1_000;
      return attempts[made++] ?? good;
    },
    assess: (_settings, seen) => seen,
  };
  const { recheck: _off, ...asIs } = probeOf("made", {}, 5_000);
  const result = await runProbe(
    { ...asIs, ...probe },
    {
      secrets: { read: async () => "very-secret" },
      google: googleApi("http://127.0.0.1:1"),
      clock: { now: () => now },
      probers: { made: prober },
      ...ports,
    },
  );
  return { result, made };
}

describe("a failure that may be transient", () => {
  it.each(["timeout", "refused", "reset", "dns", "unavailable"] as const)(
    "is rechecked immediately: %s",
    async (kind) => {
      const { result, made } = await run([failing(kind), good]);
      expect(made).toBe(2);
      expect(result).toMatchObject({
        success: true,
        at: "2025-09-16T12:00:00.000Z",
        attempts: [
          {
            at: "2025-09-16T12:00:00.000Z",
            failure: { kind, phase: "connect", message: `${kind} with ***` },
          },
          { at: "2025-09-16T12:00:01.000Z" },
        ],
      });
      expect(measured(result, "http_status")).toBe(200);
      expect(measured(result, "probe_attempts")).toBe(2);
      const report = { v: 1, report: "r", environment: "e", vantage: "outside", group: "g", trigger: "schedule" };
      const instants = { started_at: result.at, finished_at: result.at };
      expect(parseReport({ ...report, ...instants, results: [result] }).results).toEqual([result]);
    },
  );

  it("counts if the second attempt fails too, which is then the result", async () => {
    const { result } = await run([failing("timeout"), failing("reset")]);
    expect(result).toMatchObject({ success: false, failure: { kind: "reset", message: "reset with ***" } });
    expect(result.attempts?.map(({ failure }) => failure?.kind)).toEqual(["timeout", "reset"]);
    expect(JSON.stringify(result)).not.toContain("very-secret");
  });

  it.each<[string, Assessment, Partial<ConfiguredProbe>, Partial<AttemptPorts>]>([
    ["an answer, if only a refusal", failing("http_status"), {}, {}],
    ["a wrong password", failing("auth"), {}, {}],
    ["trouble of its own", failing("internal"), {}, {}],
    ["a share of many attempts", failing("timeout", { conclusive: true }), {}, {}],
    ["a probe that turns it off", failing("timeout"), { recheck: false }, {}],
    ["a run whose time is over", failing("timeout"), {}, { until: noon + 900 }],
    ["a run when the next one is due", failing("timeout"), {}, { nextAt: noon + 900 }],
  ])("is not looked for in %s", async (_what, assessment, probe, ports) => {
    const { result, made } = await run([assessment, good], probe, ports);
    expect(made).toBe(1);
    expect(result.success).toBe(false);
    expect(result).not.toHaveProperty("attempts");
    expect(measured(result, "probe_attempts")).toBe(1);
  });

  it("keeps the response time of a cold start in the first attempt", async () => {
    const ifCold = [{ metric: "http_cold_response_time", value: 6.5 }] as const;
    const slow = failing("timeout", { ifCold });
    expect(measured((await run([slow, good])).result, "http_cold_response_time")).toBe(6.5);
    expect(measured((await run([slow, slow])).result, "http_cold_response_time")).toBeUndefined();
    expect(measured((await run([good])).result, "http_cold_response_time")).toBeUndefined();
  });
});

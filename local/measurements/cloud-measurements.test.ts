import { describe, expect, it } from "vitest";
import { GoogleApiError } from "../../shared/ports.ts";
import { cloudMeasurements, monitoringFailure } from "./cloud-measurements.ts";

const now = Date.parse("2025-09-16T12:00:00Z");
const prefix = "custom.googleapis.com/pathkeeper/";

/** Cloud Monitoring that answers each request in turn, and remembers what it was asked. */
function monitoring(...answers: readonly unknown[]): {
  asked: URL[];
  measurements: ReturnType<typeof cloudMeasurements>;
} {
  const asked: URL[] = [];
  const request = async ({ url }: { readonly url: string }): Promise<unknown> => {
    asked.push(new URL(url));
    const answer = answers[asked.length - 1];
    if (answer instanceof Error) throw answer;
    return answer ?? {};
  };
  const options = { google: { request }, projectId: "shop-monitor", environment: 'shop "eu"', now: () => now };
  return { asked, measurements: cloudMeasurements(options) };
}

const labels = { probe: "api-health", component: "api", vantage: "outside" };
const point = (endTime: string, doubleValue: number) => ({ interval: { endTime }, value: { doubleValue } });

describe("measurements of Cloud Monitoring", () => {
  it("are listed once for all pages, and only for the environment", async () => {
    const { asked, measurements } = monitoring(
      { timeSeries: [{ metric: { type: `${prefix}probe_success`, labels } }], nextPageToken: "more" },
      {
        timeSeries: [
          { metric: { type: `${prefix}http_phase_time`, labels: { ...labels, phase: "dns" } } },
          { metric: { type: `${prefix}reports` } },
        ],
      },
    );
    const own = { component: "api", probe: "api-health" };
    expect(await measurements.series("api")).toEqual([
      { ...own, metric: "probe_success", labels: {} },
      { ...own, metric: "http_phase_time", labels: { phase: "dns" } },
    ]);
    expect(await measurements.series("other")).toEqual([]);
    expect(asked.map(({ searchParams }) => searchParams.get("pageToken"))).toEqual([null, "more"]);
    expect(asked[0]?.searchParams.get("filter")).toBe(
      `metric.type = starts_with("${prefix}") AND resource.type = "generic_node" AND resource.labels.node_id = "shop \\"eu\\""`,
    );
    expect(asked[0]?.searchParams.get("view")).toBe("HEADERS");
  });

  it("are read in intervals of at least a minute, oldest first, each at its start", async () => {
    const points = [point("2025-09-16T12:00:00Z", 0.4), point("2025-09-16T11:59:00Z", 0.2)];
    const higher = [point("2025-09-16T12:00:00Z", 0.9), point("2025-09-16T11:59:00Z", 0.5)];
    const { asked, measurements } = monitoring(
      { timeSeries: [{ metric: { type: "" }, points }] },
      { timeSeries: [{ metric: { type: "" }, points: higher }] },
    );
    const name = { component: "api", probe: "api-health", metric: "http_phase_time", labels: { phase: "dns" } };
    expect(await measurements.read(name, { from: now - 600_000, until: now, most: 360 })).toEqual({
      at: [Date.parse("2025-09-16T11:58:00Z"), Date.parse("2025-09-16T11:59:00Z")],
      p50: [0.2, 0.4],
      p95: [0.5, 0.9],
    });
    const [first, second] = asked.map(({ searchParams }) => searchParams);
    expect(first?.get("aggregation.alignmentPeriod")).toBe("60s");
    expect([first, second].map((one) => one?.get("aggregation.perSeriesAligner"))).toEqual([
      "ALIGN_PERCENTILE_50",
      "ALIGN_PERCENTILE_95",
    ]);
    expect(first?.get("filter")).toContain('metric.labels.phase = "dns" AND metric.labels.probe = "api-health"');
  });

  it("are requested again after an error, which shows the missing permission", async () => {
    const refused = new GoogleApiError("denied", 403, "PERMISSION_DENIED");
    const { measurements } = monitoring(refused, {
      timeSeries: [{ metric: { type: `${prefix}probe_success`, labels } }],
    });
    await expect(measurements.series()).rejects.toThrow("denied");
    expect(await measurements.series()).toHaveLength(1);
    expect(monitoringFailure(refused)).toMatch(/no charts: denied; the role roles\/monitoring\.viewer allows it$/);
  });
});

import { describe, expect, it } from "vitest";
import { parseReport } from "../../shared/messages/report.ts";
import { fileOf, run, type Site, siteOf } from "../local-probes.fixtures.ts";

const shop = (backend: Site, auth: Site, socket: Site, baseline = "<5s"): string =>
  fileOf(`environment: shop
components: { backend: { layer: application } }
probes:
  backend: { kind: http, component: backend, url: "${backend.url}" }
  auth: { kind: http, component: backend, vantage: inside, url: "${auth.url}" }
  socket: { kind: http, component: backend, url: "${socket.url}" }
  journey: { kind: http, component: backend, url: "${backend.url}" }
baselines: { http_response_time: "${baseline}" }
recovery:
  stages:
    - { name: basic health, probes: [backend, auth] }
    - { name: websocket, probes: [socket] }
    - { name: golden path, probes: [journey] }
`);

const sites = async (...statuses: [number, number, number]): Promise<[Site, Site, Site]> => [
  await siteOf(statuses[0]),
  await siteOf(statuses[1]),
  await siteOf(statuses[2]),
];

/** The lines without what is measured. */
function headlines(lines: readonly string[]): string[] {
  return lines
    .filter((line) => line !== "" && !line.startsWith("    "))
    .map((line) => line.replace(/in \S+s$/, "in TIME"));
}

describe("verify", () => {
  it("verifies one stage after the other", async () => {
    const { code, out, err } = await run("verify", "--config", shop(...(await sites(200, 200, 200))));
    expect([code, err]).toEqual([0, []]);
    expect(headlines(out)).toEqual([
      "stage 1, basic health: passed in TIME",
      "stage 2, websocket: passed in TIME",
      "stage 3, golden path: passed in TIME",
      "recovered: 3 stages passed",
    ]);
  });

  it("stops at the first failed stage, and says why", async () => {
    const [backend, auth, socket] = await sites(200, 200, 503);
    const { code, out } = await run("verify", "--config", shop(backend, auth, socket));
    expect([code, ...headlines(out)]).toEqual([
      1,
      "stage 1, basic health: passed in TIME",
      "stage 2, websocket: failed in TIME",
      expect.stringMatching(/^ {2}because `socket` fails in response: 503 Service Unavailable/),
      "stage 3, golden path: not run",
      "not recovered: stage 2, websocket, failed",
    ]);
    expect([backend.requests, auth.requests, socket.requests]).toEqual([1, 1, 1]);
  });

  it("fails a successful probe that misses its baseline", async () => {
    const { code, out } = await run("verify", "--config", shop(...(await sites(200, 503, 200)), "<0ms"));
    expect(code).toBe(1);
    expect(out.filter((line) => line.startsWith("  because"))).toEqual([
      expect.stringMatching(/^ {2}because `backend` succeeds, but http_response_time \(\d+ms\) is not < 0s$/),
      expect.stringMatching(/^ {2}because `auth` fails in response: 503/),
    ]);
  });

  it("prints JSON, with the reports that the evaluator would receive", async () => {
    const { code, out } = await run("verify", "--config", shop(...(await sites(200, 200, 503))), "--json");
    const { ok, environment, stages } = JSON.parse(out.join("\n"));
    const [first, second, third] = stages;
    expect([code, ok, environment, stages.length]).toEqual([1, false, "shop", 3]);
    expect(first).toMatchObject({ stage: 1, name: "basic health", outcome: "passed", reasons: [] });
    expect(first.duration).toBeGreaterThan(0);
    expect(first.reports.map(parseReport)).toMatchObject([
      { trigger: "validation", vantage: "outside", group: "outside-validation", results: [{ probe: "backend" }] },
      { trigger: "validation", vantage: "inside", group: "inside-validation", results: [{ probe: "auth" }] },
    ]);
    expect(second).toMatchObject({ stage: 2, outcome: "failed", reasons: [expect.stringContaining("`socket` fails")] });
    expect(third).toEqual({ stage: 3, name: "golden path", outcome: "not_run", duration: 0, reasons: [], reports: [] });
  });

  it("reports missing recovery stages", async () => {
    const file = fileOf("environment: shop\n");
    const { code, out, err } = await run("verify", "--config", file);
    expect([code, out]).toEqual([2, []]);
    expect(err).toEqual([
      `pathkeeper verify: ${file} has no recovery stages to verify: add them under recovery.stages (usage: npx --no pathkeeper verify [options] [FILE])`,
    ]);
  });
});

import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { loadConfiguration } from "../../shared/config/load.ts";
import type { Configuration } from "../../shared/config/model.ts";
import { readConfigurationFile } from "../configuration.ts";
import { type Estimate, estimate } from "../estimate/estimate.ts";
import { prices } from "../estimate/prices.ts";
import { workloadOf } from "../estimate/workload.ts";
import { vocabulary } from "../vocabulary.ts";
import { costLines, costSentence } from "./cost.ts";

const plain = { paint: (_: string, text: string): string => text };

function configured(probes: string): Configuration {
  const text = `environment: shop\ncontrol: off\ncomponents: { shop: { layer: application } }\nprobes:\n${probes}`;
  const loaded = loadConfiguration(text, "monitor.yaml", vocabulary);
  if (!("configuration" in loaded)) throw new Error(JSON.stringify(loaded.problems));
  return loaded.configuration;
}

function probe(name: string, schedule: string, more = ""): string {
  return `  ${name}: { kind: http, component: shop, schedule: "${schedule}", timeout: 1s, url: "https://shop.example.com/${name}"${more} }\n`;
}

function lineOf(made: Estimate, what: string): Estimate["lines"][number] | undefined {
  return made.lines.find((line) => line.what === what);
}

describe("the workload of a month", () => {
  it.each([
    ["every 1m", 43_200],
    ["every 15m", 2_880],
    ["every 2h", 360],
    ["*/15 * * * *", 2_880],
    ["30 */4 * * *", 180],
    ["0 6 * * 1", 4],
  ])("runs a group of %s %i times a month", (schedule, runs) => {
    expect(workloadOf(configured(probe("health", schedule))).runs).toEqual({ http: runs });
  });

  it("counts one open request per minute for intervals under a minute", () => {
    const minutely = workloadOf(configured(probe("health", "every 1m")));
    const rounds = workloadOf(configured(probe("health", "every 15s")));
    expect(rounds.runs["http"]).toBe(4 * (minutely.runs["http"] ?? 0));
    expect(rounds.jobs).toBe(minutely.jobs);
    expect(rounds.busySeconds.probe - minutely.busySeconds.probe).toBeCloseTo(43_200 * 45);
  });

  it("needs one job for each vantage point and interval, and one for the tick", () => {
    const three =
      probe("a", "every 1m") +
      probe("b", "every 1m") +
      probe("c", "every 5m") +
      probe("d", "every 1m", ", vantage: inside");
    expect(workloadOf(configured(three)).jobs).toBe(4);
  });
});

describe("the estimate by hand", () => {
  it.each([
    [1, 2],
    [10, 4],
  ])("is within 10 %% of the example times %i", async (times, column) => {
    const { loaded } = await readConfigurationFile("examples/netra-staging/monitor.yaml");
    if (!("configuration" in loaded)) throw new Error("the example is not right");
    const { probes, components } = loaded.configuration;
    const repeated = <T extends { readonly name: string }>(all: readonly T[]): T[] =>
      Array.from({ length: times }, (_, at) => all.map((one) => ({ ...one, name: `${one.name}-${at}` }))).flat();
    const made = estimate({ ...loaded.configuration, probes: repeated(probes), components: repeated(components) });
    const page = await readFile("docs/cost.md", "utf8");
    const rows = page
      .split("\n")
      .filter((line) => line.startsWith("| "))
      .map((line) => line.split("|").map((cell) => cell.trim().replaceAll("*", "")));
    const byHand = (use: string): number => Number(rows.find((row) => row[1] === use)?.[column + 1]);
    const whats = {
      "vCPU-seconds, together": "cpu",
      jobs: "jobs",
      "time series read": "series",
      "custom metrics": "points",
      "secret versions": "secrets",
      "accesses to secrets": "accesses",
      images: "images",
      "sent to the internet": "egress",
      "status pages written": "pageWrites",
    };
    for (const [use, what] of Object.entries(whats)) {
      const charged = lineOf(made, what)?.charged ?? Number.NaN;
      expect(Math.abs(charged - byHand(use)), use).toBeLessThanOrEqual(Math.max(0.005, 0.1 * charged));
    }
    expect(Math.abs(made.charged - byHand("together"))).toBeLessThanOrEqual(0.1 * made.charged);
    expect(made.charged).toBeLessThanOrEqual(15);
  });
});

describe("the estimate", () => {
  it("counts the parts of a large group, and prices each group", () => {
    const many = (count: number): Configuration =>
      configured(Array.from({ length: count }, (_, at) => probe(`p${at}`, "every 1m")).join(""));
    const [whole, divided] = [workloadOf(many(100)), workloadOf(many(101))];
    // The request that is divided, and its two parts, each with a report.
    expect(divided.requests - whole.requests).toBe(43_200 * (2 + 1));
    expect(estimate(many(101)).groups.map(({ group, probes }) => [group, probes])).toEqual([["outside-1m", 101]]);
  });

  it("counts at most one point per minute for each exported series", () => {
    const none = workloadOf({ ...configured(probe("a", "every 1m")), export: false });
    expect(none.exportedPoints).toBe(0);
    const one = workloadOf(configured(probe("a", "every 1m")));
    const two = workloadOf(configured(probe("a", "every 1m") + probe("b", "every 15s")));
    // probe_success and http_response_time of each, and the age of the second group.
    expect(two.exportedPoints - one.exportedPoints).toBe(43_200 * (2 + 1));
  });

  it("advises against an interval that dominates the cost", () => {
    const fast = estimate(configured(["a", "b", "c", "d"].map((name) => probe(name, "every 15s")).join("")));
    expect(fast.advice).toHaveLength(1);
    expect(fast.advice[0]).toMatch(
      /^the 4 probes of outside-15s cost about \$\d+\.\d\d of \$\d+\.\d\d at list price; every 1m they would cost \$\d/,
    );
    expect(estimate(configured(probe("a", "every 1m"))).advice).toEqual([]);
  });

  it("excludes announced prices from the total, and shows their date", () => {
    const made = estimate(configured(probe("health", "every 1m")));
    const announced = made.lines.filter(({ from }) => from !== undefined);
    expect(announced.map(({ what, from }) => [what, from])).toEqual([
      ["references", "2027-09-01"],
      ["alertPoints", "2027-09-01"],
    ]);
    expect(costLines(made, plain).join("\n")).toContain("from 2027-09-01 at the earliest");
  });

  it("subtracts the free tiers, and never more than the usage", () => {
    const made = estimate(configured(probe("health", "every 1m")));
    for (const { what, amount, list, charged } of made.lines) {
      const { dollars, free } = prices[what];
      expect(list).toBeCloseTo(amount * dollars, 10);
      expect(charged).toBeCloseTo(Math.max(0, amount - free) * dollars, 10);
    }
    expect(made.charged).toBeCloseTo(
      made.lines.filter(({ from }) => from === undefined).reduce((sum, { charged }) => sum + charged, 0),
      10,
    );
    expect(lineOf(made, "jobs")).toMatchObject({ amount: 2, charged: 0, list: 0.2 });
  });

  it("has the source and the month of every price", () => {
    for (const price of Object.values(prices)) {
      expect(price.source).toMatch(/^https:\/\/cloud\.google\.com\//);
      expect(price.asOf).toMatch(/^20\d\d-\d\d$/);
    }
  });

  it("counts a status page: storage, writes, views and traffic", () => {
    const without = configured(probe("health", "every 1m"));
    const settings = { bucket: "shop-status" };
    const pages = [{ name: "page", kind: "status_page", settings }] as const;
    const work = workloadOf({ ...without, channels: pages });
    // Every five minutes two objects, and a few more with each notice; each is looked at before it is replaced.
    expect(work.pages.written).toBe(8_640 * 2 + 48 * 4);
    expect(work.pages.read).toBe(work.pages.written + 10_000);
    expect(work.requests - workloadOf(without).requests).toBe(8_640);
    const made = estimate({ ...without, channels: pages });
    const storage = made.lines.filter(({ service }) => service === "Cloud Storage");
    expect(storage.map(({ what, charged }) => [what, charged > 0])).toEqual([
      ["pageBytes", false],
      ["pageWrites", true],
      ["pageReads", false],
      ["pageViews", false],
    ]);
    expect(estimate(without).lines.filter(({ service }) => service === "Cloud Storage")).toEqual([]);
  });

  it("matches the README for netra-staging", async () => {
    const { loaded } = await readConfigurationFile("examples/netra-staging/monitor.yaml");
    if (!("configuration" in loaded)) throw new Error("the example is not right");
    const { charged, list, alternative } = estimate(loaded.configuration);
    const said = (await readFile("README.md", "utf8")).match(
      /\$\d+(\.\d\d)?(?= a month\nafter| at list price| \()|\$\d+(?=\.\n)/g,
    );
    expect(said).toEqual([`$${charged.toFixed(2)}`, `$${list.toFixed(2)}`, `$${alternative.charged.toFixed(0)}`]);
  });

  it("watches netra-staging for a few dollars, and far below Cloud Monitoring's own checks", async () => {
    const { loaded } = await readConfigurationFile("examples/netra-staging/monitor.yaml");
    if (!("configuration" in loaded)) throw new Error("the example is not right");
    const made = estimate(loaded.configuration);
    expect(made.charged).toBeLessThan(3);
    expect(made.alternative.charged).toBeGreaterThan(20 * made.charged);
  });

  it("prints a line for each use, their total and the assumptions", () => {
    const made = estimate(configured(probe("health", "every 1m")));
    const lines = costLines(made, plain);
    const current = made.lines.filter(({ from }) => from === undefined);
    // Besides the sum, the group, and three footnotes.
    expect(lines.filter((line) => line.includes("$"))).toHaveLength(current.length + 1 + 1 + 3);
    expect(lines.join("\n")).toContain("docs/cost.md");
    expect(costSentence(made)).toMatch(/^about \$\d+\.\d\d a month/);
  });
});

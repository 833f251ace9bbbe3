import { describe, expect, it } from "vitest";
import { connectorUtilization } from "./connector-load.ts";

const ceiling = { machineType: "e2-micro", maxInstances: 10, connections: 50 } as const;
const mega = 1e6 / 8;

describe("connectorUtilization", () => {
  it.each([
    ["CPU alone", { cpu: 0.4 }, ceiling, 0.4],
    ["throughput of 500 of 1000 Mbit/s", { bytesPerSecond: 500 * mega }, ceiling, 0.5],
    ["the same with 2 instances at most", { bytesPerSecond: 100 * mega }, { ...ceiling, maxInstances: 2 }, 0.5],
    ["a larger machine", { bytesPerSecond: 1_600 * mega }, { ...ceiling, machineType: "e2-standard-4" as const }, 0.1],
    ["40 of 50 connections", { connections: 40 }, ceiling, 0.8],
    ["the worst of all", { cpu: 0.3, bytesPerSecond: 100 * mega, connections: 45 }, ceiling, 0.9],
    ["more than it can bear", { connections: 60 }, ceiling, 1.2],
    [
      "connections without a ceiling do not count",
      { cpu: 0.3, connections: 60 },
      { ...ceiling, connections: undefined },
      0.3,
    ],
    ["nothing known", {}, ceiling, undefined],
  ])("%s", (_, load, bearable, expected) => {
    const utilization = connectorUtilization(load, bearable);
    if (expected === undefined) expect(utilization).toBeUndefined();
    else expect(utilization).toBeCloseTo(expected, 10);
  });
});

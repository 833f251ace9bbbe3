import { describe, expect, it } from "vitest";
import { capacityProblem, capacitySums } from "./capacity.ts";
import type { Capacity } from "./model.ts";

function service(name: string, maxInstances: number, size: number, overflow: number): Capacity["services"][number] {
  return { name, maxInstances, pool: { size, overflow } };
}

const backend = service("backend", 10, 10, 15);
const auth = service("auth", 4, 5, 0);

function problemsOf(capacity: Capacity): (string | undefined)[] {
  return capacitySums({ capacity }).map((sum) => capacityProblem(sum));
}

describe("capacity", () => {
  it.each<[string, Capacity, (string | undefined)[]]>([
    ["nothing to hold against", { services: [backend] }, []],
    ["no services", { services: [], connector: { connections: 50 } }, []],
    ["it fits", { services: [auth], database: { maxConnections: 23, reserved: 3 } }, [undefined]],
    [
      "one too many",
      { services: [auth], database: { maxConnections: 22, reserved: 3 } },
      [
        "auth may open 4 x 5 = 20 connections, and the database allows 19 (max_connections 22 less 3 reserved): lower max_instances or the pools, or raise max_connections",
      ],
    ],
    [
      "several services, database and connector",
      { services: [backend, auth], database: { maxConnections: 400, reserved: 0 }, connector: { connections: 50 } },
      [
        undefined,
        "backend 10 x (10 + 15) = 250 and auth 4 x 5 = 20 connections are 270 together, and the connector carries 50 at once: lower max_instances or the pools, or give the connector more, or take the database off it",
      ],
    ],
  ])("%s", (_, capacity, expected) => {
    expect(problemsOf(capacity)).toEqual(expected);
  });

  it("is optional", () => {
    expect(capacitySums({})).toEqual([]);
  });
});

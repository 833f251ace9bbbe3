import { describe, expect, it } from "vitest";
import { ComponentGraph } from "./graph.ts";

const graph = new ComponentGraph(
  [
    ["connector", []],
    ["sql", ["connector"]],
    ["backend", ["sql"]],
    ["auth", ["sql"]],
    ["websocket", ["backend"]],
    ["journey", ["websocket", "auth"]],
    ["certificate", []],
  ].map(([name, dependsOn]) => ({
    name: name as string,
    title: (name as string).toUpperCase(),
    layer: "application" as const,
    dependsOn: dependsOn as string[],
  })),
);

describe("the component graph", () => {
  it("measures the depth of a dependency", () => {
    expect(graph.distance("journey", "connector")).toBe(3);
    expect(graph.distance("journey", "journey")).toBe(0);
    expect(graph.distance("connector", "journey")).toBeUndefined();
  });

  it("lists dependencies nearest first, and dependents", () => {
    expect(graph.causesOf("journey")).toEqual(["journey", "websocket", "auth", "backend", "sql", "connector"]);
    expect(graph.dependentsOf("sql")).toEqual(["sql", "backend", "auth", "websocket", "journey"]);
  });

  it("connects components that one failure could explain", () => {
    expect(graph.connected("auth", "backend")).toBe(true);
    expect(graph.connected("connector", "journey")).toBe(true);
    expect(graph.connected("certificate", "journey")).toBe(false);
  });

  it("finds the shortest path down", () => {
    expect(graph.path("journey", "connector")).toEqual(["journey", "auth", "sql", "connector"]);
    expect(graph.path("sql", "sql")).toEqual(["sql"]);
  });

  it("treats an unknown component as isolated", () => {
    expect(graph.component("gone")).toEqual({ name: "gone", title: "gone", layer: "application", dependsOn: [] });
    expect(graph.dependentsOf("gone")).toEqual(["gone"]);
    expect(graph.causesOf("gone")).toEqual(["gone"]);
  });

  it("survives a cycle", () => {
    const ring = new ComponentGraph(
      ["a", "b"].map((name) => ({ name, title: name, layer: "platform", dependsOn: [name === "a" ? "b" : "a"] })),
    );
    expect(ring.causesOf("a")).toEqual(["a", "b"]);
    expect(ring.path("a", "b")).toEqual(["a", "b"]);
  });
});

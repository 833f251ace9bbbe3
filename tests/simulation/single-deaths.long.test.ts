import { readdirSync } from "node:fs";
import { expect, it } from "vitest";
import { declareSingleDeaths, shards } from "./simulation.ts";

declareSingleDeaths();

it("has a file for each part under all faults", () => {
  const files = readdirSync(import.meta.dirname).filter((name) => name.startsWith("all-faults-"));
  expect(files.sort()).toEqual(Array.from({ length: shards }, (_, index) => `all-faults-${index + 1}.long.test.ts`));
});

/** Five scenarios of different kinds under other names; with `PATHKEEPER_SIMULATION_RUNS`, all of them. */
import { describe, expect, it } from "vitest";
import { corpus, isLong, scenariosOf } from "./corpus.ts";
import { declareShuffled } from "./shuffled.ts";

const files = ["connector.yaml", "database.yaml", "edge.yaml", "services.yaml", "reports/network.yaml"];
const five = corpus
  .filter(({ name }) => files.includes(name))
  .flatMap((file) =>
    scenariosOf(file)
      .filter((scenario) => !isLong(scenario))
      .slice(0, 1),
  );
const isAsked = process.env["PATHKEEPER_SIMULATION_RUNS"] !== undefined;
const chosen = isAsked ? corpus.flatMap(scenariosOf) : five;

describe("the cause does not depend on names", () => {
  it("of five scenarios", () => {
    expect(five).toHaveLength(files.length);
  });
  declareShuffled(chosen);
});

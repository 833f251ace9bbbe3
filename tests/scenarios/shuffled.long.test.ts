/** Five scenarios under other names, of as many kinds; `npm run simulate` plays all. */
import { describe, expect, it } from "vitest";
import { corpus, isLong, scenariosOf } from "./corpus.ts";
import { declareShuffled } from "./shuffled.ts";

const files = ["connector.yaml", "database.yaml", "edge.yaml", "services.yaml", "reports/network.yaml"];
const chosen = corpus
  .filter(({ name }) => files.includes(name))
  .flatMap((file) =>
    scenariosOf(file)
      .filter((scenario) => !isLong(scenario))
      .slice(0, 1),
  );

describe("the cause is the same under other names", () => {
  it("of five scenarios", () => {
    expect(chosen).toHaveLength(files.length);
  });
  declareShuffled(chosen);
});

import { expect, it } from "vitest";
import { decodeEnvironment, emptyEnvironment } from "./state.ts";

it("reads an open incident of an older version under the current names, even if none was ever resolved", () => {
  const former = { id: "one", inquiry: { round: 1 }, proofs: [{ status: "going" }], signs: { "probe/metric": {} } };
  const data = JSON.stringify({ ...emptyEnvironment, incidents: { one: former } });
  expect(decodeEnvironment({ data }).incidents).toEqual({
    one: {
      id: "one",
      diagnosisRequest: former.inquiry,
      recoveries: former.proofs,
      indicators: former.signs,
    },
  });
});

import { expect, it } from "vitest";
import { decodeSelf, emptySelf } from "./state.ts";

it("reads the state of an older version under the current names", () => {
  const { signalledAt: _, missing: __, ...rest } = emptySelf;
  const data = JSON.stringify({ ...rest, tickAt: 9, beatAt: 7, unheard: { web: 5 } });
  expect(decodeSelf({ data })).toEqual({ ...emptySelf, tickAt: 9, signalledAt: 7, missing: { web: 5 } });
});

it("reads its state as written", () => {
  const state = { ...emptySelf, signalledAt: 7, missing: { web: 5 } };
  expect(decodeSelf({ data: JSON.stringify(state) })).toEqual(state);
});

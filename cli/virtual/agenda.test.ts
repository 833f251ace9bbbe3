import { describe, expect, it } from "vitest";
import { fc } from "../../tests/support/chance.ts";
import { Agenda } from "./agenda.ts";

describe("the agenda", () => {
  it("runs work in order of its instants, and at the same instant in order of insertion", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20)), (instants) => {
        const agenda = new Agenda();
        const taken: [number, number][] = [];
        for (const [index, at] of instants.entries()) agenda.add(at, () => taken.push([at, index]));
        for (let next = agenda.take(15); next; next = agenda.take(15)) next.work();
        const due = instants.map((at, index): [number, number] => [at, index]).filter(([at]) => at <= 15);
        expect(taken).toEqual(due.sort(([a, i], [b, j]) => a - b || i - j));
      }),
    );
  });
});

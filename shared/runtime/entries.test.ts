import { describe, expect, it } from "vitest";
import { ownEntry, setEntry } from "./entries.ts";

const inherited = Object.getOwnPropertyNames(Object.prototype);

describe("entries of a record", () => {
  it.each(inherited)("under %s are those that the record itself has", (name) => {
    const record: Record<string, number> = {};
    expect(ownEntry(record, name)).toBeUndefined();
    setEntry(record, name, 1);
    expect(ownEntry(record, name)).toBe(1);
    expect(Object.entries({ ...record })).toEqual([[name, 1]]);
    expect(Object.getPrototypeOf(record)).toBe(Object.prototype);
    expect(ownEntry(JSON.parse(JSON.stringify(record)), name)).toBe(1);
  });

  it("are undefined without a record", () => {
    expect([ownEntry(undefined, "a"), ownEntry(null, "a")]).toEqual([undefined, undefined]);
  });
});

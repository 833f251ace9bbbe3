import { afterEach, describe, expect, it, vi } from "vitest";
import { collator, dateFormat, maxFormatters, numberFormat } from "./formatters.ts";

describe("formatters", () => {
  afterEach(() => vi.restoreAllMocks());

  it("are shared for the same locale and options only", () => {
    const options = { timeZone: "Asia/Kolkata", dateStyle: "short" } as const;
    const format = dateFormat("sv-SE", options);
    expect(dateFormat("sv-SE", { ...options })).toBe(format);
    expect(dateFormat("en-GB", options)).not.toBe(format);
    expect(dateFormat("sv-SE", { ...options, timeZone: "Asia/Tokyo" })).not.toBe(format);
    expect(numberFormat("en-US")).toBe(numberFormat("en-US"));
    expect(collator("en", { numeric: true })).toBe(collator("en", { numeric: true }));
  });

  it("format as new ones do", () => {
    const at = Date.parse("2025-10-26T00:30:00Z");
    for (const timeZone of ["Europe/Berlin", "America/St_Johns", "Etc/UTC"]) {
      const options = { timeZone, dateStyle: "full", timeStyle: "long" } as const;
      expect(dateFormat("en-GB", options).format(at)).toBe(new Intl.DateTimeFormat("en-GB", options).format(at));
    }
    expect(numberFormat("en-US").format(1_234_567)).toBe("1,234,567");
    expect(["v10", "v9"].toSorted(collator("en", { numeric: true }).compare)).toEqual(["v9", "v10"]);
  });

  it("are cached up to a limit, least recently used first out", () => {
    const constructed = vi.spyOn(Intl, "DateTimeFormat");
    const used = { timeZone: "Etc/UTC", minute: "numeric" } as const;
    const format = dateFormat("en", used);
    // A tag of a private use makes one locale many.
    for (let index = 0; index < 2 * maxFormatters; index++) {
      dateFormat(`en-x-${index}`, {});
      expect(dateFormat("en", used)).toBe(format);
    }
    const count = constructed.mock.calls.length;
    dateFormat(`en-x-${2 * maxFormatters - 1}`, {});
    expect(constructed.mock.calls.length).toBe(count);
    dateFormat("en-x-0", {});
    expect(constructed.mock.calls.length).toBe(count + 1);
  });

  it("throw each time for an unknown time zone", () => {
    for (const _ of [1, 2]) expect(() => dateFormat("en", { timeZone: "Mars/Olympus" })).toThrow(RangeError);
  });
});

import { describe, expect, it } from "vitest";
import { patternOf, templatesOf, wordsOf } from "./templates.ts";

const patterns = (messages: readonly string[]): [string, number][] =>
  templatesOf(messages).map((one) => [patternOf(one), one.members.length]);

describe("log templates", () => {
  it.each([
    ["took 5.2 s, 17 of 20", "took <*> s, <*> of <*>"],
    ["upstream 10.8.0.3:5432 timed out after 5000ms", "upstream <*> timed out after <*>ms"],
    ["order 3f1c6f1e-8f0a-4a55-9d36-7c8a8b7b3c11 of jane@shop.example failed", "order <*> of <*> failed"],
    ["token ya29.a0AfH6SMBxyzabcdefgh1234567890 refused", "token ya29.<*> refused"],
    ["at 2025-09-16T12:00:00.123Z in 0xdeadbeef", "at <*> in <*>"],
    ["http2 stream error v1 of utf8", "http2 stream error v1 of utf8"],
  ])("replaces the values in %s by placeholders", (message, expected) => {
    expect(wordsOf(message).join(" ")).toBe(expected);
  });

  it("groups messages that differ in values and single words, and counts them", () => {
    const messages = [
      ...Array.from({ length: 6 }, (_, i) => `connect to /cloudsql/shop:r:db-${i} timed out after ${i} s`),
      "user jane cannot be found in cache",
      "user john cannot be found in cache",
      "division by zero",
    ];
    expect(patterns(messages)).toEqual([
      ["connect to /cloudsql/shop:r:db-<*> timed out after <*> s", 6],
      ["user <*> cannot be found in cache", 2],
      ["division by zero", 1],
    ]);
  });

  it("separates dissimilar messages, and reads only the first line", () => {
    expect(patterns(["cache is full today\n at a.ts:1", "cache has gone away\n at b.ts:2"])).toEqual([
      ["cache is full today", 1],
      ["cache has gone away", 1],
    ]);
  });

  it("limits the number of templates for any input", () => {
    const many = Array.from(
      { length: 2_000 },
      (_, i) => `${String.fromCharCode(97 + (i % 26)).repeat(1 + (i % 40))} ${"x ".repeat(i % 50)}`,
    );
    expect(templatesOf(many).length).toBeLessThanOrEqual(200);
    expect(templatesOf(["", "   ", "\n"])).toEqual([]);
    expect(patternOf({ words: wordsOf("9 ".repeat(10_000)) })).toBe("<*>");
  });
});

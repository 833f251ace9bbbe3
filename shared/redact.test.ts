import { describe, expect, it } from "vitest";
import { bounded, redact } from "./redact.ts";

describe("bounded", () => {
  it.each([
    ["fine", 10, "fine"],
    ["exactly te", 10, "exactly te"],
    ["longer than ten", 10, "longer th…"],
    ["two\nlines\u0000\u001b[31m", 30, "two lines [31m"],
    ["12345678😀", 9, "12345678…"],
    ["1234567890😀", 10, "123456789…"],
  ])("makes of %j, with %i characters, %j", (text, limit, expected) => {
    expect(bounded(text, [], limit)).toBe(expected);
  });

  it("cuts an endless text, and keeps no secret of it", () => {
    const text = bounded(`token=s3cr3t-value ${"x".repeat(1_000_000)}`, ["s3cr3t-value"]);
    expect(text.length).toBe(300);
    expect(text).toMatch(/^token=\*\*\* x+…$/);
  });
});

describe("redact", () => {
  it("replaces secrets as they are and URL-encoded", () => {
    expect(redact("a p@ss/word b p%40ss%2Fword c", ["p@ss/word"])).toBe("a *** b *** c");
  });

  it("keeps nothing of a secret that holds another", () => {
    expect(redact("a key-1/more b key-1 c", ["key-1", "key-1/more"])).toBe("a *** b *** c");
  });

  it("leaves alone what is too short to be one", () => {
    expect(redact("a b c", ["a"])).toBe("a b c");
  });
});

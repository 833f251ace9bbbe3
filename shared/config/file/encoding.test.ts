import { describe, expect, it } from "vitest";
import { decodeFile } from "./encoding.ts";

const text = "environment: shop\ntitle: Café ☕\n";

describe("the bytes of a file", () => {
  it.each([
    ["UTF-8", Buffer.from(text)],
    ["UTF-8 with a mark", Buffer.from(`\ufeff${text}`)],
    ["an empty file", Buffer.alloc(0)],
    ["a replacement character that was written", Buffer.from(`${text}# \ufffd\n`)],
  ])("are read as %s", (_, bytes) => {
    expect(decodeFile(bytes, "monitor.yaml")).toEqual({ text: bytes.toString() });
  });

  it.each([
    ["little-endian, with a mark", Buffer.from(`\ufeff${text}`, "utf16le")],
    ["big-endian, with a mark", Buffer.from(`\ufeff${text}`, "utf16le").swap16()],
    ["little-endian, without", Buffer.from(text, "utf16le")],
    ["big-endian, without", Buffer.from(text, "utf16le").swap16()],
  ])("are known for UTF-16, %s", (_, bytes) => {
    const { text: shown, problem } = decodeFile(bytes, "monitor.yaml");
    expect(problem).toMatchObject({ line: 1, column: 1, message: "the file is UTF-16: save it as UTF-8" });
    expect(shown).toContain("environment: shop");
  });

  it.each([
    ["Latin-1", Buffer.from("environment: shop\ntitle: Café\n", "latin1"), 2, 11, "0xE9"],
    ["a byte that is none", Buffer.from([0x61, 0xff]), 1, 2, "0xFF"],
    ["a character that is cut off", Buffer.from("a: é").subarray(0, 4), 1, 4, "0xC3"],
    ["half of a pair", Buffer.from([0x61, 0x3a, 0x20, 0xed, 0xa0, 0x80]), 1, 4, "0xED"],
  ])("are not UTF-8: %s", (_, bytes, line, column, byte) => {
    const { problem } = decodeFile(bytes, "monitor.yaml");
    expect(problem).toMatchObject({ file: "monitor.yaml", line, column });
    expect(problem?.message).toContain(`not UTF-8: no character begins with the byte ${byte}`);
  });
});

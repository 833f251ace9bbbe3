import { describe, expect, it } from "vitest";
import { parsePattern, patternMistake, quoted } from "./pattern.ts";

describe("a pattern", () => {
  it.each<[pattern: string, text: string, found: string | undefined]>([
    ["/b/", "abc", "b"],
    ["/b(.)/", "abc", "c"],
    ["/b(x)?/", "abc", "b"],
    ["/B/", "abc", undefined],
    ["/B/i", "abc", "b"],
    ["/^b$/", "a\nb\nc", undefined],
    ["/^b$/m", "a\nb\nc", "b"],
    ["/a.b/", "a\nb", undefined],
    ["/a.b/s", "a\nb", "a\nb"],
    ["/a/b/", "a/b", "a/b"],
    ["/a\\/b/", "a/b", "a/b"],
    // In JavaScript notation.
    ["/(?<id>\\d+)/", "id 17", "17"],
    ["/\\u00e4\\x62/", "äb", "äb"],
    ["/a[^]b/", "a\nb", "a\nb"],
    ["/\\cJ/", "\n", "\n"],
    ["/\\d{2,}?/", "123", "12"],
    ["/[\\w.-]+@\\w+/", "to a.b-c@d", "a.b-c@d"],
    ["/${id}/", "${id}", undefined],
    // Syntax that RE2 has and JavaScript does not.
    ["/(?i)B/", "abc", "b"],
    ["/\\p{Greek}+/", "abc αβγ", "αβγ"],
    ["/^.$/", "😀", "😀"],
  ])("%s finds in %j %j", (pattern, text, found) => {
    expect(parsePattern(pattern)?.find(text)).toBe(found);
    expect(parsePattern(pattern)?.isIn(text)).toBe(found !== undefined);
  });

  it.each([
    ["done", "write it between slashes"],
    ["/(/", 'missing closing ) in "("'],
    ["/[a/", 'missing closing ] in "[a"'],
    ["/*/", 'missing argument to repetition operator in "*"'],
    ["/a(?=b)/", "lookahead (?=…) is not supported: include the text that must follow in the pattern"],
    [
      "/^(?!.*error)/",
      "negative lookahead (?!…) is not supported: match what is allowed there, such as [^x]*, or match a text that indicates success",
    ],
    [
      "/(?<=id=)\\d+/",
      "lookbehind (?<=…) is not supported: include the preceding text in the pattern, and put the part to keep in parentheses",
    ],
    ["/(?<!a)b/", "negative lookbehind (?<!…) is not supported: match what may precede it, such as (?:^|[^x])"],
    ["/(a)\\1/", "the backreference \\1 is not supported: repeat the pattern of the group"],
    ["/(?<n>a)\\k<n>/", "the backreference \\k<n> is not supported: repeat the pattern of the group"],
    ["/(?>a)/", "(?> is not supported: remove it, because patterns never backtrack"],
    ["/a++/", "++ is not supported: remove it, because patterns never backtrack"],
    ["/[\\b]/", "a backspace in brackets, [\\b], is not supported: write \\x08"],
    [
      "/a{1001}/",
      "the count {1001} is invalid: write the smaller number first, and at most 1000, including the product of nested counts",
    ],
    [
      "/a{3,2}/",
      "the count {3,2} is invalid: write the smaller number first, and at most 1000, including the product of nested counts",
    ],
    [
      "/(?:a{40}b){30}/",
      "the count {30} is invalid: write the smaller number first, and at most 1000, including the product of nested counts",
    ],
    ["/a{900}b{900}c{900}/", "it is too large: use smaller repetition counts, such as {1,100}"],
  ])("cannot be %s: %s", (pattern, mistake) => {
    expect(patternMistake(pattern)).toBe(mistake);
    expect(parsePattern(pattern)).toBeUndefined();
  });

  it("accepts a group named k", () => {
    expect(parsePattern("/\\\\k<a>/")?.isIn("\\k<a>")).toBe(true);
  });

  it("matches a quoted text literally", () => {
    const text = "a/b.*(c)[d]{2}\\e|^$+?";
    expect(parsePattern(`/^${quoted(text)}$/`)?.isIn(text)).toBe(true);
    expect(parsePattern(`/^${quoted(text)}$/`)?.isIn("a/bxx(c)[d]{2}\\e|^$+?")).toBe(false);
  });
});

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
    ["/a(?=b)/", "look-ahead (?=…) is not supported: write the text that must follow as a part of the pattern"],
    [
      "/^(?!.*error)/",
      "negative look-ahead (?!…) is not supported: write what may stand there, such as [^x]*, or look for what a good text has",
    ],
    [
      "/(?<=id=)\\d+/",
      "look-behind (?<=…) is not supported: write the text before as a part of the pattern, and the part to keep in parentheses",
    ],
    ["/(?<!a)b/", "negative look-behind (?<!…) is not supported: write what may stand before, such as (?:^|[^x])"],
    ["/(a)\\1/", "a reference to a group, \\1, is not supported: write the pattern of the group again"],
    ["/(?<n>a)\\k<n>/", "a reference to a group, \\k<n>, is not supported: write the pattern of the group again"],
    ["/(?>a)/", "(?> is not supported: leave it out, no pattern backtracks"],
    ["/a++/", "++ is not supported: leave it out, no pattern backtracks"],
    ["/[\\b]/", "a backspace in brackets, [\\b], is not supported: write \\x08"],
    [
      "/a{1001}/",
      "the count {1001} is invalid: write the smaller number first, and at most 1000, nested counts multiplied",
    ],
    [
      "/a{3,2}/",
      "the count {3,2} is invalid: write the smaller number first, and at most 1000, nested counts multiplied",
    ],
    [
      "/(?:a{40}b){30}/",
      "the count {30} is invalid: write the smaller number first, and at most 1000, nested counts multiplied",
    ],
    ["/a{900}b{900}c{900}/", "it is too large: use smaller counts for what repeats, such as {1,100}"],
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

import { describe, expect, it } from "vitest";
import { fc } from "../../../tests/support/chance.ts";
import { inline, section, table } from "./markdown.ts";

describe("a text in Markdown", () => {
  it.each([
    // A text, and the same text escaped for Markdown.
    ["503 Service Unavailable", "503 Service Unavailable"],
    ["`database` fails", "`database` fails"],
    ["database_connect_burst_success (20%) < 90%", "database_connect_burst_success (20%) \\< 90%"],
    ["_emphasis_ and *more*", "\\_emphasis\\_ and \\*more\\*"],
    ["[click](https://evil.example)", "\\[click\\](https:\\//evil.example)"],
    ["see www.evil.example or mail@evil.example", "see www\\.evil.example or mail\\@evil.example"],
    ["<script>alert(1)</script>", "\\<script\\>alert(1)\\</script\\>"],
    ["&lt;b&gt; R&D", "\\&lt;b\\&gt; R&D"],
    ["$x$ and $500K+", "\\$x\\$ and \\$500K+"],
    ["a | b ~~c~~", "a \\| b \\~\\~c\\~\\~"],
    ["one `tick` too ` many", "one `tick` too \\` many"],
    ["``` fence", "\\`\\`\\` fence"],
    ["two\nlines\r\n\r\n# and more", "two lines # and more"],
    ["# heading", "\\# heading"],
    ["- item", "\\- item"],
    ["+ item", "\\+ item"],
    ["--- rule", "\\--- rule"],
    ["1. item", "1\\. item"],
    ["back\\slash", "back\\\\slash"],
    ["`\\` in a span", "`\\` in a span"],
    ["", ""],
  ])("%j is %j", (text, written) => {
    expect(inline(text)).toBe(written);
  });

  it("has no markup outside code spans for any input", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."ab `*_[]<>()#|~!&@$\\\n:/.w-1") }), (text) => {
        // From left to right: in a span a backslash is one, and outside a span does not begin behind it.
        const outside = inline(text).replaceAll(/\\.|`[^`]*`/g, "");
        expect(outside).not.toMatch(/[`*[\]<>~|@$\n]|:\/\/|www\./);
      }),
    );
  });
});

describe("a section", () => {
  it("is omitted with its heading if empty", () => {
    expect(section("Impact", undefined, "", table(["a"], []))).toBeUndefined();
    expect(section("Impact", "text")).toBe("## Impact\n\ntext");
  });
});

describe("a table", () => {
  it("keeps its columns with pipes in code spans", () => {
    expect(table(["a", "b"], [["`x | y`", inline("p | q")]])).toBe("| a | b |\n|---|---|\n| `x \\| y` | p \\| q |");
  });
});

import { describe, expect, it } from "vitest";
import { renderMarkdown } from "./markdown.ts";

const rendered = (text: string): string => renderMarkdown(text).text.trim();

describe("Markdown as HTML", () => {
  it.each([
    ["# Title", "<h1>Title</h1>"],
    ["Two\nlines", "<p>Two\nlines</p>"],
    ["- **For it:** `a_b` is *bad*", "<ul><li><strong>For it:</strong> <code>a_b</code> is <em>bad</em></li></ul>"],
    ["1. One\n2. Two\n   more", "<ol><li>One</li><li>Two more</li></ol>"],
    ["- [ ] Do it", '<ul><li class="task"><span role="img" aria-label="to do">☐</span> Do it</li></ul>'],
    ["a \\> b \\*c\\* \\`d\\`", "<p>a &gt; b *c* `d`</p>"],
    ["`a \\* b`", "<p><code>a \\* b</code></p>"],
    ["```sh\nnpm <start>\n```\nafter", "<pre><code>npm &lt;start&gt;</code></pre>\n<p>after</p>"],
    ["> said", "<blockquote><p>said</p>\n</blockquote>"],
    [
      "[Runbook](https://example.com/a?b=1&c=2)",
      '<p><a href="https://example.com/a?b=1&amp;c=2" rel="noopener noreferrer">Runbook</a></p>',
    ],
    ["---", "<hr>"],
    ["2 * 3 * 4 = 24", "<p>2 * 3 * 4 = 24</p>"],
  ])("renders %j", (text, expected) => {
    expect(rendered(text)).toBe(expected);
  });

  it("renders tables with escaped pipes", () => {
    const table = rendered("| a | b |\n|---|---|\n| 1 \\| 2 |  |\n| **3** | 4 |\n\nafter");
    expect(table).toContain('<th scope="col">a</th><th scope="col">b</th>');
    expect(table).toContain("<tr><td>1 | 2</td><td></td></tr>");
    expect(table).toContain("<td><strong>3</strong></td><td>4</td>");
    expect(table).toMatch(/<p>after<\/p>$/);
  });

  it("lowers headings, down to the sixth", () => {
    expect(renderMarkdown("# One\n###### Six", { lowerHeadings: 2 }).text).toBe("<h3>One</h3>\n<h6>Six</h6>\n");
  });

  it.each([
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    '[x](https://a"onclick="b)',
    "`<b>`",
    "| <i> |\n|---|\n| <u> |",
    "# <b>",
    "```\n</code><script>",
    "![x](https://example.com/x.png)",
  ])("escapes everything else: %j", (text) => {
    const tags = [...rendered(text).matchAll(/<(\w+)([^>]*)>/g)].map(([, tag = "", attributes = ""]) => [
      tag,
      attributes,
    ]);
    for (const [tag, attributes] of tags) {
      expect(tag).toMatch(/^(p|code|pre|h1|a|table|thead|tbody|tr|th|td|div)$/);
      expect(attributes).not.toMatch(/on\w+=(?!&)|javascript/);
    }
  });

  it("terminates on a text of only markup characters", () => {
    for (const text of ["`".repeat(5_000), "*".repeat(5_000), "[".repeat(5_000), "|\n|", "\\", "```"])
      expect(() => rendered(text)).not.toThrow();
  });
});

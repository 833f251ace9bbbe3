/**
 * Renders Markdown as HTML, for postmortems: headings, paragraphs, lists, tasks, tables, quotations, code, emphasis and links. Everything
 * else, HTML included, stays text, so that no other markup can come from the source.
 */
import { Html, html } from "./html.ts";

/** Options of the rendering. */
export interface MarkdownOptions {
  /** By how many levels headings are lowered, so that the page keeps its own first ones. @default 0 */
  readonly lowerHeadings?: number;
}

/** Renders it. Never fails. */
export function renderMarkdown(text: string, { lowerHeadings = 0 }: MarkdownOptions = {}): Html {
  const lines = text.replaceAll(/\r\n?/g, "\n").split("\n");
  const blocks: Html[] = [];
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] ?? "";
    const take = (belongs: (line: string) => boolean): string[] => {
      const begin = at;
      at += 1;
      while (at < lines.length && belongs(lines[at] ?? "")) at += 1;
      return lines.slice(begin, at);
    };
    const [, marks, heading] = /^(#{1,6})\s+(.*?)\s*#*$/.exec(line) ?? [];
    if (line.trim() === "") at += 1;
    else if (marks !== undefined) {
      blocks.push(headingOf(marks.length + lowerHeadings, heading ?? ""));
      at += 1;
    } else if (line.startsWith("```")) {
      const code = take((one) => !one.startsWith("```")).slice(1);
      at += 1;
      blocks.push(html`<pre><code>${code.join("\n")}</code></pre>`);
    } else if (/^(-{3,}|\*{3,})\s*$/.test(line)) {
      blocks.push(html`<hr>`);
      at += 1;
    } else if (line.startsWith("|") && /^\|[\s:|-]+\|?\s*$/.test(lines[at + 1] ?? ""))
      blocks.push(tableOf(take((one) => one.startsWith("|"))));
    else if (line.startsWith(">")) {
      const quoted = take((one) => one.startsWith(">")).map((one) => one.replace(/^> ?/, ""));
      blocks.push(html`<blockquote>${renderMarkdown(quoted.join("\n"), { lowerHeadings })}</blockquote>`);
    } else if (item.test(line)) {
      const isOrdered = /^\s*\d/.test(line);
      const own = take((one) => (item.test(one) ? /^\s*\d/.test(one) === isOrdered : /^\s+\S/.test(one)));
      const items = itemsOf(own).map(itemOf);
      blocks.push(isOrdered ? html`<ol>${items}</ol>` : html`<ul>${items}</ul>`);
    } else blocks.push(html`<p>${inlineOf(take(isParagraph).join("\n"))}</p>`);
  }
  return html`${blocks.map(
    (block) => html`${block}
`,
  )}`;
}

const item = /^\s{0,3}(?:[-*+]|\d{1,9}[.)])\s+/;

function isParagraph(line: string): boolean {
  return line.trim() !== "" && !/^(#{1,6}\s|```|>|\|)/.test(line) && !item.test(line);
}

function headingOf(level: number, text: string): Html {
  const tag = new Html(`h${Math.min(6, level)}`);
  return html`<${tag}>${inlineOf(text)}</${tag}>`;
}

/** Returns the items of a list. An indented line continues the item before it. */
function itemsOf(lines: readonly string[]): string[] {
  const items: string[] = [];
  for (const line of lines) {
    if (item.test(line)) items.push(line.replace(item, ""));
    else items.push(`${items.pop() ?? ""} ${line.trim()}`);
  }
  return items;
}

function itemOf(text: string): Html {
  const [, mark, rest] = /^\[([ xX])\]\s+(.*)$/s.exec(text) ?? [];
  if (mark === undefined) return html`<li>${inlineOf(text)}</li>`;
  const done = mark !== " ";
  return html`<li class="task"><span role="img" aria-label="${done ? "done" : "to do"}">${done ? "☑" : "☐"}</span> ${inlineOf(rest ?? "")}</li>`;
}

function tableOf([head = "", , ...rows]: readonly string[]): Html {
  const cells = (line: string): Html[] =>
    line
      .trim()
      .replace(/^\|/, "")
      .replace(/(?<!\\)\|$/, "")
      .split(/(?<!\\)\|/)
      .map((cell) => inlineOf(cell.trim().replaceAll("\\|", "|")));
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Table"><table><thead><tr>${cells(head).map((cell) => html`<th scope="col">${cell}</th>`)}</tr></thead><tbody>${rows.map(
    (row) => html`<tr>${cells(row).map((cell) => html`<td>${cell}</td>`)}</tr>
`,
  )}</tbody></table></div>`;
}

/** Spans, tried in this order at every position. */
const span =
  /\\([!-/:-@[-`{-~])|(`+)([^`](?:.*?[^`])?)\2(?!`)|\*\*(?=\S)(.+?)\*\*|(?<![\w*])\*(?=\S)(.+?)\*(?![\w*])|\[([^\]\n]+)\]\(((?:https?:\/\/|mailto:)[^\s)]+)\)/gs;

function inlineOf(text: string): Html {
  const parts: Html[] = [];
  let end = 0;
  for (const match of text.matchAll(span)) {
    const [whole, escaped, , code, strong, emphasis, label, address] = match;
    parts.push(html`${text.slice(end, match.index)}`);
    end = match.index + whole.length;
    if (escaped !== undefined) parts.push(html`${escaped}`);
    else if (code !== undefined) parts.push(html`<code>${code}</code>`);
    else if (strong !== undefined) parts.push(html`<strong>${inlineOf(strong)}</strong>`);
    else if (emphasis !== undefined) parts.push(html`<em>${inlineOf(emphasis)}</em>`);
    else parts.push(html`<a href="${address ?? ""}" rel="noopener noreferrer">${inlineOf(label ?? "")}</a>`);
  }
  return html`${[...parts, html`${text.slice(end)}`]}`;
}

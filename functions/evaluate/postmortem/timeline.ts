/** The timeline of a postmortem: the lines of the incident, with those of one moment that say the same of several things put together. */

import type { IncidentDocument } from "../../../shared/documents/incident.ts";
import { list } from "../../../shared/text/sentences.ts";
import { firstAndLast } from "./format.ts";
import { bullets, inline } from "./markdown.ts";

/** The most lines, and the longest of them in characters. */
const mostLines = 120;
const longestLine = 600;

interface Line {
  readonly date: string;
  readonly clock: string;
  readonly text: string;
}

/** The section. */
export function timelineOf({ timeline, note }: IncidentDocument): string {
  const lines = together(timeline.map(lineOf));
  const left = (count: number): Line => ({ date: "", clock: "", text: `${count} lines are left out here.` });
  let day = "";
  const items = firstAndLast(lines, mostLines, left).map(({ date, clock, text }) => {
    const shown = clock === "" ? "" : `**${date === day ? clock : `${date} ${clock}`}** `;
    day = date === "" ? day : date;
    return `${shown}${inline(text.slice(0, longestLine))}`;
  });
  const isKnown = note === null || note === "" || timeline.some((line) => line.includes(note));
  return bullets(isKnown ? items : [...items, inline(`Note in the document: ${note.slice(0, longestLine)}`)]);
}

/** A line as documents have it: `2025-09-16 12:10:00 UTC  text`. */
function lineOf(line: string): Line {
  const [, date = "", clock = "", text = line] = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC {2}(.*)$/s.exec(line) ?? [];
  return { date, clock, text };
}

/** What is said of one thing, and of several. */
const sayings: readonly (readonly [one: RegExp, many: string])[] = [
  [/^(`[^`]+`) is (good again\.)$/, "are"],
  [/^("[^"]+") has (cleared\.)$/, "have"],
  [/^(`[^`]+`) fails (.+)$/, "fail"],
];

function together(lines: readonly Line[]): Line[] {
  const done: Line[] = [];
  for (let i = 0; i < lines.length; ) {
    const first = lines[i] as Line;
    const saying = sayings.find(([one]) => one.test(first.text));
    const [, , rest] = saying?.[0].exec(first.text) ?? [];
    const same = saying === undefined ? [] : lines.slice(i).map(({ text }) => saying[0].exec(text));
    const end = same.findIndex((match, index) => match?.[2] !== rest || lines[i + index]?.clock !== first.clock);
    const names = same.slice(0, end < 0 ? same.length : end).map((match) => match?.[1] ?? "");
    if (names.length < 2) done.push(first);
    else done.push({ ...first, text: `${list(names, 12)} ${saying?.[1]} ${rest}` });
    i += Math.max(1, names.length);
  }
  return done;
}

/** The timeline of a postmortem: what happened to the targets and what people did, one item for each moment. */

import type { IncidentDocument } from "../../../shared/documents/incident.ts";
import { list } from "../../../shared/text/sentences.ts";
import { briefly, firstAndLast } from "./format.ts";
import { bullets, inline } from "./markdown.ts";

/** Maximum number of items, and maximum length of a line in characters. */
const maxItems = 60;
const longestLine = 200;

interface Line {
  readonly date: string;
  readonly clock: string;
  readonly text: string;
}

/** Redundant lines: alerts that join or clear, stages that pass, and notifications. The document keeps all of them. */
const repeated: readonly RegExp[] = [
  /^"[^"]+"(?:.* and (?:"[^"]+"|\d+ more))? joined: /,
  /^"[^"]+" has cleared\.$/,
  /^Stage \d+, .+, passed after /,
  /^The incident has not been acknowledged for /,
  /^The incident is still /,
  /^Again: /,
];

/** Writes the section. */
export function timelineOf({ timeline, note }: IncidentDocument): string {
  const all = timeline.map(lineOf);
  const shown = all.filter(
    ({ text }, index) =>
      !repeated.some((pattern) => pattern.test(text)) &&
      // An intermittent failure ends with its last recovery.
      !(good.test(text) && all.slice(index + 1).some((later) => later.text === text)),
  );
  const left = (count: number): Line[] => [{ date: "", clock: "", text: `${count} entries omitted.` }];
  let day = "";
  const items = firstAndLast(momentsOf(shown), maxItems, left).map((lines) => {
    const [{ date, clock } = { date: "", clock: "" }] = lines;
    const time = clock === "" ? "" : `**${date === day ? clock : `${date} ${clock}`}** `;
    day = date === "" ? day : date;
    return `${time}${together(lines)
      .map((text) => inline(briefly(text, longestLine)))
      .join(" ")}`;
  });
  const isKnown = note === null || note === "" || timeline.some((line) => line.includes(note));
  return bullets(isKnown ? items : [...items, inline(`Note: ${note.slice(0, 600)}`)]);
}

/** Parses a line of a document: `2025-09-16 12:10:00 UTC  text`. */
function lineOf(line: string): Line {
  const [, date = "", clock = "", text = line] = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC {2}(.*)$/s.exec(line) ?? [];
  // The reasons for a cause are listed with the evidence.
  return { date, clock, text: text.replace(/^(The likely cause is [^.]+\.) (?:For|Against) .*$/s, "$1") };
}

/** Groups adjacent lines of the same instant. */
function momentsOf(lines: readonly Line[]): Line[][] {
  const moments: Line[][] = [];
  for (const line of lines) {
    const last = moments.at(-1);
    const isSame = line.clock !== "" && last?.[0]?.clock === line.clock && last[0].date === line.date;
    if (isSame) last.push(line);
    else moments.push([line]);
  }
  return moments;
}

const good = /^(`[^`]+`) is (good again\.)$/;

/** Singular and plural forms. */
const mergeable: readonly (readonly [one: RegExp, many: string])[] = [
  [good, "are"],
  [/^(`[^`]+`) fails (.+)$/s, "fail"],
];

/** Returns the texts of a moment, merging those that differ only in their subject. */
function together(lines: readonly Line[]): string[] {
  const said = lines.map(({ text }) => {
    const saying = mergeable.find(([one]) => one.test(text));
    const [, name = "", rest = ""] = saying?.[0].exec(text) ?? [];
    return { text, name, rest, many: saying?.[1] };
  });
  const groups = Map.groupBy(said, ({ text, rest, many }) => (many === undefined ? text : `${many}\n${rest}`));
  return Array.from(groups.values(), ([first, ...others]) => {
    if (first === undefined) return "";
    if (first.many === undefined || others.length === 0) return first.text;
    return `${list(
      [first, ...others].map(({ name }) => name),
      12,
    )} ${first.many} ${first.rest}`;
  });
}

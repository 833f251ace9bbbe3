/** The timeline of a postmortem: what happened to the targets and what people did, one item for each moment. */

import type { IncidentDocument } from "../../../shared/documents/incident.ts";
import { list } from "../../../shared/text/sentences.ts";
import { briefly, firstAndLast } from "./format.ts";
import { bullets, inline } from "./markdown.ts";

/** The most items, and the longest text of one line in characters. */
const mostItems = 60;
const longestLine = 200;

interface Line {
  readonly date: string;
  readonly clock: string;
  readonly text: string;
}

/** Lines that say again what others say: alerts that join or clear, stages that pass, and notices. The document keeps all of them. */
const repeated: readonly RegExp[] = [
  /^"[^"]+"(?:.* and (?:"[^"]+"|\d+ more))? joined: /,
  /^"[^"]+" has cleared\.$/,
  /^Stage \d+, .+, passed after /,
  /^Nobody has acknowledged it for /,
  /^(?:It is|Still|The incident is) still /,
  /^Again: /,
];

/** The section. */
export function timelineOf({ timeline, note }: IncidentDocument): string {
  const all = timeline.map(lineOf);
  const told = all.filter(
    ({ text }, index) =>
      !repeated.some((pattern) => pattern.test(text)) &&
      // An intermittent failure ends with its last recovery.
      !(good.test(text) && all.slice(index + 1).some((later) => later.text === text)),
  );
  const left = (count: number): Line[] => [{ date: "", clock: "", text: `${count} moments are left out here.` }];
  let day = "";
  const items = firstAndLast(momentsOf(told), mostItems, left).map((lines) => {
    const [{ date, clock } = { date: "", clock: "" }] = lines;
    const shown = clock === "" ? "" : `**${date === day ? clock : `${date} ${clock}`}** `;
    day = date === "" ? day : date;
    return `${shown}${together(lines)
      .map((text) => inline(briefly(text, longestLine)))
      .join(" ")}`;
  });
  const isKnown = note === null || note === "" || timeline.some((line) => line.includes(note));
  return bullets(isKnown ? items : [...items, inline(`Note in the document: ${note.slice(0, 600)}`)]);
}

/** A line as documents have it: `2025-09-16 12:10:00 UTC  text`. */
function lineOf(line: string): Line {
  const [, date = "", clock = "", text = line] = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC {2}(.*)$/s.exec(line) ?? [];
  // Why a cause is named stands among the evidence.
  return { date, clock, text: text.replace(/^(The likely cause is [^.]+\.) (?:For|Against) .*$/s, "$1") };
}

/** Lines of one moment, which stand beside each other. */
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
const sayings: readonly (readonly [one: RegExp, many: string])[] = [
  [good, "are"],
  [/^(`[^`]+`) fails (.+)$/s, "fail"],
];

/** The texts of a moment, with those that say the same of several things put together. */
function together(lines: readonly Line[]): string[] {
  const said = lines.map(({ text }) => {
    const saying = sayings.find(([one]) => one.test(text));
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

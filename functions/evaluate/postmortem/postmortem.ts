/**
 * Writes the postmortem of an incident in Markdown: what happened, to whom, why, how it was noticed, who was notified, how it ended, and how
 * to prevent it. Pure: the same account gives the same text.
 */

import type { IncidentDocument } from "../../../shared/documents/incident.ts";
import { asSentence } from "../../../shared/text/sentences.ts";
import { clockSpan, spokenDuration } from "../../../shared/text/units.ts";
import { dateTime } from "../incident/record/instants.ts";
import { onsetSentences } from "../incident/record/onset-text.ts";
import type { Account } from "./account.ts";
import { between, briefly, causeIn, counted, failedBetween, moment, titleOf } from "./format.ts";
import { impactOf } from "./impact.ts";
import { blocks, bullets, inline, section } from "./markdown.ts";
import { notificationLines } from "./notifications.ts";
import { pictureOf } from "./picture.ts";
import { proposalsFor } from "./prevention.ts";
import { questionsOf } from "./questions.ts";
import { isProved, noticedOf, recoveryOf } from "./recovery.ts";
import { timelineOf } from "./timeline.ts";

/** The most bytes of a postmortem: the document that holds it may have no more than a MiB. */
export const longestPostmortem: number = 256 * 1024;

/** Writes it. */
export function postmortemOf(account: Account): string {
  const { incident } = account;
  const parts = [
    `# ${inline(`${incident.status === "resolved" ? "Postmortem" : "So far"}: ${incident.title}`)}`,
    headOf(account),
    section("Summary", ...summaryOf(account)),
    section("Impact", ...impactOf(account)),
    section("What failed when", pictureOf(account)),
    section("Timeline", timelineOf(incident)),
    section("Why it happened", ...whysOf(incident)),
    section("How it was noticed", noticedOf(incident)),
    section("How the recovery was proved", ...recoveryOf(incident)),
    section("Who was told", ...notificationLines(account)),
    section("What to do", ...proposalsOf(account)),
    section("Open questions", bullets(questionsOf(account).map(inline))),
  ];
  return cut(`${blocks(parts)}\n`);
}

function headOf({ id, incident }: Account): string {
  const { severity, priority, verdict, team, confidence, root_cause } = incident;
  const facts = [
    `\`${id}\``,
    inline(`${severity}, ${priority}`),
    inline(`verdict: ${verdict}`),
    ...(root_cause === "unknown" ? [] : [`${Math.round(100 * confidence)}% sure`]),
    ...(team === null ? [] : [inline(`team: ${team}`)]),
  ];
  return blocks([facts.join(" · "), "Written by Pathkeeper; times are UTC. Add what you know."]);
}

function summaryOf({ incident, deliveries }: Account): string[] {
  const { first_failure_at: from, opened_at: opened, acknowledged_at: taken, resolved_at: resolved } = incident;
  const { root_cause, verdict, affected } = incident;
  const title = titleOf(incident, root_cause);
  const onsets = onsetSentences(affected, true).join(" ");
  const when = from === null ? "" : `On ${dateTime(from.getTime()).slice(0, 10)}: `;
  const cause =
    root_cause === "unknown"
      ? "The cause was not found."
      : `The cause was ${title}${verdict === "monitor" ? "" : ` (${verdict})`}. ${asSentence(causeIn(incident))}`;
  const arrivals = deliveries.flatMap(({ status, delivered_at: at }) =>
    status === "delivered" ? (at?.getTime() ?? []) : [],
  );
  const told = arrivals.length === 0 ? null : new Date(Math.min(...arrivals));
  const after = from === null || opened === null ? "" : ` ${between(from, opened)} after the first failure`;
  const end =
    resolved === null
      ? `It is ${incident.status}.`
      : `It ended ${between(from, resolved)} after the first failure, at ${moment(resolved, incident)} UTC, ${provedOf(incident)}.${cameBack(incident)}`;
  return [
    inline(`${when}${onsets === "" && root_cause !== "unknown" ? `${title} got into trouble.` : onsets} ${cause}`),
    inline(incident.impact),
    inline(
      [
        `Pathkeeper opened this incident${after}${namedOf(incident)}.`,
        told === null ? "No notice reached anybody." : `The first notice arrived ${arrivedAfter(opened, told)}.`,
        taken === null ? "Nobody acknowledged it." : `It was acknowledged after ${between(opened, taken)}.`,
        end,
      ].join(" "),
    ),
  ];
}

/** "35 s after the opening", or "at once". */
function arrivedAfter(opened: Date | null, told: Date): string {
  const ms = opened === null ? 0 : clockSpan(opened.getTime(), told.getTime());
  return ms < 1_000 ? "at once" : `${spokenDuration(ms)} after the opening`;
}

/** Describes relapses, and the failing time without the time in which it was resolved. */
function cameBack(incident: IncidentDocument): string {
  const { first_failure_at: from, resolved_at: resolved, relapses } = incident;
  if (relapses.length === 0) return "";
  const last = relapses.at(-1)?.failed_at ?? null;
  const times = relapses.length === 1 ? "once" : `${relapses.length} times`;
  const lasted = failedBetween(from, resolved, incident);
  return ` In between it was over and came back ${times}, last at ${moment(last, incident)} UTC: without that time, it lasted ${lasted}.`;
}

/** " and named the cause at once", or how much later. */
function namedOf({ opened_at: opened, root_cause_since: named, root_cause }: IncidentDocument): string {
  if (opened === null || named === null || root_cause === "unknown") return "";
  const later = clockSpan(opened.getTime(), named.getTime());
  return later <= 0 ? " and named the cause at once" : ` and named the cause ${spokenDuration(later)} later`;
}

function provedOf(incident: IncidentDocument): string {
  const { recovery, verdict } = incident;
  if (verdict === "monitor") return "when the monitor saw again what it had not";
  if (recovery === null || !isProved(incident)) return "because an operator said so";
  if (recovery.stages.length === 0) return "when every alert had cleared";
  return `when fresh probes had proved the recovery in ${counted(recovery.stages.length, "stage")}`;
}

/** The longest line of whys and evidence, in characters, and the most lines of one kind. */
const longestReason = 220;
const mostReasons = 6;

/** Titles of kinds of evidence in the order in which they are listed; explained symptoms are in the timeline. */
const reasons: readonly (readonly [pattern: RegExp, heading: string])[] = [
  [/^For [^:]+: /, "For it"],
  [/^Against [^:]+: /, "Against it"],
  [/^Not explained by it: /, "Not explained by it"],
  [/^Also broken, /, "Also broken"],
  [/^(?=Less likely: |Not named: )/, ""],
  [/^Seen: /, "Seen"],
];

function whysOf(incident: IncidentDocument): (string | undefined)[] {
  const { whys, evidence } = incident;
  const isSymptom = (line: string): boolean => / since \S+ UTC( until \S+ UTC)?\.$|: \d+ more of /.test(line);
  const lines = reasons.flatMap(([pattern, heading]) => {
    const own = [...new Set(evidence)].filter((line) => pattern.test(line));
    const shown = heading === "For it" || heading === "Also broken" ? own.filter((line) => !isSymptom(line)) : own;
    return shown
      .slice(0, mostReasons)
      .map(
        (line) =>
          `${heading === "" ? "" : `**${heading}:** `}${inline(briefly(line.replace(pattern, ""), longestReason))}`,
      );
  });
  return [
    whys.map((line, index) => `${index + 1}. ${inline(briefly(line, longestReason))}`).join("\n"),
    causesOf(incident),
    bullets(lines),
  ];
}

/** Causes in succession, each with its time. */
function causesOf(incident: IncidentDocument): string | undefined {
  const { causes } = incident;
  if (causes.length < 2) return undefined;
  const each = causes.map(
    ({ title, from, until }) =>
      `${title} from ${moment(from, incident)} to ${moment(until, incident)} (${between(from, until)})`,
  );
  return inline(`The cause that was named changed: ${each.join(", ")}.`);
}

function proposalsOf(account: Account): (string | undefined)[] {
  const because = causeIn(account.incident);
  const items = proposalsFor(account).map(({ text, because: own }) => {
    const reason = own === because ? "" : ` (${briefly(own, longestReason).replace(/\.$/, "")})`;
    return `[ ] ${inline(text)}${inline(reason) === "" ? "" : ` ${inline(reason)}`}`;
  });
  return items.length === 0 ? [] : ["Proposed by the monitor; nobody has decided on it yet.", bullets(items)];
}

function cut(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= longestPostmortem) return text;
  const kept = bytes.subarray(0, longestPostmortem - 200);
  const lines = kept.subarray(0, kept.lastIndexOf("\n")).toString();
  return `${lines}\n\nThe rest is left out: the document that holds this postmortem may not be larger.\n`;
}

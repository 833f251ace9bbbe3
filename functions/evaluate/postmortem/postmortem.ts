/**
 * The postmortem of an incident, in Markdown: what happened, to whom, why, how it was noticed, who was told, how it ended, and what may be
 * done so that it does not come again. Pure: the same account gives the same text.
 */

import type { IncidentDocument } from "../../../shared/documents/incident.ts";
import { asSentence, list } from "../../../shared/text/sentences.ts";
import { spokenDuration } from "../../../shared/text/units.ts";
import { clockTime, dateTime } from "../incident/record/instants.ts";
import type { Account } from "./account.ts";
import { between, causeIn, counted, failedBetween, moment, titleOf } from "./format.ts";
import { impactOf } from "./impact.ts";
import { blocks, bullets, inline, section, table } from "./markdown.ts";
import { notificationLines } from "./notifications.ts";
import { proposalsFor } from "./prevention.ts";
import { questionsOf } from "./questions.ts";
import { timelineOf } from "./timeline.ts";
import { recoveryOf, timesOf } from "./times.ts";

/** The most bytes of a postmortem: the document that holds it may have no more than a MiB. */
export const longestPostmortem: number = 256 * 1024;

/** Writes it. */
export function postmortemOf(account: Account): string {
  const { incident } = account;
  const parts = [
    `# ${inline(`${incident.status === "resolved" ? "Postmortem" : "So far"}: ${incident.title}`)}`,
    headOf(account),
    section("Summary", ...summaryOf(incident)),
    section("Impact", ...impactOf(account)),
    section("Timeline", timelineOf(incident)),
    section("Why it happened", ...whysOf(incident)),
    section("How it was noticed", noticedOf(incident)),
    section("How long it took", timesOf(account)),
    section("How the recovery was proved", ...recoveryOf(incident)),
    section("Who was told", ...notificationLines(account)),
    section("Checks that failed", ...checksOf(incident)),
    section("Proposals to prevent it", ...proposalsOf(account)),
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
  return blocks([
    facts.join(" · "),
    "Written by Pathkeeper from what it measured and sent. Times are UTC. What people found out is for them to add.",
  ]);
}

function summaryOf(incident: IncidentDocument): string[] {
  const { first_failure_at: from, opened_at: opened, resolved_at: resolved, root_cause, verdict, affected } = incident;
  const title = titleOf(incident, root_cause);
  const those = (wanted: string): string[] =>
    affected.filter(({ trouble }) => trouble === wanted).map((one) => one.title);
  const trouble = [
    ...(those("failed").length === 0 ? [] : [`${list(those("failed"), 8)} failed`]),
    ...(those("degraded").length === 0 ? [] : [`${list(those("degraded"), 8)} got worse`]),
  ];
  const when =
    from === null ? "" : `On ${dateTime(from.getTime()).slice(0, 10)}, from ${clockTime(from.getTime())} on, `;
  const what = trouble.length === 0 ? `${title} got into trouble` : trouble.join(", and ");
  const cause =
    root_cause === "unknown"
      ? "The cause was not found."
      : `The cause was ${title}${verdict === "monitor" ? "" : ` (${verdict})`}. ${asSentence(causeIn(incident))}`;
  const end =
    resolved === null
      ? `It is ${incident.status}.`
      : `It ended ${between(from, resolved)} after the first failure, at ${moment(resolved, incident)} UTC, ${provedOf(incident)}.${cameBack(incident)}`;
  const after = from === null || opened === null ? "" : ` ${between(from, opened)} after the first failure`;
  const noticed = `Pathkeeper opened this incident${after}${namedOf(incident)}.`;
  return [inline(`${when}${what}. ${cause}`), inline(incident.impact), inline(`${noticed} ${end}`)];
}

/** How often it came back, and how long it failed without the time in which it was over. */
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
  const later = named.getTime() - opened.getTime();
  return later <= 0 ? " and named the cause at once" : ` and named the cause ${spokenDuration(later)} later`;
}

function provedOf({ recovery, verdict }: IncidentDocument): string {
  if (verdict === "monitor") return "when the monitor saw again what it had not";
  if (recovery === null || recovery.status === "cut_short") return "because an operator said so";
  if (recovery.stages.length === 0) return "when every alert had cleared";
  return `when fresh probes had proved the recovery in ${counted(recovery.stages.length, "stage")}`;
}

function whysOf({ whys, evidence }: IncidentDocument): (string | undefined)[] {
  const own = (pattern: RegExp): string[] => [...new Set(evidence)].filter((line) => pattern.test(line));
  const isSymptom = (line: string): boolean => / since \S+ UTC( until \S+ UTC)?\.$|: \d+ more of /.test(line);
  const supporting = own(/^For /).map((line) => line.replace(/^For .+?: /, ""));
  const groups: readonly (readonly [heading: string, lines: readonly string[]])[] = [
    ["What speaks for it", supporting.filter((line) => !isSymptom(`: ${line}`))],
    ["What it explains", supporting.filter((line) => isSymptom(`: ${line}`))],
    ["What speaks against it, or is not explained by it", own(/^(Against |Not explained by it)/)],
    ["What else was broken", own(/^Also broken/)],
    ["What else was considered", own(/^(Less likely|Not named)/)],
    ["What was seen", own(/^Seen: /).map((line) => line.replace("Seen: ", ""))],
    ["Where to look", own(/^Look at/)],
  ];
  return [
    whys.map((line, index) => `${index + 1}. ${inline(line)}`).join("\n"),
    ...groups.flatMap(([heading, lines]) => (lines.length === 0 ? [] : [`### ${heading}`, bullets(lines.map(inline))])),
  ];
}

function noticedOf({ symptoms, opened_at: opened, opened_by: rule, affected, timeline }: IncidentDocument): string {
  const [first] = symptoms;
  const vantages = [...new Set(symptoms.flatMap(({ vantage }) => vantage ?? []))];
  const changes = timeline.filter((line) => / The likely cause is .+ and no longer /.test(line)).length;
  const sentences = [
    ...(first === undefined
      ? []
      : [
          `The first sign was at ${clockTime(first.since.getTime())}${first.vantage === null ? "" : `, from ${first.vantage}`}: ${asSentence(first.showed)}`,
        ]),
    ...(opened === null || rule === null
      ? []
      : [`The rule "${rule}" opened the incident at ${clockTime(opened.getTime())}.`]),
    ...(vantages.length === 0
      ? []
      : [
          `In all, ${counted(symptoms.length, "check")} of ${counted(affected.length, "component")} saw it, from ${list(vantages)}.`,
        ]),
    ...(changes === 0
      ? []
      : [`The cause that was named changed ${changes === 1 ? "once" : `${changes} times`}, as the timeline says.`]),
  ];
  return inline(sentences.join(" "));
}

function checksOf(incident: IncidentDocument): (string | undefined)[] {
  const rows = incident.symptoms.map(({ check, kind, vantage, since, until, times, showed }) => [
    inline(kind === "probe" ? `probe \`${check}\`` : `rule "${check}"`),
    inline(vantage ?? "–"),
    moment(since, incident),
    until === null ? "not seen" : moment(until, incident),
    times > 1 ? `${times} times` : "once",
    inline(showed.replace(kind === "probe" ? `\`${check}\` ` : `${check}: `, "")),
  ]);
  const findings = incident.findings.map(({ says, severity, came_with_it }) =>
    inline(`${says} (${severity}; ${came_with_it ? "it came with the outage" : "it was so before"}).`),
  );
  return [
    table(["check", "from", "bad since", "good again", "began", "it showed"], rows),
    findings.length === 0 ? undefined : "The checks of the configuration found:",
    bullets(findings),
  ];
}

function proposalsOf(account: Account): (string | undefined)[] {
  const byReason = [...Map.groupBy(proposalsFor(account), ({ because }) => because)];
  if (byReason.length === 0) return [];
  return [
    "The monitor proposes this, from the cause and from what it recorded. Nobody has decided on it yet.",
    bullets(
      byReason.map(([because, own]) =>
        [`${inline(because)} Therefore:`, ...own.map(({ text }) => `  - [ ] ${inline(text)}`)].join("\n"),
      ),
    ),
  ];
}

function cut(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= longestPostmortem) return text;
  const kept = bytes.subarray(0, longestPostmortem - 200);
  const lines = kept.subarray(0, kept.lastIndexOf("\n")).toString();
  return `${lines}\n\nThe rest is left out: the document that holds this postmortem may not be larger.\n`;
}

/** Checks the accuracy of a postmortem: its instants match the record, and its numbers follow from the reports. */
import type { IncidentDocument } from "../../shared/documents/incident.ts";
import { spokenDuration } from "../../shared/text/units.ts";
import { isAbout, type Measured, msOf, shownSpan } from "./measured.ts";
import { lastedAt } from "./relapse-truth.ts";

/** Returns every statement that the reports do not confirm, as sentences; nothing before it is written. */
export function falsePostmortem(incident: IncidentDocument, measured: Measured): string[] {
  const {
    postmortem,
    timeline,
    affected,
    symptoms,
    first_failure_at: first,
    opened_at: opened,
    resolved_at: end,
    relapses,
    recovery,
  } = incident;
  if (postmortem === null || postmortem === "") return [];
  const wrong: string[] = [];
  const text = postmortem.replaceAll(/\\([^\w\s])/g, "$1");
  const about = (pattern: RegExp): readonly string[] => pattern.exec(text)?.slice(1) ?? [];
  const [after] = about(/opened this incident (.+?) after the first failure/);
  if (after !== undefined && !isAbout(after, shownSpan(Number(first), Number(opened))))
    wrong.push(`opened after ${after}`);
  const [lasted] = about(/It was resolved (.+?) after the first failure/);
  if (lasted !== undefined && !isAbout(lasted, shownSpan(Number(first), Number(end))))
    wrong.push(`ended after ${lasted}`);
  const [times, back = "", without] = about(
    /relapsed (once|\d+)(?: times)?,(?: last)? at (\S+(?: \S+)?) UTC; excluding the time it was resolved, it lasted (.+?)\./,
  );
  const count = times === undefined ? 0 : times === "once" ? 1 : Number(times);
  if (end !== null && count !== relapses.length) wrong.push(`it came back ${count} times, not ${relapses.length}`);
  if (count > 0 && relapses.at(-1)?.failed_at.toISOString().slice(11, 19) !== back.slice(-8))
    wrong.push(`it came back last at ${back}`);
  if (without !== undefined && !isAbout(without, lastedAt(incident, Number(end)))) wrong.push(`it lasted ${without}`);
  // The record keeps at most three earlier validations.
  const falseEnds = timeline.filter((line) => / UTC {2}(?:It failed again, |It is not over: )/.test(line)).length;
  const [early] = about(/declared too early (once|\d+)/);
  const toldEarly = early === undefined ? 0 : early === "once" ? 1 : Number(early);
  if (toldEarly < Math.max(relapses.length, Math.min(3, falseEnds)) || toldEarly > falseEnds)
    wrong.push(`its recovery was declared too early ${falseEnds} times, not ${toldEarly}`);
  const isByOperator = timeline.findLast((line) => / UTC {2}Resolved\. /.test(line))?.includes("An operator") ?? false;
  if (
    /fresh probes validated the recovery/.test(text) === isByOperator &&
    end !== null &&
    recovery?.stages.length !== 0
  )
    wrong.push("it does not say how it ended");
  const [checks, components] = about(/(\d+) checks? on (\d+) components? detected it/);
  const seen = new Set(symptoms.map(({ component }) => component)).size;
  if (checks !== undefined && (Number(checks) !== symptoms.length || Number(components) !== seen))
    wrong.push(`${checks} checks of ${components}`);
  const known = new Set(timeline.map((line) => line.slice(11, 19)));
  for (const [, clockShown = ""] of text.matchAll(/^- \*\*(?:\S+ )?(\d\d:\d\d:\d\d)\*\* /gm)) {
    if (!known.has(clockShown)) wrong.push(`nothing happened at ${clockShown}`);
  }
  for (const { title, component, availability_target: target } of affected) {
    const row =
      text
        .split("\n")
        .find((line) => line.startsWith(`| ${title} | `))
        ?.split(" | ") ?? [];
    const [, , , , downtime = "–", budget = "–"] = row;
    if (downtime === "–") continue;
    const down = measured.downtime(component, Number(first), Number(end));
    if (downtime.includes(":")) {
      // Several months are listed with their parts.
      if (!isAbout(spokenDuration(sumOf(downtime)), down))
        wrong.push(`${title} was down for ${spokenDuration(down)}, not ${downtime}`);
      continue;
    }
    if (!isAbout(downtime, down)) wrong.push(`${title} was down for ${spokenDuration(down)}, not ${downtime}`);
    const month = new Date(Number(first));
    const allowed =
      (1 - target) *
      (Date.UTC(month.getUTCFullYear(), month.getUTCMonth() + 1) -
        Date.UTC(month.getUTCFullYear(), month.getUTCMonth()));
    const share = Math.floor((down / allowed) * 10_000 + 1e-6) / 100;
    if (!budget.startsWith(`${share}%`)) wrong.push(`${title} took ${share}%, not ${budget}`);
  }
  for (const [, probe = "", successes, attempts, share] of text.matchAll(
    /`([^`]+)` completed (\d+) of (\d+) attempts \((.+?)%\)/g,
  )) {
    const found = measured.successesOf(probe, Number(attempts));
    const exact = Math.floor((found / Number(attempts)) * 10_000 + 1e-6) / 100;
    if (found !== Number(successes) || exact !== Number(share))
      wrong.push(`\`${probe}\` succeeded ${found} times of ${attempts}`);
  }
  const downtimes = text
    .split("\n")
    .flatMap((line) =>
      /^\| .+ \| failed(?: intermittently)? \| /.test(line) ? [spokenDuration(sumOf(line.split(" | ")[4] ?? ""))] : [],
    );
  const [longest] = about(/User-facing downtime: \*\*(.+?)\*\*/);
  if (longest !== undefined && !downtimes.includes(longest)) wrong.push(`${longest} is not in the table`);
  return wrong.map((what) => `postmortem: ${what}`);
}

/** Parses the sum of "20 min", or of "September 2025: 20 min; October 2025: 40 min". @returns milliseconds */
function sumOf(downtime: string): number {
  return downtime.split("; ").reduce((sum, part) => sum + (msOf(part.replace(/^\w+ \d{4}: /, "")) ?? 0), 0);
}

/** Compares what came of a scenario with what was expected of it. Pure. */
import type { Delivery } from "../../functions/notify/deliver/ledger.ts";
import type { IncidentEvent } from "../../shared/messages/incident-event.ts";
import type { Fields, Value } from "../../shared/ports.ts";
import { ownEntry } from "../../shared/runtime/entries.ts";
import { formatDuration } from "../../shared/text/units.ts";
import type { Excluded, Expectations, ExpectedIncident, ExpectedNotice, Moment, Within } from "./file/format.ts";
import { instantIn } from "./file/times.ts";
import { instantOf, type Played, type PlayedIncident } from "./play.ts";

/** One expectation that was not met. */
export interface Failure {
  /** Subject, such as `incident 1, root_cause`. */
  readonly about: string;
  readonly expected: string;
  readonly found: string;
  /** The instant around which to look, in milliseconds after the start. */
  readonly at?: number;
}

/** Every expectation that was not met, in the order of the file. */
export function judge(played: Played): Failure[] {
  const { expect } = played.scenario;
  const mishaps = played.mishaps.map((found) => ({ about: "the run itself", expected: "no mishap", found }));
  if (expect === "silence") return [...mishaps, ...silence(played)];
  return [
    ...mishaps,
    ...incidentsAsExpected(played, expect),
    ...alertsAsExpected(played, expect),
    ...noticesAsExpected(played, expect),
    ...suppressionsAsExpected(played, expect),
  ];
}

function silence(played: Played): Failure[] {
  // The notifications of an incident follow from its state.
  const delivered = played.incidents.length > 0 ? [] : played.deliveries.filter(({ status }) => status === "delivered");
  return [
    ...played.incidents.map((incident) => ({
      about: "silence",
      expected: "no incident",
      found: describe(incident),
      ...openedAt(incident, played),
    })),
    ...delivered.map((delivery) => ({
      about: "silence",
      expected: "no notice",
      found: `${delivery.channel} was told: ${delivery.event} of ${delivery.incident}`,
      at: delivery.at.getTime() - played.scenario.start,
    })),
  ];
}

function incidentsAsExpected(played: Played, { incidents }: Expectations): Failure[] {
  if (incidents === undefined) return [];
  const expected =
    typeof incidents === "number"
      ? Array.from({ length: incidents }, (): ExpectedIncident => ({ moments: {} }))
      : incidents;
  const found = [...played.incidents];
  const failures: Failure[] = [];
  const pairs = expected.map((want) => ({ want, got: undefined as PlayedIncident | undefined }));
  // Those whose cause is as expected belong together, whatever their order; the others go by their order.
  for (const pair of pairs) {
    const index = found.findIndex(
      ({ fields }) =>
        pair.want.root_cause !== undefined && anyOf(pair.want.root_cause).includes(String(fields["root_cause"])),
    );
    if (index >= 0) pair.got = found.splice(index, 1)[0];
  }
  for (const pair of pairs) pair.got ??= found.shift();
  for (const [index, { want, got }] of pairs.entries()) {
    const about = `incident ${index + 1}`;
    if (got === undefined) {
      const cause = want.root_cause === undefined ? "" : ` with root_cause ${anyOf(want.root_cause).join(" or ")}`;
      failures.push({ about, expected: `an incident${cause}`, found: "no incident" });
    } else failures.push(...incidentAsExpected(about, want, got, played));
  }
  for (const extra of found) {
    const count = expected.length === 0 ? "no incident" : `${expected.length} and no more`;
    failures.push({ about: "incidents", expected: count, found: describe(extra), ...openedAt(extra, played) });
  }
  return failures;
}

function incidentAsExpected(about: string, want: ExpectedIncident, got: PlayedIncident, played: Played): Failure[] {
  const { start } = played.scenario;
  const failures: Failure[] = [];
  const miss = (what: string, expected: string, found: string, at?: number): void => {
    failures.push({
      about: `${about}, ${what}`,
      expected,
      found,
      ...(at === undefined ? openedAt(got, played) : { at }),
    });
  };
  const { fields } = got;
  failures.push(...momentAsExpected(about, want, fields, openedAt(got, played).at));
  const outage = outageOf(played);
  const opened = instantOf(fields, "opened_at") - start;
  if (want.opened_within !== undefined) {
    const late = lateness(opened, want.opened_within, outage.from);
    if (late !== undefined) miss("opened_within", late, `it opened at ${clock(opened)}`, opened);
  }
  if (want.resolved_within !== undefined) {
    const resolved = instantOf(fields, "resolved_at") - start;
    const late = lateness(resolved, want.resolved_within, outage.to);
    if (late !== undefined) {
      const found = Number.isNaN(resolved)
        ? `it is ${fields["status"]} at the end`
        : `it was resolved at ${clock(resolved)}`;
      miss("resolved_within", late, found, Number.isNaN(resolved) ? played.scenario.until : resolved);
    }
  }
  const evidence = lines(fields["evidence"]);
  if (want.also_broken !== undefined) {
    const title = played.scenario.plan.graph.component(want.also_broken).title;
    if (!evidence.some((line) => line.startsWith(`Also broken, ${title}:`))) {
      miss("also_broken", title, also(evidence));
    }
  }
  for (const key of ["components", "alerts"] as const) {
    const has = lines(fields[key]);
    const lacking = (want[key] ?? []).filter((name) => !has.includes(name));
    if (lacking.length > 0) miss(key, `among them ${lacking.join(", ")}`, has.join(", "));
  }
  for (const key of [...plainFields, ...listFields, "timeline"] as const) {
    const text = writtenIn(fields[key]);
    for (const part of anyOf(want[key] ?? [])) if (!text.includes(part)) miss(key, `the text "${part}"`, text);
  }
  const [first = "no next step"] = lines(fields["next_steps"]);
  for (const part of anyOf(want.first_step ?? []))
    if (!first.includes(part)) miss("first_step", `the text "${part}"`, first);
  const recorded = [...plainFields, ...listFields, "candidates"]
    .map((key) => writtenIn(ownEntry(fields, key)))
    .join("\n");
  for (const part of anyOf(want.never_says ?? [])) {
    const where = recorded.toLowerCase().indexOf(part.toLowerCase());
    if (where >= 0) miss("never_says", `nothing of "${part}"`, recorded.slice(Math.max(0, where - 120), where + 120));
  }
  failures.push(...exclusionsIn(about, want.not ?? {}, fields, openedAt(got, played)));
  if (want.events !== undefined) {
    const events = eventsOf(got.id, played).map(({ event }) => event);
    if (!follows(events, want.events, (event, wanted) => event === wanted)) {
      miss("events", want.events.join(", "), events.join(", "));
    }
  }
  for (const [when, moment] of Object.entries(want.moments)) {
    const at = instantIn(when);
    const then = got.versions.findLast((version) => version.at <= start + at);
    if (then === undefined) miss(when, "the incident", "it was not open yet", at);
    else failures.push(...momentAsExpected(`${about}, ${when}`, moment, then.fields, at));
  }
  return failures;
}

/** Fields of an incident that people read: texts, and lists of them. */
const plainFields = ["title", "summary", "impact", "postmortem"] as const;
const listFields = ["evidence", "whys", "next_steps"] as const;

/** A field as one text. */
function writtenIn(value: Value | undefined): string {
  if (!Array.isArray(value)) return typeof value === "string" ? value : "";
  return value.map((entry) => (typeof entry === "string" ? entry : JSON.stringify(entry))).join("\n");
}

/** Returns the texts and values that an incident contains but must not contain. */
function exclusionsIn(about: string, not: Excluded, fields: Fields, at: { at: number }): Failure[] {
  const found = (key: string, unwanted: string, text: string): Failure => ({
    about: `${about}, not ${key}`,
    expected: `not "${unwanted}"`,
    found: text,
    ...at,
  });
  const members = (["components", "alerts"] as const).flatMap((key) => {
    const has = lines(fields[key]);
    return (not[key] ?? []).filter((name) => has.includes(name)).map((name) => found(key, name, has.join(", ")));
  });
  const texts = (["title", "summary", "impact", "evidence", "timeline", "postmortem"] as const).flatMap((key) => {
    const text = Array.isArray(fields[key]) ? lines(fields[key]).join("\n") : String(fields[key]);
    return anyOf(not[key] ?? [])
      .filter((part) => text.includes(part))
      .map((part) => found(key, part, text));
  });
  const cause = String(fields["root_cause"]);
  const causes = anyOf(not.root_cause ?? []).includes(cause) ? [found("root_cause", cause, cause)] : [];
  return [...causes, ...members, ...texts];
}

function momentAsExpected(about: string, want: Moment, fields: Fields, at: number | undefined): Failure[] {
  return (["root_cause", "verdict", "severity", "priority", "status"] as const).flatMap((key) => {
    const allowed = want[key] === undefined ? [] : anyOf(want[key]);
    const found = String(fields[key]);
    if (allowed.length === 0 || allowed.includes(found)) return [];
    return [{ about: `${about}, ${key}`, expected: allowed.join(" or "), found, ...(at === undefined ? {} : { at }) }];
  });
}

function alertsAsExpected({ alerts, scenario: { start } }: Played, expect: Expectations): Failure[] {
  return Object.entries(expect.alerts ?? {}).flatMap(([when, wanted]) => {
    const at = instantIn(when);
    return Object.entries(wanted).flatMap(([rule, expected]) => {
      const latest = new Map<string, string>();
      for (const change of alerts)
        if (change.rule === rule && change.at <= start + at) latest.set(change.key, change.status);
      const states = [...latest.values()];
      const found = states.includes("firing") ? "firing" : states.includes("pending") ? "pending" : "inactive";
      return found === expected ? [] : [{ about: `${when}, alert "${rule}"`, expected, found, at }];
    });
  });
}

function noticesAsExpected(played: Played, { notifications }: Expectations): Failure[] {
  if (notifications === undefined) return [];
  const { start, plan } = played.scenario;
  return plan.configuration.channels.flatMap(({ name }): Failure[] => {
    const wanted = ownEntry(notifications, name) ?? [];
    if (wanted === "any") return [];
    const delivered = played.deliveries
      .filter(({ channel, status }) => channel === name && status === "delivered")
      .sort((a, b) => deliveredAt(a) - deliveredAt(b) || a.sequence - b.sequence);
    const about = `channel ${name}`;
    if (!follows(delivered, wanted, isNotice)) {
      const found = delivered.map((delivery) => `${delivery.event} at ${clock(deliveredAt(delivery) - start)}`);
      const expected = wanted.map((notice) => (typeof notice === "string" ? notice : notice.event));
      const at = delivered[0] === undefined ? {} : { at: deliveredAt(delivered[0]) - start };
      return [{ about, expected: expected.join(", ") || "nothing", found: found.join(", ") || "nothing", ...at }];
    }
    return detailsAsExpected(about, delivered, wanted, played);
  });
}

function detailsAsExpected(
  about: string,
  delivered: readonly Delivery[],
  wanted: readonly ExpectedNotice[],
  played: Played,
): Failure[] {
  const rest = [...delivered];
  const outage = outageOf(played);
  return wanted.flatMap((notice): Failure[] => {
    if (typeof notice === "string") {
      if (notice !== "...") rest.splice(0, rest.findIndex(({ event }) => event === notice) + 1);
      return [];
    }
    const index = rest.findIndex(({ event }) => event === notice.event);
    const delivery = rest[index];
    rest.splice(0, index + 1);
    if (delivery === undefined) return [];
    const at = deliveredAt(delivery) - played.scenario.start;
    const text = textOf(delivery);
    const late = notice.within === undefined ? undefined : lateness(at, notice.within, outage.from);
    return [
      ...anyOf(notice.text ?? [])
        .filter((part) => !text.includes(part))
        .map((part) => ({ about: `${about}, ${notice.event}`, expected: `the text "${part}"`, found: text, at })),
      ...anyOf(notice.not ?? [])
        .filter((part) => text.includes(part))
        .map((part) => ({ about: `${about}, ${notice.event}`, expected: `not the text "${part}"`, found: text, at })),
      ...(late === undefined
        ? []
        : [{ about: `${about}, ${notice.event}`, expected: late, found: `delivered at ${clock(at)}`, at }]),
    ];
  });
}

function suppressionsAsExpected({ deliveries }: Played, { suppressed = [] }: Expectations): Failure[] {
  const withheld = deliveries.filter(({ status }) => status === "suppressed");
  return suppressed.flatMap(({ channel, event, reason }) => {
    const here = withheld.filter(
      (delivery) => delivery.channel === channel && (event ?? delivery.event) === delivery.event,
    );
    if (here.some((delivery) => delivery.reason.includes(reason ?? ""))) return [];
    const found = here.map((delivery) => `${delivery.event}: ${delivery.reason}`).join("; ") || "nothing was withheld";
    const because = reason === undefined ? "" : ` because of "${reason}"`;
    return [{ about: `suppressed for ${channel}`, expected: `${event ?? "a notice"} withheld${because}`, found }];
  });
}

/** Everything that happened to an incident, in order. */
export function eventsOf(id: string, { events }: Played): IncidentEvent[] {
  return events.filter(({ incident }) => incident === id).sort((a, b) => a.sequence - b.sequence);
}

/** A delivered notice as plain text: all texts of its payload. */
export function textOf({ payload }: Delivery): string {
  const texts: string[] = [];
  const gather = (value: unknown): void => {
    if (typeof value === "string") texts.push(value.startsWith("{") ? unfolded(value, gather) : value);
    else if (typeof value === "object" && value !== null) for (const inner of Object.values(value)) gather(inner);
  };
  gather(JSON.parse(payload ?? "null"));
  return texts.filter((text) => text !== "").join("\n");
}

/** The texts inside a body that is JSON itself. */
function unfolded(text: string, gather: (value: unknown) => void): string {
  try {
    gather(JSON.parse(text));
    return "";
  } catch {
    return text;
  }
}

/** `12m30s`: an instant as the file writes it, in milliseconds after the start. */
export function clock(milliseconds: number): string {
  return formatDuration(Math.round(milliseconds / 1000) * 1000);
}

/** When the trouble of the timeline begins and ends, in milliseconds after the start. */
export function outageOf({ scenario }: Played): { from: number; to: number } {
  const phases = scenario.phases.filter(
    ({ effect }) => effect.what === "outcome" || effect.what === "metric" || effect.what === "finding",
  );
  const interval = scenario.interval ?? 60_000;
  const failing = [...scenario.outcomes.values()].flatMap((points) =>
    points.flatMap(({ what }, index) => (typeof what === "string" ? [] : [index * interval])),
  );
  const from = Math.min(...phases.map((phase) => phase.from), ...failing);
  const to = Math.max(
    ...phases.map((phase) => Math.min(phase.to, scenario.until)),
    ...failing.map((at) => at + interval),
  );
  return { from: Number.isFinite(from) ? from : 0, to: Number.isFinite(to) ? to : 0 };
}

function lateness(at: number, { within, after }: Within, anchor: number): string | undefined {
  const from = after ?? anchor;
  const late = Number.isNaN(at) || at < from || at > from + within;
  return late
    ? `within ${formatDuration(within)} after ${formatDuration(from)}, that is until ${clock(from + within)}`
    : undefined;
}

/** Returns true if a list matches; `...` stands for any number of entries. */
function follows<Got, Want>(
  got: readonly Got[],
  wanted: readonly Want[],
  matches: (got: Got, want: Want) => boolean,
): boolean {
  const [want, ...rest] = wanted;
  if (want === undefined) return got.length === 0;
  if (want === "...")
    return got.some((_, index) => follows(got.slice(index), rest, matches)) || follows([], rest, matches);
  const [first, ...others] = got;
  return first !== undefined && matches(first, want) && follows(others, rest, matches);
}

function isNotice({ event }: Delivery, wanted: ExpectedNotice): boolean {
  return event === (typeof wanted === "string" ? wanted : wanted.event);
}

function deliveredAt({ delivered_at, at }: Delivery): number {
  return (delivered_at ?? at).getTime();
}

function describe({ id, fields }: PlayedIncident): string {
  return `${id} (${fields["severity"]}, ${fields["verdict"]}): ${fields["title"]}`;
}

function openedAt({ fields }: PlayedIncident, { scenario }: Played): { at: number } {
  return { at: instantOf(fields, "opened_at") - scenario.start };
}

function also(evidence: readonly string[]): string {
  const found = evidence.filter((line) => line.startsWith("Also broken"));
  return found.length === 0 ? "nothing else is called broken" : found.join("; ");
}

function lines(value: Value | undefined): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function anyOf(value: string | readonly string[]): readonly string[] {
  return typeof value === "string" ? [value] : value;
}

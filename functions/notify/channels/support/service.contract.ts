/** The contract between a channel kind and its service: every message is checked against the service's schema and limits. */
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { audiences } from "../../../../shared/config/notification.ts";
import { type IncidentEvent, incidentEventKinds } from "../../../../shared/messages/incident-event.ts";
import { severities } from "../../../../shared/messages/severity.ts";
import { anyCharacter, fc } from "../../../../tests/support/chance.ts";
import { repetitions } from "../../../../tests/support/repetitions.ts";
import type { AnyChannelKind, Notice, Outgoing } from "../../channel.ts";
import { incidentEvent, noticeOf } from "../../fixtures.ts";
import { characters, limitText } from "../../text/limits.ts";

/** Schema of a text: bounded, without lone surrogates. */
export const text = (most: number, least = 1): z.ZodString =>
  z
    .string()
    .refine(
      (value) => characters(value) >= least && characters(value) <= most,
      `must have ${least} to ${most} characters`,
    )
    .refine((value) => value.isWellFormed(), "must not hold half a character");

/** Schema of a URL. */
export const address: z.ZodURL = z.url({ protocol: /^https?$/ });

/**
 * Checks every message of a kind against the schema that its service documents. The schema is strict, so a field unknown to the service is
 * an error.
 * @param form schema of the JSON in the body
 * @param given settings.
 * @default the example of the kind
 */
export function serviceContract(kind: AnyChannelKind, form: z.ZodType, given: unknown = parse(kind.example)): void {
  describe(`the service behind ${kind.kind}, with ${Object.keys(given as object).join(" and ")}`, () => {
    const settings = kind.settings.parse(given);

    it("accepts every message", () => {
      fc.assert(
        fc.property(notices, (notice) => {
          expect(mistakesIn(kind.render(settings, notice), form)).toEqual([]);
        }),
        { numRuns: repetitions(60), seed: 20250916 },
      );
    });

    it("refuses a message with an unknown field", () => {
      const outgoing = kind.render(settings, noticeOf(incidentEvent()));
      if (outgoing.transport !== "http") throw new Error(`${kind.kind} sends no request`);
      const body = JSON.stringify({ ...JSON.parse(outgoing.body), nonsense: 1 });
      expect(mistakesIn({ ...outgoing, body }, form)).not.toEqual([]);
    });

    mostNeeded(kind, given);
  });
}

/** Checks that messages of a kind keep within its own limits, contain the most important parts, and state how much was folded. */
export function mostNeeded(kind: AnyChannelKind, given: unknown = parse(kind.example)): void {
  const settings = kind.settings.parse(given);

  it("stays within its limits", () => {
    fc.assert(
      fc.property(notices, (notice) => {
        expect(overLimits(kind, kind.render(settings, notice))).toEqual([]);
      }),
      { numRuns: repetitions(60), seed: 20250916 },
    );
  });

  it("contains the most important parts, and the number of folded items", () => {
    fc.assert(
      fc.property(notices, (notice) => {
        const outgoing = kind.render(settings, notice);
        if (saysNothing(outgoing)) return;
        const said = textsOf(outgoing);
        const { event, audience, url = "" } = notice;
        const isPlain = audience !== "engineers" && !kind.ownForm;
        const needed = [
          event.severity,
          event.priority,
          ...(event.status === "resolved" ? [] : ["What it costs"]),
          event.incident,
          url,
          ":58",
        ];
        for (const part of isPlain ? needed : [...needed, "What fails"]) expect(said).toContain(part);
        // When the incident is resolved, the notice omits its past symptoms and next steps.
        if (isPlain || kind.ownForm || event.status === "resolved") return;
        for (const [name, list] of [
          ["component", event.components],
          ["alert", event.alerts],
          ["evidence", event.evidence],
          ["why", event.whys],
          ["step", event.next_steps ?? []],
        ] as const) {
          const shown = new Set([...said.matchAll(new RegExp(`${name}(\\d+)end`, "g"))].map(([, at]) => at)).size;
          const folded = list.length - shown;
          const counted = new RegExp(`\\b(and ${folded} more|see the incident for all ${folded})\\b`);
          if (folded > 0) expect(said, `${folded} of ${list.length} in ${name}`).toMatch(counted);
        }
      }),
      { numRuns: repetitions(60), seed: 20250916 },
    );
  });
}

/** Returns the errors for which a service would refuse a message; empty if it accepts the message. */
export function mistakesIn(outgoing: Outgoing, form: z.ZodType): string[] {
  if (outgoing.transport !== "http") return ["no request"];
  const { error } = form.safeParse(JSON.parse(outgoing.body));
  return error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`) ?? [];
}

/** Returns the limits of a kind that a message exceeds. */
export function overLimits({ limits = [] }: AnyChannelKind, outgoing: Outgoing): string[] {
  if (outgoing.transport === "page") return [];
  const message: unknown =
    outgoing.transport === "smtp" ? { text: outgoing.text, html: outgoing.html } : JSON.parse(outgoing.body);
  return limits.filter(({ most, measure }) => measure(message) > most).map(limitText);
}

/** Texts as broken and hostile targets produce them, from empty to far too long. */
const nasty = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: anyCharacter, maxLength: 400 }) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        fc.constantFrom("&", "<b>", "*_`~|", '"\\', "👩‍🚒🔥", "障害", "e\u0301", "\ud83d", "\r\n", "@everyone ", "x"),
        fc.nat(3_000),
      )
      .map(([unit, times]) => unit.repeat(times)),
  },
  { weight: 1, arbitrary: fc.constantFrom("", " ", "https://evil.example", "<!channel>", "{{DATE(2017-02-14)}}") },
);

const many = (name: string): fc.Arbitrary<string[]> =>
  fc.array(nasty, { maxLength: 60 }).map((texts) => texts.map((text, at) => `${name}${at}end ${text}`));

const events: fc.Arbitrary<IncidentEvent> = fc
  .record({
    event: fc.constantFrom(...incidentEventKinds),
    severity: fc.constantFrom(...severities),
    priority: fc.constantFrom("P0", "P1", "P2", "P3"),
    root_cause: fc.constantFrom("vpc-connector", "unknown"),
    summary: nasty.map((text) => `What fails ${text}`),
    impact: nasty.map((text) => `What it costs ${text}`),
    change: nasty,
    title: nasty.map((text) => `A title ${text}`),
    components: many("component"),
    alerts: many("alert"),
    evidence: many("evidence"),
    whys: many("why"),
    next_steps: many("step"),
  })
  .map((changes) =>
    incidentEvent({
      ...changes,
      ...(changes.event === "resolved" ? { status: "resolved", resolved_at: "2025-09-16T12:30:00.000Z" } : {}),
    } as Partial<IncidentEvent>),
  );

/** Notices of every event, for every audience, with such texts. */
export const notices: fc.Arbitrary<Notice> = fc
  .record({
    event: events,
    audience: fc.constantFrom(...audiences),
    environment: nasty,
    cause: nasty,
    own: fc.boolean(),
  })
  .map(({ event, audience, environment, cause, own }) => ({
    ...noticeOf(event),
    audience,
    environment: `Environment ${environment}`,
    rootCause: { title: `Cause ${cause}`, team: cause },
    ...(own ? { template: { title: "${title}", lead: "Own ${cause}", body: "One\n${impact}\n${components}" } } : {}),
  }));

/** Returns all texts of a message, with escapes reversed. */
function textsOf(outgoing: Outgoing): string {
  const collect = (value: unknown): string[] => {
    if (typeof value === "string") return [value];
    return typeof value === "object" && value !== null ? Object.values(value).flatMap(collect) : [];
  };
  if (outgoing.transport === "page") return "";
  const said = outgoing.transport === "smtp" ? outgoing.text : collect(JSON.parse(outgoing.body)).join("\n");
  return said.replaceAll("&amp;", "&").replaceAll("\\", "");
}

/** Requests that close alerts contain no further text. */
function saysNothing(outgoing: Outgoing): boolean {
  return outgoing.transport === "http" && /"event_action":"(acknowledge|resolve)"/.test(outgoing.body);
}

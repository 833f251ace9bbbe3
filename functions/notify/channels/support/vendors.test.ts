/** Whatever an incident is like, every service takes what it is told, and what people need most is in it. */

import { describe, expect, it } from "vitest";
import { audiences } from "../../../../shared/config/notification.ts";
import { type IncidentEvent, incidentEventKinds } from "../../../../shared/messages/incident-event.ts";
import { severities } from "../../../../shared/messages/severity.ts";
import { fc } from "../../../../tests/support/chance.ts";
import type { AnyChannelKind, Notice, Outgoing } from "../../channel.ts";
import { incidentEvent, noticeOf } from "../../fixtures.ts";
import { channels } from "../index.ts";
import { cardMistakes, vendorMistakes, vendors } from "./vendors.fixtures.ts";

const secret = { secret: "some-secret" };
const settings: Readonly<Record<string, readonly (readonly [kind: string, settings: object])[]>> = {
  email: [["email", { to: ["a@example.com"] }]],
  slack: [
    ["slack", { url: secret }],
    ["slack", { token: secret, channel: "C0123456789" }],
  ],
  pagerduty: [["pagerduty", { routing_key: secret }]],
  opsgenie: [["opsgenie", { api_key: secret }]],
  webhook: [["webhook", { url: secret }]],
  google_chat: [["google_chat", { url: secret }]],
  teams: [["teams", { url: secret }]],
  discord: [["discord", { url: secret }]],
};
const all = Object.values(settings).flat();

/** Texts as broken and hostile targets make them, from empty to far too long. */
const nasty = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: "binary", maxLength: 400 }) },
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

const notices: fc.Arbitrary<Notice> = fc
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

/** Every text of a message, with what its form needs escaped as it was. */
function textsOf(outgoing: Outgoing): string {
  const collect = (value: unknown): string[] => {
    if (typeof value === "string") return [value];
    return typeof value === "object" && value !== null ? Object.values(value).flatMap(collect) : [];
  };
  if (outgoing.transport === "page") return "";
  const said = outgoing.transport === "smtp" ? outgoing.text : collect(JSON.parse(outgoing.body)).join("\n");
  return said.replaceAll("&amp;", "&").replaceAll("\\", "");
}

/** Closings of alerts say nothing more. */
function saysNothing(outgoing: Outgoing): boolean {
  return outgoing.transport === "http" && /"event_action":"(acknowledge|resolve)"/.test(outgoing.body);
}

describe("every service", () => {
  it("is known here", () => {
    const posting = Object.keys(channels).filter((kind) => kind !== "email" && kind !== "status_page");
    expect(vendors.toSorted()).toEqual(posting.toSorted());
    expect(Object.keys(settings).toSorted()).toEqual([...posting, "email"].toSorted());
  });

  it.each(all)("%s takes every message", (kind, given) => {
    const channel = channels[kind] as AnyChannelKind;
    const parsed = channel.settings.parse(given);
    fc.assert(
      fc.property(notices, (notice) => {
        expect(vendorMistakes(kind, channel.render(parsed, notice))).toEqual([]);
      }),
      { numRuns: 60, seed: 20250916 },
    );
  });

  it.each(all)("%s is told what people need most, and how much was folded", (kind, given) => {
    const channel = channels[kind] as AnyChannelKind;
    const parsed = channel.settings.parse(given);
    fc.assert(
      fc.property(notices, (notice) => {
        const outgoing = channel.render(parsed, notice);
        if (saysNothing(outgoing)) return;
        const said = textsOf(outgoing);
        const { event, audience, url = "" } = notice;
        const isPlain = audience !== "engineers" && kind !== "webhook";
        const needed = [event.severity, event.priority, "What it costs", event.incident, url, "11:58:00"];
        for (const part of isPlain ? needed : [...needed, "What fails"]) expect(said).toContain(part);
        if (isPlain || kind === "webhook") return;
        for (const [name, list] of [
          ["component", event.components],
          ["alert", event.alerts],
          ["evidence", event.evidence],
          ["why", event.whys],
          ["step", event.next_steps ?? []],
        ] as const) {
          const shown = new Set([...said.matchAll(new RegExp(`${name}(\\d+)end`, "g"))].map(([, at]) => at)).size;
          const folded = list.length - shown;
          const counted = new RegExp(`\\b(and ${folded} more|all ${folded} stand in the incident)\\b`);
          if (folded > 0) expect(said, `${folded} of ${list.length} in ${name}`).toMatch(counted);
        }
      }),
      { numRuns: 60, seed: 20250916 },
    );
  });

  it("folds of a webhook what is too much, and says so in numbers", () => {
    const evidence = Array.from({ length: 200 }, (_, at) => `${at} ${"x".repeat(290)}`);
    const channel = channels["webhook"] as AnyChannelKind;
    const outgoing = channel.render(channel.settings.parse({ url: secret }), noticeOf(incidentEvent({ evidence })));
    const { data } = JSON.parse(outgoing.transport === "http" ? outgoing.body : "{}");
    expect(data.evidence.length + data.folded.evidence).toBe(200);
  });
});

describe("the examiners themselves", () => {
  it.each<[string, object, string]>([
    ["slack", { text: "x", blocks: [], unfurl_links: false, unfurl_media: false }, "blocks"],
    ["discord", { content: "x".repeat(2_001), embeds: [], allowed_mentions: { parse: [] } }, "content"],
    ["pagerduty", { event_action: "trigger", dedup_key: "x", payload: { summary: "" } }, ""],
    ["opsgenie", { message: "x".repeat(131) }, ""],
    ["google_chat", { fallbackText: "x", thread: { threadKey: "x" }, cardsV2: [] }, "cardsV2"],
  ])("object to a wrong message for %s", (kind, message, path) => {
    const outgoing = {
      transport: "http",
      method: "POST",
      url: "",
      headers: {},
      body: JSON.stringify(message),
      allowPrivate: false,
    } as const;
    expect(vendorMistakes(kind, outgoing).join()).toContain(path);
    expect(vendorMistakes(kind, outgoing)).not.toEqual([]);
  });

  it("read cards with Microsoft's own library", () => {
    const run = { type: "RichTextBlock", inlines: [{ type: "TextRun", text: "x", color: "Purple" }] };
    expect(cardMistakes({ type: "AdaptiveCard", version: "1.2", body: [run, { type: "Nope" }] })).toEqual([
      'Invalid value "Purple" for property "color".',
      'Unknown element type "Nope". Fallback will be used if present.',
    ]);
  });
});

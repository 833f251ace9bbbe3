import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { TemplateTexts } from "../../../shared/config/templates.ts";
import { repetitions } from "../../../tests/support/repetitions.ts";
import type { AnyChannelKind, Notice } from "../channel.ts";
import { channels } from "../channels/index.ts";
import { hostileNotices } from "../channels/support/hostile.fixtures.ts";
import { overLimits } from "../channels/support/service.contract.ts";
import { deliveryId } from "../deliver/ledger.ts";
import { configurationOf, incidentEvent, noon, noticeOf, resolvedEvent } from "../fixtures.ts";
import { wording } from "../text/notice-text.ts";
import { plan } from "./plan.ts";
import { templateFor } from "./template.ts";

function written(template: TemplateTexts, notice: Notice = noticeOf(incidentEvent())): ReturnType<typeof wording> {
  return wording({ ...notice, timezone: "Etc/UTC", template });
}

function exampleOf(kind: AnyChannelKind): unknown {
  return kind.settings.parse(parse(kind.example));
}

const fact = (words: ReturnType<typeof wording>, name: string): string | undefined =>
  words.facts.find(({ label }) => label === name)?.value;

describe("a template", () => {
  it("replaces parts of a notice", () => {
    const words = written({
      title: "[${priority}] ${environment}: ${title}",
      lead: "${what} It began ${since}, and costs: ${impact}.",
      body: "Please join the bridge.\n\n${team} is called.",
    });
    expect(words.state).toBe("[P0] Netra staging: Netra staging: VPC connector failing");
    expect(words.what).toBe(
      "The VPC connector is saturated; the backend answers 503. It began 2025-09-16 11:58 UTC, and costs: $500K+ ARR pipeline blocked.",
    );
    expect(words.paragraphs).toEqual(["Please join the bridge.", "infrastructure is called."]);
  });

  it("turns replaced content that it omits into a fact", () => {
    const words = written({ title: "Trouble", lead: "Something is wrong." });
    expect(words.facts.slice(0, 3)).toEqual([
      { label: "State", value: "NEW INCIDENT · critical P0 · Netra staging" },
      { label: "What", value: "The VPC connector is saturated; the backend answers 503." },
      { label: "Impact", value: "$500K+ ARR pipeline blocked" },
    ]);
    expect(fact(written({ title: "${state}, ${severity}" }), "State")).toBeUndefined();
    expect(fact(written({ lead: "It is so.", body: "${what}" }), "What")).toBeUndefined();
  });

  it("has a placeholder for unknown values", () => {
    const unknown = noticeOf(incidentEvent({ root_cause: "unknown", impact: "" }));
    const lead = "It comes from ${cause}; ${impact}; over: ${resolved}; so far ${lasted}.";
    expect(written({ lead }, unknown).what).toBe(
      "It comes from a cause that is not known yet; not known yet; over: not yet; so far 2 min.",
    );
    expect(written({ lead: "$${what}" }).what).toBe("${what}");
  });

  it("shows no texts from targets to audiences other than engineers", () => {
    const event = incidentEvent({ summary: "TARGET", evidence: ["TARGET"], whys: ["TARGET"], alerts: ["TARGET"] });
    const notice = { ...noticeOf(event), audience: "executives" } as const;
    expect(JSON.stringify(written({ lead: "${what} ${alerts}", body: "${what}" }, notice))).not.toContain("TARGET");
  });

  it.each(Object.entries(channels).filter(([, { ownForm = false }]) => !ownForm))(
    "is rendered in %s, with escaping",
    (_, kind) => {
      const template = { title: "Title ${title}", lead: "<b>Lead</b> ${what}", body: "Body & more" };
      const event = incidentEvent({ title: "<script>alert(1)</script>" });
      const outgoing = kind.render(exampleOf(kind), { ...noticeOf(event), template });
      const said = outgoing.transport === "http" ? JSON.stringify(JSON.parse(outgoing.body)) : JSON.stringify(outgoing);
      for (const part of ["Title", "Lead", "Body"]) expect(said).toContain(part);
      if (outgoing.transport === "smtp") expect(outgoing.html).not.toMatch(/<script|<b>Lead/);
    },
  );

  const hostile = hostileNotices.slice(0, repetitions(hostileNotices.length));
  it.each(hostile)("that replaces every part keeps messages within their limits with %s", (_, notice) => {
    const long = `\${title} \${what} \${impact} \${components}`;
    const template = { title: long, lead: `${long} ${"x".repeat(400)}`, body: `${long}\n`.repeat(40) };
    for (const kind of Object.values(channels)) {
      const outgoing = kind.render(exampleOf(kind), { ...notice, template });
      expect(Buffer.byteLength(JSON.stringify(outgoing)), kind.kind).toBeLessThan(64_000);
      expect(overLimits(kind, outgoing), kind.kind).toEqual([]);
    }
  });
});

describe("selection among several templates", () => {
  it.each<[string, Parameters<typeof templateFor>[1], TemplateTexts]>([
    ["the first that matches the reader", { audience: "sales", event: "opened", channel: "mail" }, { title: "sales" }],
    [
      "for each part, the first that has it",
      { audience: "support", event: "resolved", channel: "mail" },
      { title: "over", lead: "for all" },
    ],
    ["for an event", { audience: "engineers", event: "resolved", channel: "chat" }, { title: "over", lead: "chat" }],
    ["none", { audience: "engineers", event: "opened", channel: "mail" }, {}],
  ])("%s", (_, notice, texts) => {
    const templates = [
      { audiences: ["sales"] as const, title: "sales" },
      { events: ["resolved"] as const, title: "over" },
      { channels: ["chat"], lead: "chat" },
      { events: ["resolved"] as const, lead: "for all" },
    ];
    expect(templateFor(templates, notice)).toEqual(texts);
  });
});

describe("the subject", () => {
  it("stays that of the first notice until the end", () => {
    const mail = { name: "mail", kind: "email", settings: { to: ["a@example.com"] } };
    const templates = [{ subject: "${severity}: ${title}" }];
    const configuration = { ...configurationOf([mail]), templates };
    const context = { configuration, kinds: channels, silences: [] };
    const [first] = plan(incidentEvent({ severity: "warning" }), { ...context, ledger: [] }, noon).deliveries;
    const said = (payload: unknown): string => (payload as { subject: string }).subject;
    const subject = "warning: Netra staging: VPC connector failing";
    expect(said(first?.payload)).toBe(`[WARNING] ${subject} · 20250916-120000-vpc-connector`);
    expect(first?.title).toBe(subject);
    const delivery = {
      incident: incidentEvent().incident,
      event: "opened",
      channel: "mail",
      kind: "email",
      sequence: 1,
      at: new Date(noon),
      title: subject,
      status: "delivered",
      reason: "",
      attempts: [],
      attempt_count: 1,
      planned_at: new Date(noon),
      expires_at: new Date(noon),
    } as const;
    const ledger = [{ id: deliveryId(incidentEvent(), "mail"), delivery }];
    const [last] = plan(resolvedEvent(), { ...context, ledger }, noon).deliveries;
    expect(said(last?.payload)).toBe(`[RESOLVED] ${subject} · 20250916-120000-vpc-connector`);
  });
});

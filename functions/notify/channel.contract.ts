/** The contract of every channel kind: one suite, run over the whole registry. */
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { audiences } from "../../shared/config/notification.ts";
import { type IncidentEvent, incidentEventKinds } from "../../shared/messages/incident-event.ts";
import type { AnyChannelKind, Outgoing, Reply } from "./channel.ts";
import { SecretFiller } from "./deliver/secrets.ts";
import { incidentEvent, noticeOf, resolvedEvent } from "./fixtures.ts";

/** Texts as a hostile or broken target could put them into an event. */
const hostile = `<script>alert(1)</script>"'&\r\nBcc: evil@example.com\u0000\u2028${"é".repeat(50_000)}`;

/** Runs the suite for one kind. */
export function channelContract(name: string, kind: AnyChannelKind): void {
  describe(`the channel ${name}`, () => {
    const settings = kind.settings.parse(parse(kind.example));

    it("is registered under its kind, with a sentence as its title", () => {
      expect(kind.kind).toBe(name);
      expect(kind.title).toMatch(/^[A-Z].*\.$/);
    });

    it("builds the schema of its settings once", () => {
      expect(kind.settings).toBe(kind.settings);
    });

    it("describes every setting, and refuses unknown ones", () => {
      const schema = z.toJSONSchema(kind.settings, { io: "input" });
      for (const [setting, described] of Object.entries(schema.properties ?? {})) {
        expect(described, setting).toMatchObject({ description: expect.stringMatching(/\.$/) });
      }
      expect(kind.settings.safeParse({ ...parse(kind.example), nonsense: 1 }).success).toBe(false);
    });

    it.each(incidentEventKinds)("renders %s deterministically, as JSON, from frozen input", (event) => {
      const notice = deepFreeze(noticeOf(incidentEvent({ event, status: event === "resolved" ? "resolved" : "open" })));
      const outgoing = kind.render(deepFreeze(settings), notice);
      expect(kind.render(settings, notice)).toEqual(outgoing);
      expect(JSON.parse(JSON.stringify(outgoing))).toEqual(outgoing);
    });

    // Public channels receive no fire drills.
    const drilled = kind.public ? [] : audiences;
    it.each(drilled)("marks a fire drill, for %s", (audience) => {
      const drill: Partial<IncidentEvent> = {
        drill: true,
        incident: "20250916-120000-fire-drill",
        title: "Fire drill: notifications from Netra staging arrive",
        summary: "This is a fire drill: nothing is broken.",
        severity: "info",
      };
      const opened = JSON.stringify(kind.render(settings, { ...noticeOf(incidentEvent(drill)), audience }));
      expect(opened).toMatch(/fire drill/i);
      expect(opened).not.toContain("NEW INCIDENT");
      expect(opened).not.toContain("needs attention");
      const resolved = kind.render(settings, { ...noticeOf(resolvedEvent(drill)), audience });
      expect(JSON.stringify(resolved)).toMatch(/fire.drill/i);
      expect(JSON.stringify(resolved)).not.toContain("The trouble");
    });

    it.each(audiences)("escapes and bounds hostile texts in every field, for %s", (audience) => {
      const outgoing = kind.render(settings, {
        ...noticeOf(
          incidentEvent({
            summary: hostile,
            change: hostile,
            title: hostile,
            impact: hostile,
            root_cause: hostile,
            components: Array(100).fill(hostile),
            alerts: Array(100).fill(hostile),
            evidence: Array(100).fill(hostile),
            whys: Array(100).fill(hostile),
            next_steps: Array(100).fill(hostile),
            team: hostile,
          }),
        ),
        environment: hostile,
        rootCause: { title: hostile, team: hostile },
        audience,
      });
      expect(Buffer.byteLength(JSON.stringify(outgoing))).toBeLessThan(64_000);
      expectHarmless(outgoing);
    });

    it("reads only the secrets in its settings, whatever the texts of the incident", async () => {
      const foreign = "${secret:foreign} $${secret:foreign} ${secret: ${x} \\${secret:foreign} $\ud83d{secret:foreign}";
      const list = Array(5).fill(foreign);
      const outgoing = kind.render(settings, {
        ...noticeOf(
          incidentEvent({
            summary: foreign,
            change: foreign,
            title: foreign,
            impact: foreign,
            root_cause: foreign,
            team: foreign,
            components: list,
            alerts: list,
            evidence: list,
            whys: list,
            next_steps: list,
          }),
        ),
        environment: foreign,
        threadTitle: foreign,
        rootCause: { title: foreign, team: foreign },
        key: `${foreign}:opened:ops`,
        thread: `${foreign}:opened:ops`,
      });
      if (outgoing.transport === "page") return;
      const asked: string[] = [];
      const filler = new SecretFiller({
        read: async (name) => {
          asked.push(name);
          return "https://example.com/s3cret-value";
        },
      });
      if (outgoing.transport === "smtp") await filler.url(outgoing.server.url, ["https:"]);
      else {
        await filler.url(outgoing.url, ["https:"]);
        for (const value of Object.values(outgoing.headers)) await filler.text(value);
        const said = JSON.stringify(JSON.parse(await filler.json(outgoing.body)));
        expect(said).toContain("secret:foreign");
      }
      expect(asked).not.toContain("foreign");
      expect(asked.length).toBeGreaterThan(0);
    });

    it("sends the opening and the resolution, whatever else it omits", () => {
      expect([kind.omitted?.opened, kind.omitted?.resolved]).toEqual([undefined, undefined]);
    });

    it("states in plain words what happened, since when, and where to find more", () => {
      const event = incidentEvent();
      const outgoing = kind.render(settings, noticeOf(event));
      const said = JSON.stringify(outgoing);
      if (outgoing.transport === "page") {
        // Everybody reads it: internal details must not even be in the stored payload.
        for (const part of [event.summary, event.impact, event.title, event.change, ...event.evidence, ...event.whys])
          expect(said).not.toContain(part);
        expect(said).toContain(":58");
        return;
      }
      for (const part of [event.incident, event.summary, event.impact, ":58", ...event.evidence, ...event.whys]) {
        expect(said).toContain(part);
      }
    });

    it.each(audiences)("carries the link to the incident, for %s", (audience) => {
      const notice = { ...noticeOf(incidentEvent()), audience };
      const outgoing = kind.render(settings, notice);
      // A status page is public: the link is for colleagues.
      if (outgoing.transport === "page") expect(JSON.stringify(outgoing)).not.toContain("console.example.com");
      else if (outgoing.transport === "smtp") {
        expect(outgoing.text).toContain(notice.url);
        expect(outgoing.html).toContain(`href="${notice.url?.replace("&", "&amp;")}"`);
      } else expect(outgoing.body.replaceAll("&amp;", "&")).toContain(notice.url);
      const { url: _, ...without } = notice;
      expect(JSON.stringify(kind.render(settings, without))).not.toMatch(/console\.example\.com|Open the incident/);
    });

    it("classifies every status, and only 2xx as delivered", () => {
      const statuses = Array.from({ length: 600 }, (_, status) => status);
      for (const status of statuses) {
        const { outcome, answer } = kind.classify({ status, headers: {}, body: "" });
        expect(outcome === "delivered", `${status}`).toBe(status >= 200 && status < 300);
        expect(answer).not.toBe("");
      }
    });

    it.each<[string, string]>([
      ["ECONNREFUSED", "retry"],
      ["ECONNRESET", "retry, unsure whether it arrived"],
      ["ETIMEDOUT", "retry, unsure whether it arrived"],
      ["ENOTFOUND", "retry"],
      ["ESECRET", "retry"],
      ["ESETTINGS", "retry, correctable"],
      ["EPRIVATE", "rejected"],
      ["EUNKNOWN", "retry, unsure whether it arrived"],
      // TLS failed before any data was sent: it cannot have arrived.
      ["ETLS", "retry"],
      ["EPROTO", "retry"],
      ["ERR_TLS_CERT_ALTNAME_INVALID", "retry"],
      ["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", "retry"],
      ["DEPTH_ZERO_SELF_SIGNED_CERT", "retry"],
      ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "retry"],
      ["CERT_HAS_EXPIRED", "retry"],
    ])("classifies the error %s as %s", (code, expected) => {
      const reply: Reply = { error: "what happened", code };
      const [outcome, how] = expected.split(", ");
      const read = {
        outcome,
        answer: "what happened",
        ...(how === undefined ? {} : { [how.split(" ")[0] ?? ""]: true }),
      };
      expect(kind.classify(reply)).toEqual(read);
    });
  });
}

function expectHarmless(outgoing: Outgoing): void {
  if (outgoing.transport === "http") {
    expect(() => JSON.parse(outgoing.body)).not.toThrow();
    return;
  }
  if (outgoing.transport === "page") {
    expect(JSON.stringify(outgoing)).not.toContain("<script");
    return;
  }
  expect(outgoing.html).not.toContain("<script");
  expect(outgoing.text).not.toMatch(/^Bcc:/m);
  for (const value of [outgoing.subject, outgoing.messageId, ...Object.values(outgoing.headers)]) {
    expect(value).not.toMatch(/[\r\n\0]/);
    expect(value.length).toBeLessThan(250);
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null)
    for (const part of Object.values(Object.freeze(value))) deepFreeze(part);
  return value;
}

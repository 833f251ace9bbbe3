import { describe, expect, it } from "vitest";
import { readIncident } from "../../../shared/documents/incident.ts";
import { type Swimlane, swimlaneOf } from "../../../shared/picture/swimlane.ts";
import type { Fields } from "../../../shared/ports.ts";
import type { OutgoingMail } from "../channel.ts";
import { configurationOf, incidentEvent, noticeOf, resolvedEvent } from "../fixtures.ts";
import { plan } from "../plan/plan.ts";
import { email } from "./email.ts";

function mailOf(changes: Parameters<typeof incidentEvent>[0] = {}, timezone = "Etc/UTC"): OutgoingMail {
  const settings = email.settings.parse({ to: ["infra@example.com"] });
  return email.render(settings, { ...noticeOf(incidentEvent(changes)), timezone }) as OutgoingMail;
}

describe("settings", () => {
  it("require only the recipients", () => {
    expect(email.settings.parse({ to: ["infra@example.com"] })).toEqual({
      to: ["infra@example.com"],
      from: "Pathkeeper <pathkeeper@localhost>",
      server: "${secret:smtp-url}",
    });
  });

  it.each<[object, string]>([
    [{ to: [] }, "must name at least one mail address"],
    [{ to: ["infra"] }, "must be a mail address such as team@example.com"],
    [{ to: ["a@example.com\nBcc: b@example.com"] }, "must be a mail address such as team@example.com"],
    [{ from: "Ops <ops@example.com>\r\nBcc: x@example.com" }, "must be an address: Name <name@example.com>"],
    [{ server: "smtp://user:password@mail.example.com" }, "must be smtp://host:port without user and password"],
    [{ server: "https://mail.example.com" }, "must be smtp://host:port without user and password"],
  ])("refuse %j", (changes, message) => {
    const { error } = email.settings.safeParse({ to: ["infra@example.com"], ...changes });
    expect(error?.issues.map((issue) => issue.message).join()).toContain(message);
  });
});

describe("a mail", () => {
  it("begins with the state, followed by the key facts", () => {
    const evidence = [...incidentEvent().evidence, "It began when the traffic doubled."];
    const steps = ["Give the connector more instances.", "Look at what opens connections."];
    expect(mailOf({ evidence, next_steps: steps }).text).toBe(`NEW INCIDENT · critical P0 · Netra staging

The VPC connector is saturated; the backend answers 503.

Root cause: VPC connector (90% sure)
Evidence: The connector is at 98 % of its capacity.
The same target answers through the other path.
First step: Give the connector more instances.

Open the incident: https://console.example.com/incidents/20250916-120000-vpc-connector?project=netra&view=panel

Impact: $500K+ ARR pipeline blocked
Responsible layer: the platform
Owner: infrastructure
Affected: VPC connector, Backend
Alerts: connector full, backend-health failing
Since: 2025-09-16 11:58 UTC
Incident: 20250916-120000-vpc-connector

More next steps:
- Look at what opens connections.

More evidence:
- It began when the traffic doubled.

Why:
- The backend answers 503.
- Because it gets no database connection.

Full record: the document 20250916-120000-vpc-connector in the Firestore collection incidents.
To acknowledge it, set status to acknowledged there. To mute it, set silenced_until.
`);
  });

  it.each<[string, string]>([
    ["Etc/UTC", "Since: 2025-09-16 11:58 UTC\n"],
    ["Europe/Berlin", "Since: Tue, 16 Sept 2025, 13:58 CEST\n"],
  ])("shows times in %s", (timezone, line) => {
    expect(mailOf({}, timezone).text).toContain(line);
  });

  it("says that the cause is not known", () => {
    const { text } = mailOf({ root_cause: "unknown", verdict: "unknown" });
    for (const line of ["Root cause: not known yet\n", "Responsible layer: not known yet\n"])
      expect(text).toContain(line);
  });

  it("counts the sentences that it leaves out", () => {
    const evidence = Array.from({ length: 15 }, (_, n) => `Fact ${n + 1}.`);
    expect(mailOf({ evidence }).text).toContain("- Fact 12.\n- … and 3 more, in the incident\n");
  });

  it("keeps its subject after the state, and stays in the thread until the all-clear", () => {
    const opened = mailOf({ title: "[P0] Connector [staging] failing" });
    const resolved = mailOf({ ...resolvedEvent(), title: "[P0] Connector [staging] failing" });
    const topic = "P0 Connector staging failing · 20250916-120000-vpc-connector";
    expect(opened.subject).toBe(`[CRITICAL] ${topic}`);
    expect(resolved.subject).toBe(`[RESOLVED] ${topic}`);
    expect([opened.inReplyTo, resolved.inReplyTo]).toEqual([undefined, opened.messageId]);
    expect([opened, resolved].map(({ headers }) => headers["Thread-Topic"])).toEqual([topic, topic]);
    // Outlook: 22 bytes for the thread, and 5 more for a reply.
    const [first, reply] = [opened, resolved].map(({ headers }) =>
      Buffer.from(headers["Thread-Index"] ?? "", "base64"),
    );
    expect([first?.length, reply?.length]).toEqual([22, 27]);
    expect(reply?.subarray(0, 22)).toEqual(first);
    expect([opened, resolved].map(({ headers }) => headers["Importance"])).toEqual(["High", undefined]);
  });

  it("uses the past tense when resolved, without symptoms or next steps", () => {
    const { text, html } = mailOf(
      resolvedEvent({ impact: "Nobody can log in", next_steps: ["Give the connector room."] }),
    );
    for (const said of [text, html])
      for (const part of ["Nobody can log in", "Give the connector room", "is at 98 %", "Next steps"])
        expect(said).not.toContain(part);
    expect(text).toContain("Lasted: 32 min");
  });

  it("contains no bidirectional control characters", () => {
    const turned = "invoice \u202egpj.exe\u2066 \u200fx";
    const mail = mailOf({
      title: turned,
      summary: turned,
      impact: turned,
      evidence: [turned],
      whys: [turned],
      change: turned,
    });
    expect(JSON.stringify(mail)).not.toMatch(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/);
  });

  it("has a List-Unsubscribe header only if configured", () => {
    const settings = email.settings.parse({ to: ["a@example.com"], unsubscribe: "mailto:ops@example.com" });
    const mail = email.render(settings, noticeOf(incidentEvent())) as OutgoingMail;
    expect(mail.headers["List-Unsubscribe"]).toBe("<mailto:ops@example.com>");
    expect(mailOf().headers).not.toHaveProperty("List-Unsubscribe");
  });

  it("escapes texts from targets in HTML", () => {
    const { html } = mailOf({ summary: `<img src=x onerror="alert('1')"> & more`, evidence: ["</ul><script>"] });
    expect(html).toContain("&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt; &amp; more");
    expect(html).toContain("<br>&lt;/ul&gt;&lt;script&gt;</p>");
  });
});

describe("the timeline in a mail", () => {
  const instant = (clock: string): Date => new Date(`2025-09-16T${clock}:00Z`);
  const failed = (component: string, title: string): Fields => ({
    ...{ component, title, trouble: "failed", from: instant("12:00"), until: null },
  });
  const document: Fields = {
    root_cause: "vpc-connector",
    affected: [failed("vpc-connector", "VPC <connector>"), failed("backend", "Backend")],
    symptoms: ["vpc-connector", "backend"].map((component) => ({
      ...{ check: component, kind: "probe", component, since: instant("12:00"), until: null, showed: "" },
    })),
    first_failure_at: instant("12:00"),
    opened_at: instant("12:02"),
  };
  const htmlFor = (audience: "engineers" | "executives"): string => {
    const settings = { to: ["ops@example.com"], from: "P <p@example.com>", server: "smtp://127.0.0.1:25" };
    const channel = { name: "ops", kind: "email", settings, audience };
    const now = Date.UTC(2025, 8, 16, 12, 10);
    const picture = (): Swimlane | undefined => swimlaneOf({ incident: readIncident(document), now });
    const context = { configuration: configurationOf([channel]), kinds: { email }, silences: [], ledger: [], picture };
    const { deliveries } = plan(incidentEvent({ at: "2025-09-16T12:10:00Z" }), context, now);
    const [delivery] = deliveries;
    return delivery === undefined ? "" : (delivery.payload as OutgoingMail).html;
  };

  it("is a table, because mail clients show no SVG", () => {
    const html = htmlFor("engineers");
    expect(html).toMatch(/<th scope="row"[^>]*font-weight:bold[^>]*>VPC &lt;connector&gt;<\/th>/);
    expect(html).toContain("cause, failed for 10 min");
    expect(html).not.toContain("<svg");
  });

  it("is for engineers only", () => {
    expect(htmlFor("executives")).toContain("<main");
    expect(htmlFor("executives").includes("<table")).toBe(false);
  });
});

import { describe, expect, it } from "vitest";
import type { OutgoingMail } from "../channel.ts";
import { incidentEvent, noticeOf, resolvedEvent } from "../fixtures.ts";
import { email } from "./email.ts";

function mailOf(changes: Parameters<typeof incidentEvent>[0] = {}, timezone = "Etc/UTC"): OutgoingMail {
  const settings = email.settings.parse({ to: ["infra@example.com"] });
  return email.render(settings, { ...noticeOf(incidentEvent(changes)), timezone }) as OutgoingMail;
}

describe("settings", () => {
  it("need only who gets the mail", () => {
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
  it("says the state first and everything that people ask next", () => {
    expect(mailOf().text).toBe(`NEW INCIDENT · critical P0 · Netra staging

The VPC connector is saturated; the backend answers 503.

Open the incident: https://console.example.com/incidents/20250916-120000-vpc-connector?project=netra&view=panel

Impact: $500K+ ARR pipeline blocked
Root cause: VPC connector (90 % sure)
Responsible layer: the platform
Owner: infrastructure
Affected: vpc-connector, backend
Alerts: connector full, backend-health failing
Since: 2025-09-16 11:58:00 UTC
Opened: 2025-09-16 12:00:00 UTC
Incident: 20250916-120000-vpc-connector

Evidence:
- The connector is at 98 % of its capacity.
- The same target answers through the other path.

Why:
- The backend answers 503.
- Because it gets no database connection.

Everything known stands in the Firestore console: collection incidents, document 20250916-120000-vpc-connector.
To take it, set status to acknowledged in incidents/20250916-120000-vpc-connector. To mute it, set silenced_until there.
`);
  });

  it.each<[string, string]>([
    ["Etc/UTC", "Since: 2025-09-16 11:58:00 UTC\n"],
    ["Europe/Berlin", "Since: Tue, 16 Sept 2025, 13:58:00 CEST (2025-09-16 11:58:00 UTC)\n"],
  ])("tells times in %s", (timezone, line) => {
    expect(mailOf({}, timezone).text).toContain(line);
  });

  it("admits that the cause is not known", () => {
    expect(mailOf({ root_cause: "unknown", verdict: "unknown" }).text).toContain(
      "Root cause: not known yet\nResponsible layer: not known yet\n",
    );
  });

  it("says how many sentences it has left out", () => {
    const evidence = Array.from({ length: 15 }, (_, n) => `Fact ${n + 1}.`);
    expect(mailOf({ evidence }).text).toContain("- Fact 12.\n- … and 3 more, in the incident\n");
  });

  it("keeps its subject from the opening to the all-clear, without brackets, and joins the thread", () => {
    const opened = mailOf({ title: "[P0] Connector [staging] failing" });
    const resolved = mailOf({ ...resolvedEvent(), title: "[P0] Connector [staging] failing" });
    expect(opened.subject).toBe("P0 Connector staging failing · 20250916-120000-vpc-connector");
    expect(resolved.subject).toBe(opened.subject);
    expect([opened.inReplyTo, resolved.inReplyTo]).toEqual([undefined, opened.messageId]);
  });

  it("escapes what targets say in HTML", () => {
    const { html } = mailOf({ summary: `<img src=x onerror="alert('1')"> & more`, evidence: ["</ul><script>"] });
    expect(html).toContain("&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt; &amp; more");
    expect(html).toContain('<li style="margin:0 0 6px">&lt;/ul&gt;&lt;script&gt;</li>');
  });
});

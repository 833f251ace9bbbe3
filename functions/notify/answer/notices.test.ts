/** Which notices carry links, who receives them, and how they are signed on sending. */
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { ConfiguredChannel } from "../../../shared/config/model.ts";
import type { IncidentEvent } from "../../../shared/messages/incident-event.ts";
import type { Outgoing } from "../channel.ts";
import { channels as kinds } from "../channels/index.ts";
import { sender } from "../deliver/send.ts";
import { configurationOf, incidentEvent, mailInbox, noon, resolvedEvent, secretsOf, webInbox } from "../fixtures.ts";
import { compose } from "../plan/compose.ts";
import { answersUrl, linkKey } from "./answers.fixtures.ts";
import { answerActions, readLink, unsignedUrl } from "./link.ts";

const { incident } = incidentEvent();

function composed(
  channel: Partial<ConfiguredChannel> & Pick<ConfiguredChannel, "kind" | "settings">,
  event: IncidentEvent = incidentEvent(),
  url: string | null = answersUrl,
): Outgoing {
  const configured = { name: "ops", ...channel };
  const recipient = channel.kind === "email" ? "ana@example.com" : undefined;
  const context = {
    configuration: configurationOf([configured]),
    kinds,
    silences: [],
    ledger: [],
    answersUrl: url ?? undefined,
  };
  const outgoing = compose(event, configured, context, { recipient });
  if (typeof outgoing === "string") throw new Error(outgoing);
  return outgoing;
}

const mail = (server: string): Pick<ConfiguredChannel, "kind" | "settings"> => ({
  kind: "email",
  settings: { to: ["ana@example.com"], from: "shop@example.com", server },
});

/** Returns the actions of the links in an outgoing message. */
function actionsIn(outgoing: Outgoing): string[] {
  const links = outgoing.transport === "page" ? [] : (outgoing.links ?? []);
  return links.map(
    (link) => JSON.parse(Buffer.from(link.slice(answersUrl.length + 1).split(".")[0] ?? "", "base64url").toString())[0],
  );
}

describe("a notice", () => {
  it.each([
    [{}, "open", ["acknowledge", "silence"]],
    [{}, "acknowledged", ["resolve", "silence"]],
    [{}, "recovering", []],
    [{ audience: "engineers" }, "open", ["acknowledge", "silence"]],
    [{ audience: "executives" }, "open", []],
    [{ audience: "support", mayAct: true }, "open", ["acknowledge", "silence"]],
    [{ mayAct: false }, "open", []],
  ] as const)(
    "to a channel with %j, of an incident that is %s, links to the actions %j",
    (channel, status, actions) => {
      expect(actionsIn(composed({ ...mail("smtp://127.0.0.1"), ...channel }, incidentEvent({ status })))).toEqual(
        actions,
      );
    },
  );

  it("has no action links without a URL for answers, or when the incident is resolved", () => {
    expect(composed(mail("smtp://127.0.0.1"), incidentEvent(), null)).not.toHaveProperty("links");
    expect(composed(mail("smtp://127.0.0.1"), resolvedEvent())).not.toHaveProperty("links");
  });

  it("is the same each time it is planned, with links unique to it", () => {
    expect(composed(mail("smtp://127.0.0.1"))).toEqual(composed(mail("smtp://127.0.0.1")));
    const [one, other] = [incidentEvent(), incidentEvent({ event: "reminder", occurrence: 1 })].map((event) =>
      composed(mail("smtp://127.0.0.1"), event),
    );
    for (const link of one && one.transport !== "page" ? (one.links ?? []) : [])
      expect(JSON.stringify(other)).not.toContain(link);
  });

  it.each(Object.entries(kinds))("of the kind %s shows either all actions or none", (_, kind) => {
    const all = answerActions.map((action) => ({
      action,
      title: action,
      url: unsignedUrl(answersUrl, { action, incident, channel: "ops", notice: action }),
    }));
    const texts = Array(40).fill("é".repeat(3_000));
    const event = incidentEvent({
      evidence: texts,
      whys: texts,
      next_steps: texts,
      summary: texts.join(),
      impact: texts.join(),
    });
    const configuration = configurationOf([]);
    const notice = {
      event,
      environment: configuration.title,
      timezone: configuration.timezone,
      channel: "ops",
      components: configuration.components,
      rootCause: { title: "VPC connector" },
      key: "key",
      thread: "thread",
      threadTitle: "Shop",
      actions: all,
    };
    const settings = kind.settings.parse(parse(kind.example));
    const sent = JSON.stringify(kind.render(settings, notice));
    const shown = all.filter(({ url }) => sent.includes(url));
    expect([0, all.length]).toContain(shown.length);
    // A pager and a program acknowledge by their own means, and the public cannot act.
    expect(shown.length > 0).toBe(!(kind.lasting || kind.everyEvent || kind.public));
  });

  it("to a Slack app with a signing secret has buttons instead of links", () => {
    const settings = { token: { secret: "token" }, channel: "C0123456789", signing_secret: { secret: "signing" } };
    const outgoing = composed({ kind: "slack", settings }, incidentEvent({ status: "acknowledged" }));
    const { blocks } = JSON.parse(outgoing.transport === "http" ? outgoing.body : "");
    expect(blocks.find(({ type }: { type: string }) => type === "actions").elements).toEqual([
      expect.objectContaining({
        type: "button",
        action_id: "resolve",
        value: incident,
        style: "danger",
        confirm: expect.anything(),
      }),
      expect.objectContaining({ type: "button", action_id: "silence", value: incident }),
    ]);
    expect(outgoing).not.toHaveProperty("links");
    expect(JSON.stringify(outgoing)).not.toContain(answersUrl);
    expect(JSON.stringify(composed({ kind: "slack", settings }, incidentEvent(), undefined))).not.toContain(
      '"actions"',
    );
  });
});

describe("action links", () => {
  it("in a mail are signed for its recipient on sending, and the plan has no valid link", async () => {
    await using inbox = await mailInbox();
    const outgoing = composed(mail(inbox.url));
    await sender(secretsOf({ "answers-key": linkKey }))(outgoing, noon);
    const [received] = inbox.received;
    const html = typeof received?.html === "string" ? received.html : "";
    for (const text of [received?.text ?? "", html]) {
      const [found = ""] = new RegExp(`${answersUrl}/([\\w.-]+)`).exec(text)?.slice(1) ?? [];
      expect(readLink(found, linkKey, noon)).toMatchObject({
        action: "acknowledge",
        incident,
        channel: "ops",
        recipient: "ana@example.com",
        isExpired: false,
      });
    }
    for (const [, token = ""] of JSON.stringify(outgoing).matchAll(new RegExp(`${answersUrl}/([\\w.-]+)`, "g")))
      expect(readLink(token, linkKey, noon)).toBeUndefined();
  });

  it("written by a target into its response are not signed", async () => {
    await using inbox = await mailInbox();
    const planted = unsignedUrl(answersUrl, {
      action: "resolve",
      incident: "another",
      channel: "ops",
      recipient: "ana@example.com",
      notice: "planted",
    });
    const outgoing = composed(mail(inbox.url), incidentEvent({ summary: `See ${planted}` }));
    await sender(secretsOf({ "answers-key": linkKey }))(outgoing, noon);
    const tokens = [...(inbox.received[0]?.text ?? "").matchAll(new RegExp(`${answersUrl}/([\\w.-]+)`, "g"))].map(
      ([, token = ""]) => token,
    );
    expect(tokens.map((token) => readLink(token, linkKey, noon)?.incident)).toEqual([undefined, incident, incident]);
  });

  it("in a chat are signed in the request body, and redacted from the service's response", async () => {
    await using inbox = await webInbox((response, _, request) => {
      response.statusCode = 400;
      response.end(`refused ${request.method}: ${inbox.received[0]?.body.slice(0, 2_000)}`);
    });
    const outgoing = composed({ kind: "mattermost", settings: { url: { secret: "url" }, allow_private: true } });
    const reply = await sender(secretsOf({ "answers-key": linkKey, url: inbox.url }))(outgoing, noon);
    const [found = ""] = new RegExp(`${answersUrl}/([\\w.-]+)`).exec(inbox.received[0]?.body ?? "")?.slice(1) ?? [];
    expect(readLink(found, linkKey, noon)).toMatchObject({ action: "acknowledge", channel: "ops" });
    expect(JSON.stringify(reply)).not.toContain(found.split(".").at(-1));
  });

  it("stay unsigned without a key, and the notice arrives", async () => {
    await using inbox = await mailInbox();
    expect(await sender(secretsOf({}))(composed(mail(inbox.url)), noon)).toMatchObject({ status: 250 });
    expect(inbox.received[0]?.text).toContain("0".repeat(43));
  });
});

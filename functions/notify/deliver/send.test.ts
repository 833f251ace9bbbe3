import dns from "node:dns";
import { createServer } from "node:net";
import { Webhook } from "standardwebhooks";
import { describe, expect, it, onTestFinished } from "vitest";
import { dnsServer } from "../../../shared/net/dns.fixtures.ts";
import type { OutgoingMail, OutgoingRequest } from "../channel.ts";
import { email } from "../channels/email.ts";
import { webhook } from "../channels/webhook.ts";
import { incidentEvent, mailInbox, secretsOf, webInbox } from "../fixtures.ts";
import { sender } from "./send.ts";

const key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

function request(url: OutgoingRequest["url"], changes: Partial<OutgoingRequest> = {}): OutgoingRequest {
  return {
    transport: "http",
    v: 2,
    method: "POST",
    url,
    headers: { "content-type": "application/json" },
    body: '{"title":"Größe"}',
    allowPrivate: true,
    ...changes,
  };
}

function mail(url: OutgoingMail["server"]["url"], changes: Partial<OutgoingMail> = {}): OutgoingMail {
  return {
    transport: "smtp",
    v: 2,
    from: "Pathkeeper <pathkeeper@localhost>",
    to: ["infra@example.com"],
    subject: "Connector failing · 20250916",
    text: "NEW INCIDENT\n",
    html: "<p>NEW INCIDENT</p>",
    messageId: "<a.opened.mail@x.pathkeeper>",
    headers: { "Auto-Submitted": "auto-generated" },
    server: { url },
    ...changes,
  };
}

describe("a request", () => {
  it("is signed at the time of the attempt, with resolved secrets", async () => {
    await using inbox = await webInbox();
    const send = sender(secretsOf({ url: `${inbox.url}/hook?token=abcdefgh`, key, bearer: "Bearer 123" }));
    const outgoing = request("${secret:url}", {
      headers: { authorization: "${secret:bearer}" },
      signature: { id: "incident:opened:ops", keys: ["${secret:key}"] },
    });
    expect(await send(outgoing, Date.now())).toMatchObject({ status: 200, body: "ok" });
    const [received] = inbox.received;
    expect(received?.url).toBe("/hook?token=abcdefgh");
    expect(received?.headers).toMatchObject({ authorization: "Bearer 123", "webhook-id": "incident:opened:ops" });
    expect(new Webhook(key).verify(received?.body ?? "", received?.headers ?? {})).toEqual({ title: "Größe" });
  });

  it("adds a key after its scheme, and redacts it from the response", async () => {
    await using inbox = await webInbox((response, _, asked) => response.end(asked.headers.authorization));
    const outgoing = request(inbox.url, { headers: { authorization: "GenieKey ${secret:api}" } });
    const reply = await sender(secretsOf({ api: "canary-0123456789" }))(outgoing, 0);
    expect(inbox.received[0]?.headers["authorization"]).toBe("GenieKey canary-0123456789");
    expect(reply).toMatchObject({ status: 200, body: expect.stringMatching(/^GenieKey /) });
    expect(JSON.stringify(reply)).not.toContain("canary");
  });

  it("does not follow a redirect", async () => {
    await using target = await webInbox();
    await using inbox = await webInbox((response) => response.writeHead(302, { location: target.url }).end());
    const reply = await sender(secretsOf({}))(request(inbox.url), 0);
    expect(webhook.classify(reply)).toEqual({
      outcome: "rejected",
      answer: "302: redirects are not followed, configure the final address",
    });
    expect(target.received).toEqual([]);
  });

  it("uses the status if the body never ends", async () => {
    await using inbox = await webInbox((response) => {
      response.writeHead(200).write("x".repeat(100_000));
    });
    expect(await sender(secretsOf({}))(request(inbox.url), 0)).toEqual({
      status: 200,
      headers: expect.anything(),
      body: `${"x".repeat(199)}…`,
    });
  });

  it("uses the status if the body is truncated", async () => {
    await using inbox = await webInbox((response, _count, { socket }) => {
      response.writeHead(200, { "content-length": "10" });
      response.write("half", () => socket.destroy());
    });
    expect(await sender(secretsOf({}))(request(inbox.url), 0)).toMatchObject({ status: 200, body: "half" });
  });

  it.each<[string, Partial<OutgoingRequest>, string, string, string]>([
    ["a private address", { allowPrivate: false }, "https://127.0.0.1:1/", "EPRIVATE", "the address is private"],
    [
      "a name that resolves to a private address",
      { allowPrivate: false },
      "https://localhost:1/",
      "EPRIVATE",
      "the address is private",
    ],
    ["the metadata server", { allowPrivate: false }, "https://169.254.169.254/", "EPRIVATE", "the address is private"],
    ["plain http", { allowPrivate: false }, "http://example.com/", "ESETTINGS", "it must start with https://"],
    ["another scheme", {}, "file:///etc/passwd", "ESETTINGS", "it must start with https:// or http://"],
    ["an invalid URL", {}, "hooks.example.com", "ESETTINGS", "the address is not a URL"],
    [
      "a header with a line break",
      { headers: { "x-team": "a\r\nx: y" } },
      "http://127.0.0.1:1/",
      "ESETTINGS",
      "Invalid",
    ],
    [
      "an invalid key",
      { signature: { id: "a", keys: ["${secret:bad}"] } },
      "http://127.0.0.1:1/",
      "ESETTINGS",
      "the signing key is not base64",
    ],
  ])("is refused before sending for %s", async (_, changes, url, code, reason) => {
    const reply = await sender(secretsOf({ url, bad: "no key!" }))(request("${secret:url}", changes), 0);
    expect(reply).toMatchObject({ code, error: expect.stringContaining(reason) });
    // A wrong value of a secret can be corrected during retries; permitted destinations are decided by the configuration.
    const said = expect.stringContaining(reason);
    expect(webhook.classify(reply)).toEqual(
      code === "EPRIVATE"
        ? { outcome: "rejected", answer: said }
        : { outcome: "retry", answer: said, correctable: true },
    );
  });

  it("is retried if its secret cannot be read", async () => {
    const reply = await sender(secretsOf({}))(request("${secret:ops-url}"), 0);
    expect(reply).toEqual({
      error: "the secret ops-url cannot be read: no secret ops-url in the table",
      code: "ESECRET",
    });
    expect(webhook.classify(reply).outcome).toBe("retry");
  });

  it("is retried after a refused connection and after a reset", async () => {
    const closed = await webInbox();
    await closed[Symbol.asyncDispose]();
    expect(await sender(secretsOf({}))(request(closed.url), 0)).toMatchObject({ code: "ECONNREFUSED" });
    await using inbox = await webInbox((_response, _count, { socket }) => socket.resetAndDestroy());
    const reply = await sender(secretsOf({}))(request(inbox.url), 0);
    expect(reply).toMatchObject({ code: "ECONNRESET" });
    expect(webhook.classify(reply).outcome).toBe("retry");
  });

  it("ends at its deadline", async () => {
    await using inbox = await webInbox(() => {});
    const reply = await sender(secretsOf({}), { deadlineMs: 200 })(request(inbox.url), 0);
    expect(reply).toEqual({ error: "no answer within 0.2 s", code: "ETIMEDOUT" });
    expect(webhook.classify(reply).outcome).toBe("retry");
  });

  it("ends soon after its deadline if a secret is never read", async () => {
    const send = sender({ read: () => new Promise(() => {}) }, { deadlineMs: 50 });
    expect(await send(request("${secret:url}"), 0)).toMatchObject({ code: "ETIMEDOUT" });
  });

  it("redacts secrets that the receiver echoes", async () => {
    await using inbox = await webInbox((response, _count, { url, headers }) =>
      response.writeHead(400).end(`no ${url} with ${headers.authorization} ${headers.host}`),
    );
    const canaries = ["canary-path-1", "canary-query-2", "canary-bearer-3"];
    const send = sender(secretsOf({ url: `${inbox.url}/a/${canaries[0]}?t=${canaries[1]}`, bearer: `${canaries[2]}` }));
    const reply = JSON.stringify(
      await send(request("${secret:url}", { headers: { authorization: "${secret:bearer}" } }), 0),
    );
    expect(reply).toContain('"status":400');
    for (const canary of canaries) expect(reply).not.toContain(canary);
  });
});

describe("a mail", () => {
  it("arrives unchanged", async () => {
    await using inbox = await mailInbox();
    const outgoing = mail(inbox.url, { inReplyTo: "<root@x.pathkeeper>" });
    expect(await sender(secretsOf({}))(outgoing, 0)).toMatchObject({ status: 250 });
    expect(inbox.received).toEqual([
      expect.objectContaining({
        subject: outgoing.subject,
        text: outgoing.text,
        messageId: outgoing.messageId,
        inReplyTo: "<root@x.pathkeeper>",
        references: "<root@x.pathkeeper>",
      }),
    ]);
    expect(inbox.received[0]?.headers.get("auto-submitted")).toBe("auto-generated");
  });

  it("logs in with the password from its secret, and redacts it from a refusal", async () => {
    await using inbox = await mailInbox({
      authOptional: false,
      onAuth: ({ username, password }, _session, done) =>
        password === "p@ss word" ? done(null, { user: username }) : done(new Error(`Invalid login ${password}`)),
    });
    const url = (password: string): string =>
      inbox.url.replace("smtp://", `smtp://mailer:${encodeURIComponent(password)}@`);
    expect(await sender(secretsOf({ smtp: url("p@ss word") }))(mail("${secret:smtp}"), 0)).toMatchObject({
      status: 250,
    });
    const reply = await sender(secretsOf({ smtp: url("canary-password") }))(mail("${secret:smtp}"), 0);
    expect(reply).toMatchObject({ status: 535 });
    expect(email.classify(reply)).toMatchObject({ outcome: "retry", correctable: true });
    expect(JSON.stringify(reply)).not.toContain("canary-password");
  });

  it.each<[number, string]>([
    [451, "retry"],
    [550, "rejected"],
  ])("refused with %i is %s", async (responseCode, outcome) => {
    await using inbox = await mailInbox({
      onRcptTo: (_address, _session, done) => done(Object.assign(new Error("not now"), { responseCode })),
    });
    const reply = await sender(secretsOf({}))(mail(inbox.url), 0);
    expect(reply).toMatchObject({ status: responseCode, body: expect.stringContaining("not now") });
    expect(email.classify(reply).outcome).toBe(outcome);
  });

  it.each<[string, readonly number[], string, string]>([
    ["one transiently", [0, 451], "retry", "b@example.com"],
    ["one permanently", [0, 550, 0], "rejected", "b@example.com"],
    ["one transiently and one permanently", [550, 0, 452], "retry", "a@example.com, c@example.com"],
  ])("to several recipients, refused for %s, is not delivered", async (_, codes, outcome, refused) => {
    await using inbox = await mailInbox({
      onRcptTo: ({ address }, _session, done) => {
        const responseCode = codes["abc".indexOf(address.charAt(0))] ?? 0;
        done(responseCode === 0 ? null : Object.assign(new Error("not this one"), { responseCode }));
      },
    });
    const to = codes.map((_code, index) => `${"abc".charAt(index)}@example.com`);
    const reply = await sender(secretsOf({}))(mail(inbox.url, { to }), 0);
    expect(email.classify(reply)).toMatchObject({
      outcome,
      answer: expect.stringContaining(`not this one (refused for ${refused})`),
    });
  });

  it("ends at its deadline if the server is silent or never stops sending", async () => {
    for (const greeting of ["", "220-still busy\r\n"]) {
      const server = createServer((socket) => {
        socket.on("error", () => {});
        if (greeting !== "") {
          const talk = setInterval(() => socket.write(greeting), 20);
          socket.on("close", () => clearInterval(talk));
        }
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const { port } = server.address() as { port: number };
      const closed = new Promise((resolve) => server.once("connection", (socket) => socket.once("close", resolve)));
      expect(await sender(secretsOf({}), { deadlineMs: 300 })(mail(`smtp://127.0.0.1:${port}`), 0)).toEqual({
        error: "no answer within 0.3 s",
        code: "ETIMEDOUT",
        unsent: true,
      });
      await closed;
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it("cannot get more headers or recipients through a title or an address", async () => {
    await using inbox = await mailInbox();
    const settings = email.settings.parse({ to: ["infra@example.com"], server: inbox.url });
    const event = incidentEvent({ title: "x\r\nBcc: evil@example.com\r\n\r\n<script>", incident: "a\r\nX-Evil: 1" });
    const notice = {
      event,
      environment: "Netra",
      timezone: "Etc/UTC",
      channel: "ops",
      components: [],
      rootCause: { title: "VPC" },
      key: "a\r\nX-Evil: 1:opened:mail",
      thread: "b",
      threadTitle: event.title,
    };
    await sender(secretsOf({}))(email.render(settings, notice), 0);
    const [received] = inbox.received;
    expect([received?.headers.get("bcc"), received?.headers.get("x-evil")]).toEqual([undefined, undefined]);
    expect(received?.to).toMatchObject({ text: "infra@example.com" });
    expect(received?.subject).toBe("[CRITICAL] x Bcc: evil@example.com <script> · a X-Evil: 1");
    expect(received?.messageId).toBe("<a.X-Evil.1.opened.mail@netra-staging.pathkeeper>");
  });
});

describe("host names", () => {
  async function named(): Promise<void> {
    const server = await dnsServer({ "alive.test": ["127.0.0.1"], "dead.test": "silent", "broken.test": "SERVFAIL" });
    const before = dns.getServers();
    dns.setServers([server.address]);
    onTestFinished(async () => {
      dns.setServers(before);
      await server.stop();
    });
  }

  it("without a DNS response do not delay other channels", async () => {
    await named();
    await using inbox = await webInbox();
    await using mails = await mailInbox();
    const send = sender(secretsOf({}), { deadlineMs: 3_000 });
    let ended = 0;
    const dead = Array.from({ length: 10 }, async (_, at) => {
      const reply = await send(at % 2 === 0 ? request("http://dead.test/hook") : mail("smtp://dead.test:25"), 0);
      ended++;
      return reply;
    });
    expect(await send(request(inbox.url.replace("127.0.0.1", "alive.test")), 0)).toMatchObject({ status: 200 });
    expect(await send(mail(mails.url.replace("127.0.0.1", "alive.test")), 0)).toMatchObject({ status: 250 });
    expect(ended).toBe(0);
    for (const reply of await Promise.all(dead))
      expect(reply).toEqual({ error: "no answer within 3 s", code: "ETIMEDOUT", unsent: true });
  });

  it.each([
    ["broken.test", "EAI_AGAIN", "the name broken.test could not be looked up: the DNS server failed (SERVFAIL)"],
    ["no-such.test", "ENOTFOUND", "the name no-such.test does not exist (NXDOMAIN)"],
  ])("that cannot be resolved give the reason: %s", async (host, code, error) => {
    await named();
    const send = sender(secretsOf({}));
    expect(await send(request(`http://${host}/hook`), 0)).toEqual({ error, code });
    expect(await send(request(`https://${host}/hook`, { allowPrivate: false }), 0)).toEqual({ error, code });
    expect(await send(mail(`smtp://${host}:25`), 0)).toEqual({ error, code });
  });
});

/** Action links: who can use them, for what, how often and until when; and the messages accepted from other services. */
import { describe, expect, it } from "vitest";
import { MemoryStore } from "../../../shared/adapters/memory.ts";
import type { ConfiguredChannel } from "../../../shared/config/model.ts";
import type { Fields, Store } from "../../../shared/ports.ts";
import { channels as kinds } from "../channels/index.ts";
import { configurationOf, noon, rememberingLogger, secretsOf } from "../fixtures.ts";
import {
  answersUrl,
  linkKey,
  opened,
  opsgenieRequest,
  pagerDutyEvent,
  pagerDutyRequest,
  pressed,
  slackPayload,
  slackPress,
  slackRequest,
} from "./answers.fixtures.ts";
import { type AnswerResponse, answerHandler } from "./handler.ts";
import type { AnswerRequest } from "./incoming.ts";
import { type AnswerAction, type AnswerLink, linkValidMs, readLink, signedUrl, unsignedUrl } from "./link.ts";

const incident = "20250916-120000-database";
const another = "20250916-113000-cache";

const mail: ConfiguredChannel = { name: "mail", kind: "email", settings: { to: ["ana@example.com"] } };
const chat: ConfiguredChannel = { name: "chat", kind: "discord", settings: { url: { secret: "chat-url" } } };
const configured: readonly ConfiguredChannel[] = [
  mail,
  chat,
  { name: "boss", kind: "email", audience: "executives", settings: { to: ["boss@example.com"] } },
  { name: "muted", kind: "email", mayAct: false, settings: { to: ["muted@example.com"] } },
  {
    name: "slack",
    kind: "slack",
    settings: { token: { secret: "token" }, channel: "C0123456789", signing_secret: { secret: "slack-signing" } },
  },
  {
    name: "pager",
    kind: "pagerduty",
    settings: { routing_key: { secret: "key" }, webhook_secret: { secret: "pagerduty-webhook" } },
  },
  {
    name: "opsgenie",
    kind: "opsgenie",
    settings: { api_key: { secret: "key" }, webhook_token: { secret: "opsgenie-webhook" } },
  },
  {
    name: "jira",
    kind: "opsgenie",
    settings: {
      api_key: { secret: "key" },
      url: "https://api.atlassian.com/jsm/ops/integration",
      webhook_token: { secret: "opsgenie-webhook" },
    },
  },
  { name: "silent", kind: "pagerduty", settings: { routing_key: { secret: "key" } } },
  { name: "empty", kind: "opsgenie", settings: { api_key: { secret: "key" }, webhook_token: { secret: "blank" } } },
];

const secrets = {
  "answers-key": linkKey,
  "slack-signing": "slack signing secret",
  "pagerduty-webhook": "pagerduty webhook secret",
  "opsgenie-webhook": "opsgenie webhook token",
  blank: " ",
};

const link: AnswerLink = {
  action: "acknowledge",
  incident,
  channel: "mail",
  recipient: "ana@example.com",
  notice: "20250916-120000-database:opened:mail:ana@example.com",
};

/** Builds a signed link. @param at when it was sent */
function linkOf(changes: Partial<AnswerLink> = {}, at: number = noon, key: string = linkKey): string {
  return signedUrl(unsignedUrl(answersUrl, { ...link, ...changes }), key, at);
}

/** Creates a handler with the documents of two open incidents. */
async function setUp(
  given: { channels?: readonly ConfiguredChannel[]; secrets?: Record<string, string>; document?: Fields } = {},
) {
  const store = new MemoryStore();
  const document = {
    title: "Shop: <b>database</b> failing",
    summary: "The database refuses <script>everybody</script>.",
    status: "open",
    severity: "critical",
    opened_at: new Date(noon - 600_000),
    edited_by: null,
  };
  for (const id of [incident, another]) await store.set("incidents", id, { ...document, ...given.document });
  const reads: string[] = [];
  const watched: Pick<Store, "get" | "transaction"> = {
    get: (collection, id) => {
      reads.push(id);
      return store.get(collection, id);
    },
    transaction: (body) => {
      reads.push("transaction");
      return store.transaction(body);
    },
  };
  const clock = { time: noon, now: () => clock.time };
  const replies: [string, object][] = [];
  const logger = rememberingLogger();
  const handle = answerHandler({
    store: watched,
    secrets: secretsOf(given.secrets ?? secrets),
    clock,
    logger,
    configuration: configurationOf(given.channels ?? configured),
    kinds,
    answersUrl,
    reply: async (url, body) => void replies.push([url, body]),
  });
  const read = async (id: string = incident): Promise<Fields> => (await store.get("incidents", id)) ?? {};
  return { store, clock, replies, logger, reads, handle, read };
}

/** Returns whether nothing was written. */
async function isUntouched({ read }: Awaited<ReturnType<typeof setUp>>): Promise<boolean> {
  const documents = [await read(), await read(another)];
  return documents.every(
    (document) => document["status"] === "open" && document["edited_by"] === null && !("used_links" in document),
  );
}

const statusOf = ({ status }: AnswerResponse): number => status;

describe("an action link", () => {
  it("shows the incident and a button, and changes nothing until the button is pressed", async () => {
    const at = await setUp();
    for (const method of ["GET", "HEAD", "GET"] as const)
      expect((await at.handle(opened(linkOf(), method))).status).toBe(200);
    expect(await isUntouched(at)).toBe(true);
    const page = await at.handle(opened(linkOf()));
    expect(page.body).toContain("Shop: &lt;b&gt;database&lt;/b&gt; failing");
    expect(page.body).toContain('<button type="submit">Acknowledge</button>');
    expect(page.body).not.toMatch(/<script/);
    expect((await at.handle(opened(linkOf(), "HEAD"))).body).toBe("");
    expect(page.headers).toMatchObject({
      "cache-control": "no-store",
      "referrer-policy": "same-origin",
      "content-security-policy": expect.stringMatching(
        /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self';/,
      ),
    });

    expect(await at.handle(pressed(linkOf()))).toMatchObject({
      status: 200,
      body: expect.stringContaining("The incident is acknowledged. The monitor applies this within a minute."),
    });
    expect(await at.read()).toMatchObject({
      status: "acknowledged",
      edited_by: "ana@example.com",
      edits: { status: { by: "ana@example.com", via: "with a link" } },
    });
    expect(await at.read(another)).toMatchObject({ status: "open", edited_by: null });
  });

  it.each([
    ["silence", { silenced_until: new Date(noon + 3_600_000) }],
    ["resolve", { status: "resolved" }],
  ] as const)("can %s", async (action, written) => {
    const at = await setUp();
    await at.handle(pressed(linkOf({ action })));
    expect(await at.read()).toMatchObject(written);
  });

  it("works once, even after the acknowledgement is withdrawn", async () => {
    const at = await setUp();
    expect(statusOf(await at.handle(pressed(linkOf())))).toBe(200);
    await at.store.update("incidents", incident, { status: "open", edited_by: null });
    // When sent again a minute later, the same link has another expiry.
    for (const copy of [linkOf(), linkOf({}, noon + 60_000)]) {
      expect(await at.handle(pressed(copy))).toMatchObject({
        status: 410,
        body: expect.stringContaining("This link has been used before."),
      });
      expect((await at.handle(opened(copy))).body).not.toContain("<button");
    }
    expect(await at.read()).toMatchObject({ status: "open", edited_by: null });
    // A link from another notice is a different link.
    expect(statusOf(await at.handle(pressed(linkOf({ notice: "escalated" }))))).toBe(200);
  });

  it("changes the incident once when used twice concurrently", async () => {
    const at = await setUp();
    const answers = await Promise.all([pressed(linkOf()), pressed(linkOf())].map(at.handle));
    expect(answers.map(statusOf).toSorted()).toEqual([200, 410]);
  });

  it("is refused after it expires", async () => {
    const at = await setUp();
    at.clock.time = noon + linkValidMs - 1_000;
    expect(statusOf(await at.handle(opened(linkOf())))).toBe(200);
    at.clock.time = noon + linkValidMs;
    for (const request of [opened(linkOf()), pressed(linkOf())]) expect(statusOf(await at.handle(request))).toBe(410);
    expect(await isUntouched(at)).toBe(true);
  });

  /** Every change to a link that is possible without the key. */
  const forged: Readonly<Record<string, string>> = {
    "of another incident": withClaims(linkOf(), { 1: another }),
    "for another action": withClaims(linkOf(), { 0: "resolve" }),
    "of another reader": withClaims(linkOf(), { 3: "boss@example.com" }),
    "with a later expiry": linkOf().replace(/\.[0-9a-z]{7}(\.[^.]+)$/, ".zzzzzzz$1"),
    "signed with another key": linkOf({}, noon, "another key of at least thirty-two chars"),
    "that is not signed": unsignedUrl(answersUrl, link),
    "with another signature": linkOf().replace(/.$/, (last) => (last === "A" ? "E" : "A")),
    "with the signature of another link": linkOf().replace(
      /[^.]+$/,
      linkOf({ action: "resolve" }).split(".").at(-1) ?? "",
    ),
    "that is truncated": linkOf().slice(0, -3),
    "with extra characters at the end": `${linkOf()}A`,
    "with invalid claims": `${answersUrl}/${"A".repeat(40)}.0000000.${"0".repeat(43)}`,
    "that is a path": `${answersUrl}/../incidents`,
    "that is empty": `${answersUrl}/`,
    "that is too long": `${answersUrl}/${"A".repeat(100_000)}`,
  };

  it.each(Object.entries(forged))("%s is refused without reading the store", async (_, url) => {
    const at = await setUp();
    for (const request of [opened(url), opened(url, "HEAD"), pressed(url)])
      expect(statusOf(await at.handle(request))).toBe(404);
    expect(at.reads).toEqual([]);
  });

  it.each([
    ["no longer listed in the channel", [{ ...mail, settings: { to: ["bob@example.com"] } }]],
    ["whose channel was removed", [chat]],
    ["whose channel may no longer act", [{ ...mail, mayAct: false }]],
    ["whose channel has a new audience", [{ ...mail, audience: "sales" as const }]],
  ])("is refused for a reader %s", async (_, channels) => {
    const at = await setUp({ channels });
    for (const request of [opened(linkOf()), pressed(linkOf())]) expect(statusOf(await at.handle(request))).toBe(404);
    expect(at.reads).toEqual([]);
  });

  it.each([
    ["another site", { origin: "https://evil.example", "sec-fetch-site": "cross-site" }],
    ["another site in an old browser", { origin: "https://evil.example", "sec-fetch-site": undefined }],
    ["a sandboxed frame", { origin: "null", "sec-fetch-site": undefined }],
    ["another site on the same domain", { origin: "https://blog.example.com", "sec-fetch-site": "same-site" }],
    ["a client that is not a browser", { origin: undefined, "sec-fetch-site": undefined }],
    ["a script, as JSON", { "content-type": "application/json" }],
    ["a script, as text", { "content-type": "text/plain" }],
  ])("changes nothing when posted by %s", async (_, headers) => {
    const at = await setUp();
    expect(statusOf(await at.handle(pressed(linkOf(), {}, headers)))).toBe(403);
    expect(await isUntouched(at)).toBe(true);
  });

  it.each(["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])("refuses the method %s", async (method) => {
    const at = await setUp();
    expect(await at.handle({ ...pressed(linkOf()), method })).toMatchObject({
      status: 405,
      headers: { allow: "GET, HEAD, POST" },
    });
    expect(await isUntouched(at)).toBe(true);
  });

  it.each([
    ["open", "acknowledge", true],
    ["acknowledged", "acknowledge", "The incident is acknowledged already."],
    ["resolved", "resolve", "The incident is resolved already."],
    ["resolved", "acknowledge", "The incident is resolved already."],
    ["recovering", "resolve", true],
  ] as const)("for an incident that is %s, with the action %s: %j", async (status, action, expected) => {
    const at = await setUp({ document: { status } });
    const page = await at.handle(opened(linkOf({ action })));
    expect(page.body.includes("<button")).toBe(expected === true);
    if (expected === true) return;
    expect(page.body).toContain(expected);
    expect(await at.handle(pressed(linkOf({ action })))).toMatchObject({
      status: 409,
      body: expect.stringContaining(expected),
    });
    expect(await at.read()).toMatchObject({ status, edited_by: null });
  });

  it("returns 404 for an unknown incident", async () => {
    const at = await setUp();
    const url = linkOf({ incident: "20250101-000000-gone" });
    expect(statusOf(await at.handle(opened(url)))).toBe(404);
    expect(statusOf(await at.handle(pressed(url)))).toBe(404);
  });

  it("asks for a name when sent to a chat, and limits its length", async () => {
    const at = await setUp();
    const url = linkOf({ channel: "chat", recipient: undefined as never });
    expect((await at.handle(opened(url))).body).toContain('<input name="name"');
    await at.handle(pressed(url, { name: `  Ana\n<b>${"x".repeat(500)}` }));
    expect(String((await at.read())["edited_by"])).toMatch(/^Ana <b>x+…?$/);
    expect(String((await at.read())["edited_by"]).length).toBeLessThanOrEqual(80);
  });

  it.each([
    ["Ana", "Ana (chat)"],
    [" ", "somebody in chat"],
  ])("records an action in a chat by %j as %s", async (name, by) => {
    const at = await setUp();
    await at.handle(pressed(linkOf({ channel: "chat", recipient: undefined as never }), { name }));
    expect(await at.read()).toMatchObject({ edited_by: by });
  });

  it("is rate limited on its own, independently of other links and unsigned requests", async () => {
    const at = await setUp();
    const answers: number[] = [];
    for (let i = 0; i < 12; i++) answers.push((await at.handle(opened(linkOf()))).status);
    expect(answers).toEqual([...Array(10).fill(200), 429, 429]);
    const strangers: number[] = [];
    for (let i = 0; i < 70; i++) strangers.push((await at.handle(opened(`${answersUrl}/guess-${i}`))).status);
    expect(strangers.filter((status) => status === 404)).toHaveLength(60);
    expect(strangers.at(-1)).toBe(429);
    expect(statusOf(await at.handle(pressed(linkOf({ notice: "another" }))))).toBe(200);
    at.clock.time += 60_000;
    expect(statusOf(await at.handle(opened(linkOf())))).toBe(200);
  });

  it.each([
    ["is missing", {}],
    ["is too short", { "answers-key": "short" }],
  ])("returns 503 if the key %s, and keeps the key out of the log", async (_, table) => {
    const at = await setUp({ secrets: table });
    for (const request of [opened(linkOf()), pressed(linkOf())]) expect(statusOf(await at.handle(request))).toBe(503);
    expect(at.logger.lines.join()).toContain("answers-key");
    expect(at.logger.lines.join()).not.toContain("short ");
    expect(await isUntouched(at)).toBe(true);
  });

  it("keeps used ids for a week, and at most 200 of them", async () => {
    const used = Object.fromEntries(
      Array.from({ length: 250 }, (_, at) => [`link-${at}`, new Date(noon - 1_000 - at)]),
    );
    const at = await setUp({ document: { used_links: { ...used, old: new Date(noon - 8 * 86_400_000) } } });
    await at.handle(pressed(linkOf()));
    const kept = Object.keys((await at.read())["used_links"] as Fields);
    expect(kept).toHaveLength(200);
    expect(kept).not.toContain("old");
    expect(kept).toContain("link-0");
    expect(kept).not.toContain("link-249");
  });

  it("has the same length signed and unsigned, so that a message still fits when it is sent", () => {
    expect(linkOf()).toHaveLength(unsignedUrl(answersUrl, link).length);
    const longAfter = Date.UTC(2400, 0);
    expect(linkOf({}, longAfter)).toHaveLength(unsignedUrl(answersUrl, link).length);
    const token = linkOf({}, longAfter).slice(answersUrl.length + 1);
    expect(readLink(token, linkKey, longAfter)).toMatchObject({ isExpired: false, incident });
  });
});

describe("a message from another service", () => {
  type Way = readonly [
    name: string,
    request: (changes?: Readonly<Record<string, unknown>>) => AnswerRequest,
    by: string,
    via: string,
  ];
  const ways: readonly Way[] = [
    [
      "slack",
      (more = {}) => slackPress("slack", "slack signing secret", noon, slackPayload(incident, "acknowledge", more)),
      "ana",
      "in Slack",
    ],
    [
      "pager",
      (more = {}) => pagerDutyRequest("pager", "pagerduty webhook secret", pagerDutyEvent(incident, more)),
      "Ana Smith",
      "in PagerDuty",
    ],
    [
      "opsgenie",
      (more = {}) => opsgenieRequest("opsgenie", "opsgenie webhook token", incident, more),
      "ana@example.com",
      "in Opsgenie",
    ],
    [
      "jira",
      (more = {}) => opsgenieRequest("jira", "opsgenie webhook token", incident, more),
      "ana@example.com",
      "in Jira Service Management",
    ],
  ];

  it.each(ways)("through %s acknowledges the incident in the name of the person", async (_, request, by, via) => {
    const at = await setUp();
    expect(await at.handle(request())).toMatchObject({ status: 200, body: expect.stringContaining("is acknowledged") });
    expect(await at.read()).toMatchObject({ status: "acknowledged", edited_by: by, edits: { status: { by, via } } });
    expect(await at.read(another)).toMatchObject({ status: "open" });
  });

  it.each(ways)(
    "repeated through %s changes nothing, even after the acknowledgement is withdrawn",
    async (_, request) => {
      const at = await setUp();
      await at.handle(request());
      await at.store.update("incidents", incident, { status: "open", edited_by: null });
      expect(await at.handle(request())).toMatchObject({ status: 200, body: expect.stringContaining("used before") });
      expect(await at.read()).toMatchObject({ status: "open", edited_by: null });
    },
  );

  it.each(ways)(
    "through %s is refused without valid credentials, and without reading the store",
    async (_, request) => {
      const at = await setUp();
      const right = request();
      const changed = Buffer.concat([right.body, Buffer.from(" ")]);
      const isSigned = right.headers["authorization"] === undefined;
      for (const wrong of [
        { ...right, headers: {} },
        { ...right, headers: Object.fromEntries(Object.keys(right.headers).map((name) => [name, ""])) },
        {
          ...right,
          headers: Object.fromEntries(Object.entries(right.headers).map(([name, value]) => [name, `${value}0`])),
        },
        ...(isSigned ? [{ ...right, body: changed }] : []),
        ...["silent", "mail", "constructor", "nobody", "%", "empty"].map((name) => ({
          ...right,
          path: `/channels/${name}`,
        })),
      ])
        expect(statusOf(await at.handle(wrong))).toBe(401);
      expect(at.reads).toEqual([]);
    },
  );

  it.each(ways)("through %s is accepted only as POST", async (_, request) => {
    const at = await setUp();
    for (const method of ["GET", "HEAD", "PUT"]) expect(statusOf(await at.handle({ ...request(), method }))).toBe(405);
    expect(await isUntouched(at)).toBe(true);
  });

  it.each([
    ["a resolution in PagerDuty", ways[1], { event_type: "incident.resolved" }],
    ["a ping from PagerDuty", ways[1], { event_type: "pagey.ping", data: { message: "Hello", type: "ping" } }],
    [
      "our own acknowledgement in PagerDuty",
      ways[1],
      { agent: { type: "events_api_v2_inbound_integration_reference" } },
    ],
    ["an alert closed in Opsgenie", ways[2], { action: "Close" }],
    ["an alert without an alias in Opsgenie", ways[2], { alert: {} }],
    ["a button in another channel of Slack", ways[0], { channel: { id: "C9999999999" } }],
    [
      "a button of another app in Slack",
      ways[0],
      { actions: [{ action_id: "approve", value: incident, action_ts: "1" }] },
    ],
    ["a shortcut in Slack", ways[0], { type: "shortcut" }],
  ] as const)("%s is ignored", async (_, way, more) => {
    const at = await setUp();
    expect(await at.handle((way as Way)[1](more))).toMatchObject({ status: 200, body: "nothing to do\n" });
    expect(at.reads).toEqual([]);
  });

  it("about an outage before the relapse changes nothing", async () => {
    const relapses = [
      {
        resolved_at: new Date(noon + 900_000),
        failed_at: new Date(noon + 1_000_000),
        reopened_at: new Date(noon + 1_200_000),
        acknowledged_at: null,
      },
    ];
    const at = await setUp({ document: { relapses } });
    at.clock.time = noon + 1_500_000;
    const late = pagerDutyRequest("pager", "pagerduty webhook secret", pagerDutyEvent(incident));
    expect(await at.handle(late)).toMatchObject({
      status: 200,
      body: expect.stringContaining("before the incident came back"),
    });
    expect(await isUntouched(at)).toBe(true);
  });

  it("about an unknown incident is accepted, so that it is not sent again", async () => {
    const at = await setUp();
    const strange = pagerDutyRequest("pager", "pagerduty webhook secret", pagerDutyEvent("somebody-else"));
    expect(await at.handle(strange)).toMatchObject({ status: 200, body: expect.stringContaining("does not exist") });
  });

  it("from Slack is refused if older than five minutes", async () => {
    const at = await setUp();
    for (const off of [-301_000, 301_000]) {
      const old = slackPress("slack", "slack signing secret", noon + off, slackPayload(incident));
      expect(statusOf(await at.handle(old))).toBe(401);
    }
    expect(await isUntouched(at)).toBe(true);
  });

  it("from Slack is verified against the documented example signature", async () => {
    const secret = "8f742231b10e8888abcd99yyyzzz85a5";
    const body =
      "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    const request = slackRequest("slack", secret, 1_531_420_618_000, body);
    expect(request.headers["x-slack-signature"]).toBe(
      "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    );
    const at = await setUp({ secrets: { ...secrets, "slack-signing": secret } });
    at.clock.time = 1_531_420_618_000;
    expect(await at.handle(request)).toMatchObject({ status: 200, body: "nothing to do\n" });
  });

  it("from Slack gets a reply only at Slack's own URLs", async () => {
    const at = await setUp();
    await at.handle(ways[0]?.[1]() as AnswerRequest);
    expect(at.replies).toEqual([
      [
        "https://hooks.slack.com/actions/T0/1/abc",
        {
          response_type: "ephemeral",
          replace_original: false,
          text: "The incident is acknowledged. The monitor applies this within a minute.",
        },
      ],
    ]);
    const elsewhere = await setUp();
    await elsewhere.handle(ways[0]?.[1]({ response_url: "https://evil.example/" }) as AnswerRequest);
    expect(elsewhere.replies).toEqual([]);
    expect(await elsewhere.read()).toMatchObject({ status: "acknowledged" });
  });

  it.each(["silence", "resolve"] as const)("from Slack can also %s", async (action: AnswerAction) => {
    const at = await setUp();
    await at.handle(slackPress("slack", "slack signing secret", noon, slackPayload(incident, action)));
    expect(await at.read()).toMatchObject({ edited_by: "ana" });
  });

  it("gets 503 while the store is down, so that it is sent again", async () => {
    const handle = answerHandler({
      store: { get: () => Promise.reject(new Error("down")), transaction: () => Promise.reject(new Error("down")) },
      secrets: secretsOf(secrets),
      clock: { now: () => noon },
      logger: rememberingLogger(),
      configuration: configurationOf(configured),
      kinds,
      answersUrl,
      reply: async () => {},
    });
    for (const [, request] of ways) expect(statusOf(await handle(request()))).toBe(503);
    for (const request of [opened(linkOf()), pressed(linkOf())]) expect(statusOf(await handle(request))).toBe(503);
  });
});

/** Returns a link with changed claims and its original signature. */
function withClaims(url: string, changes: Readonly<Record<number, string>>): string {
  const [claims = "", ...rest] = url.slice(answersUrl.length + 1).split(".");
  const changed = Object.assign(JSON.parse(Buffer.from(claims, "base64url").toString()), changes);
  return `${answersUrl}/${[Buffer.from(JSON.stringify(changed)).toString("base64url"), ...rest].join(".")}`;
}

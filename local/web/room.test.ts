import { request } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { linkKey } from "../../functions/notify/answer/answers.fixtures.ts";
import { signedUrl, unsignedUrl } from "../../functions/notify/answer/link.ts";
import { answerListener } from "../../functions/notify/answer/serve.ts";
import { channels } from "../../functions/notify/channels/index.ts";
import { configurationOf, secretsOf } from "../../functions/notify/fixtures.ts";
import { stateLabels } from "../../functions/notify/pages/page-text.ts";
import type { MemoryStore } from "../../shared/adapters/memory.ts";
import { incidentLink } from "../../shared/incident-link.ts";
import { PublishError } from "../../shared/ports.ts";
import { silentLogger } from "../../shared/runtime/logger.ts";
import { filledStore, hostile, measurements, noon, openId, pastId, shop } from "./room.fixtures.ts";
import { type Answers, openRoom, type Room, type RoomOptions } from "./room.ts";

const token = "token-of-this-run";

async function opened(
  options: Partial<RoomOptions> = {},
): Promise<{ room: Room; store: MemoryStore; clock: { now: number } }> {
  const store = await filledStore();
  const clock = { now: noon };
  const room = await openRoom({
    sources: { store, configuration: shop, measurements, now: () => clock.now, freshMs: 0 },
    token,
    actions: { store, by: "Ana", drill: async () => "20250916-123000-fire-drill" },
    ...options,
  });
  onTestFinished(() => room.stop());
  return { room, store, clock };
}

/** The cookie that a browser has once it has opened the address with the token. */
async function cookieOf({ actingUrl }: Room): Promise<string> {
  const answer = await fetch(actingUrl, { redirect: "manual" });
  return answer.headers.get("set-cookie")?.split(";")[0] ?? "";
}

async function post(
  room: Room,
  path: string,
  fields: Record<string, string>,
  headers: Record<string, string>,
): Promise<Response> {
  return fetch(`${room.url}${path}`, {
    method: "POST",
    body: new URLSearchParams(fields),
    headers,
    redirect: "manual",
  });
}

const pages = ["", "incidents", `incidents/${openId}`, `incidents/${pastId}`, "components/api", "components/odd"];

describe("the pages of a control room", () => {
  it.each(pages)(
    "escape foreign texts, have no inline script or style, and load nothing from other hosts: /%s",
    async (path) => {
      const { room } = await opened();
      const answer = await fetch(`${room.url}${path}`, { headers: { cookie: await cookieOf(room) } });
      const text = await answer.text();
      expect(answer.status).toBe(200);
      expect(answer.headers.get("content-security-policy")).toContain(
        "default-src 'none'; script-src 'self'; style-src 'self'",
      );
      expect(answer.headers.get("content-security-policy")).not.toContain("unsafe");
      expect(text.match(/<script/g)).toHaveLength(1);
      expect(text).toMatch(/<script type="module" src="\/assets\/room\.js\?v=[\w-]+"><\/script>/);
      expect(text).not.toMatch(/<style|\sstyle="|\son\w+="|<img|javascript:/);
      for (const [, address = ""] of text.matchAll(/(?:src|href|action)="([^"]+)"/g))
        expect(address).toMatch(/^(\/(?!\/)|\?|data:image\/svg)/);
    },
  );

  it("list components, those with open incidents first, with their states and availability", async () => {
    const { room } = await opened();
    const text = await (await fetch(room.url)).text();
    expect(text.indexOf("Checkout, API and 2 more failing")).toBeLessThan(text.indexOf("Cache failing"));
    expect(text).toContain("/components/checkout");
    expect(text).toContain(stateLabels.down);
    expect(text).toContain("99.8");
  });

  it.each([
    ["?state=down", ["checkout", "api", "login", "database"]],
    ["?layer=platform", ["database", "cache", "connector"]],
    ["?team=shop&layer=application", ["checkout", "website"]],
    ["?team=nobody", []],
  ])("are filtered without script: %s", async (query, expected) => {
    const { room } = await opened();
    const text = await (await fetch(`${room.url}${query}`)).text();
    const rows = [...text.matchAll(/<th scope="row"><a href="\/components\/(\w+)"/g)].map(([, name]) => name);
    expect(rows.sort()).toEqual([...expected].sort());
  });

  it("show an incident as a story, with a picture that also shows what worked", async () => {
    const { room } = await opened();
    const text = await (await fetch(incidentLink(room.links, openId))).text();
    for (const said of [
      "Owner: infrastructure.",
      "vpc_connector_state is ERROR",
      "Its utilization is 20%",
      "shop-api-00042",
      "fits the cause",
      "update-traffic",
      "Logs",
      "gcloud compute networks",
      "team-email",
      'class="swimlane"',
    ])
      expect(text).toContain(said);
    expect(text).toMatch(/aria-label="VPC connector, the cause: [^"]*Website: works/);
    expect(text).toContain(
      hostile
        .replaceAll("&", "&amp;")
        .replaceAll("<", "&lt;")
        .replaceAll(">", "&gt;")
        .replaceAll('"', "&quot;")
        .replaceAll("'", "&#39;"),
    );
  });

  it("render the postmortem", async () => {
    const { room } = await opened();
    const text = await (await fetch(incidentLink(room.links, pastId))).text();
    expect(text).toContain("<strong>Badly.</strong>");
    expect(text).toContain("<td>1</td><td>2</td>");
  });

  it("have chart data with thresholds, stacked phases and shaded incidents", async () => {
    const { room } = await opened();
    const data = (await (await fetch(`${room.url}data/components/api?range=6h`)).json()) as {
      from: number;
      panels: {
        metric: string;
        stackedBy?: string;
        thresholds: unknown[];
        series: { label: string; at: number[] }[];
      }[];
      incidents: unknown[];
    };
    expect(data.from).toBe(noon - 6 * 3_600_000);
    const [slow] = data.panels;
    expect(slow).toMatchObject({
      metric: "http_response_time",
      thresholds: [{ value: 0.8, rule: "API slow", severity: "warning" }],
    });
    expect(slow?.series[0]?.at.length).toBe(360);
    expect(data.panels.find(({ metric }) => metric === "http_phase_time")).toMatchObject({
      stackedBy: "phase",
      series: [{ label: "connect" }, { label: "first_byte" }],
    });
    expect(data.incidents).toMatchObject([{ severity: "critical", until: noon }]);
  });

  it.each([
    "incidents/20250101-000000-other",
    "incidents/%",
    "incidents/a/b/c",
    "components/none",
    "components/__proto__",
    "assets/none.js",
    "assets/../room.ts",
    "state/environment",
    "../secrets",
    "data/components/none",
  ])("return 404 for /%s", async (path) => {
    const { room } = await opened();
    expect((await fetch(`${room.url}${path}`)).status).toBe(404);
  });

  it("report what cannot be read, and show the rest", async () => {
    const { room, store } = await opened();
    const query = store.query.bind(store);
    Object.assign(store, { query: () => Promise.reject(new Error("no store")) });
    const answer = await fetch(room.url);
    expect([answer.status, (await answer.text()).includes("no store")]).toEqual([500, true]);
    Object.assign(store, { query });
    expect((await fetch(room.url)).status).toBe(200);
  });

  it("load their files from this server, cached until they change", async () => {
    const { room } = await opened();
    const text = await (await fetch(room.url)).text();
    const addresses = [...text.matchAll(/"(\/assets\/[^"]+)"/g)].map(([, address = ""]) => address);
    expect(addresses).toHaveLength(3);
    for (const address of [...addresses, "/assets/uplot.js"]) {
      const answer = await fetch(new URL(address, room.url));
      expect(answer.status).toBe(200);
      expect(answer.headers.get("cache-control")).toMatch(address.includes("?v=") ? /immutable/ : /no-cache/);
    }
  });
});

describe("access to a control room", () => {
  it("is limited by Host: rebound names are refused", async () => {
    const { room } = await opened();
    const status = await new Promise((resolve, reject) => {
      request(room.url, { headers: { host: "evil.example" } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on("error", reject)
        .end();
    });
    expect(status).toBe(403);
  });

  it("exchanges the token for a cookie, and redirects to an address without it", async () => {
    const { room } = await opened();
    const answer = await fetch(`${room.url}incidents?token=${token}&x=1`, { redirect: "manual" });
    expect([answer.status, answer.headers.get("location")]).toEqual([303, "/incidents?x=1"]);
    expect(answer.headers.get("set-cookie")).toMatch(
      /^pathkeeper_\d+=token-of-this-run; HttpOnly; SameSite=Lax; Path=\/$/,
    );
    const wrong = await fetch(`${room.url}?token=wrong`, { redirect: "manual" });
    expect([wrong.status, wrong.headers.get("set-cookie")]).toEqual([200, null]);
  });

  it("never redirects an address with the token to another host", async () => {
    const { room } = await opened();
    const answer = await fetch(`${room.url}/evil.example/?token=${token}`, { redirect: "manual" });
    expect(answer.headers.get("location")).toMatch(/^\/(?!\/)/);
  });

  it("shows nothing of a private room without the token", async () => {
    const { room } = await opened({ isPrivate: true });
    for (const path of [...pages, "data/components/api", "events"]) {
      const answer = await fetch(`${room.url}${path}`);
      expect([path, answer.status, (await answer.text()).includes("Checkout")]).toEqual([path, 401, false]);
    }
    expect((await fetch(room.url, { headers: { cookie: await cookieOf(room) } })).status).toBe(200);
  });

  it("shows no forms without the token", async () => {
    const { room } = await opened();
    const path = `${room.url}incidents/${openId}`;
    expect(await (await fetch(path)).text()).not.toContain('method="post"');
    expect(await (await fetch(path, { headers: { cookie: await cookieOf(room) } })).text()).toContain('method="post"');
  });
});

describe("actions in a control room", () => {
  it.each<[string, Record<string, string>, object]>([
    ["ack", {}, { status: "acknowledged" }],
    ["silence", { for: "2h" }, { silenced_until: new Date(noon + 7_200_000) }],
    ["unsilence", {}, { silenced_until: null }],
    ["note", { text: "Ana is on it" }, { note: "Ana is on it" }],
    ["note", { text: "Back by noon", public: "on" }, { public_note: "Back by noon" }],
    ["resolve", {}, { status: "resolved" }],
  ])("%s %j writes the same edit as the console, and the user's name", async (action, fields, written) => {
    const { room, store } = await opened();
    const cookie = await cookieOf(room);
    const answer = await post(room, `incidents/${openId}/${action}`, { ...fields, token }, { cookie });
    expect([answer.status, answer.headers.get("location")]).toEqual([303, `/incidents/${openId}`]);
    const [field = ""] = Object.keys(written);
    const edits = { [field]: { by: "Ana", via: "in the control room" } };
    expect(await store.get("incidents", openId)).toMatchObject({ ...written, edited_by: "Ana", edits });
  });

  it("refuses an edit without effect, in one sentence", async () => {
    const { room } = await opened();
    const cookie = await cookieOf(room);
    for (const [path, fields, status, said] of [
      [`incidents/${openId}/unack`, {}, 409, "no acknowledgement"],
      [`incidents/${pastId}/ack`, {}, 409, "resolved already"],
      [`incidents/${openId}/note`, { text: " " }, 409, "empty"],
      [`incidents/${openId}/silence`, { for: "soon" }, 409, "is an invalid duration"],
      [`incidents/${openId}/explode`, {}, 404, "no such action"],
      [`incidents/${openId}/__proto__`, {}, 404, "no such"],
      ["incidents/20250101-000000-other/ack", {}, 404, "no such incident"],
    ] as const) {
      const answer = await post(room, path, { ...fields, token }, { cookie });
      expect([path, answer.status, (await answer.text()).includes(said)]).toEqual([path, status, true]);
    }
  });

  it.each<[string, Record<string, string>, Record<string, string>]>([
    ["without the cookie", { token }, { cookie: "" }],
    ["without the token of the form", {}, {}],
    ["with another token in the form", { token: "other" }, {}],
    ["from another origin", { token }, { origin: "https://evil.example" }],
    ["from another port", { token }, { origin: "http://127.0.0.1:1" }],
    ["from a page of another site", { token }, { "sec-fetch-site": "cross-site" }],
    ["as another kind of content", { token }, { "content-type": "text/plain" }],
    ["with too long a form", { token, text: "x".repeat(20_000) }, {}],
  ])("is refused %s", async (_, fields, headers) => {
    const { room, store } = await opened();
    const cookie = await cookieOf(room);
    const answer = await post(room, `incidents/${openId}/ack`, fields, { cookie, ...headers });
    expect(answer.status).toBe(403);
    expect(await store.get("incidents", openId)).toMatchObject({ status: "open" });
  });

  it("ignores GET requests, such as those of mail scanners", async () => {
    const { room, store } = await opened();
    const cookie = await cookieOf(room);
    for (const method of ["GET", "HEAD", "PUT", "DELETE"])
      expect((await fetch(`${room.url}incidents/${openId}/ack`, { method, headers: { cookie } })).status).toBe(404);
    expect(await store.get("incidents", openId)).toMatchObject({ status: "open" });
  });

  it("starts a fire drill, or reports why it could not", async () => {
    const { room } = await opened();
    const answer = await post(room, "drill", { token }, { cookie: await cookieOf(room) });
    expect(answer.headers.get("location")).toBe("/incidents?drill=20250916-123000-fire-drill");
    const store = await filledStore();
    const broken = await opened({
      actions: { store, by: "Ana", drill: () => Promise.reject(new PublishError("no broker", false)) },
    });
    const failed = await post(broken.room, "drill", { token }, { cookie: await cookieOf(broken.room) });
    expect([failed.status, (await failed.text()).includes("no broker")]).toEqual([500, true]);
  });

  it("is unavailable in a read-only room", async () => {
    const store = await filledStore();
    const sources = { store, configuration: shop, now: () => noon, freshMs: 0 };
    const room = await openRoom({ sources, token });
    onTestFinished(() => room.stop());
    const cookie = await cookieOf(room);
    expect((await post(room, `incidents/${openId}/ack`, { token }, { cookie })).status).toBe(403);
    expect(await (await fetch(room.url, { headers: { cookie } })).text()).not.toContain('method="post"');
  });
});

describe("updates of a control room", () => {
  it("are sent as server-sent events on a change", async () => {
    const { room, store } = await opened();
    const answer = await fetch(`${room.url}events`);
    expect(answer.headers.get("content-type")).toBe("text/event-stream");
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    const versions = async (count: number): Promise<string[]> => {
      for (;;) {
        const found = [...text.matchAll(/event: version\ndata: (\S+)\n\n/g)].map(([, version = ""]) => version);
        if (found.length >= count) return found;
        const { value, done } = (await reader?.read()) ?? { done: true };
        if (done) throw new Error("the connection has ended");
        text += value;
      }
    };
    await versions(1);
    await store.set("incidents", openId, { ...(await store.get("incidents", openId)), status: "acknowledged" });
    const [first, second] = await versions(2);
    expect(second).not.toBe(first);
    await reader?.cancel();
  });
});

describe("responses of recipients", () => {
  it("accepts responses: a link shows its action, and its button performs it", async () => {
    const channel = { name: "ops", kind: "email", settings: { to: ["ana@example.com"] } };
    let answersUrl = "";
    const store = await filledStore();
    const sources = { store, configuration: shop, now: () => noon, freshMs: 0 };
    const answers = (url: string): Answers => {
      answersUrl = `${url}answers`;
      return answerListener({
        store,
        secrets: secretsOf({ "answers-key": linkKey }),
        clock: { now: () => noon },
        logger: silentLogger,
        configuration: configurationOf([channel]),
        kinds: channels,
        answersUrl,
      });
    };
    const room = await openRoom({ sources, token, answers, isPrivate: true });
    onTestFinished(() => room.stop());
    const reader = { incident: openId, channel: "ops", recipient: "ana@example.com", notice: "opened" };
    const link = signedUrl(unsignedUrl(answersUrl, { action: "acknowledge", ...reader }), linkKey, noon);
    expect(await (await fetch(link)).text()).toContain("Acknowledge</button>");
    expect((await fetch(link, { method: "HEAD" })).status).toBe(200);
    const press = (origin: string): Promise<Response> =>
      fetch(link, { method: "POST", headers: { origin }, body: new URLSearchParams() });
    expect((await press("https://evil.example")).status).toBe(403);
    expect(await store.get("incidents", openId)).toMatchObject({ status: "open" });
    expect((await press(new URL(room.url).origin)).status).toBe(200);
    expect(await store.get("incidents", openId)).toMatchObject({
      status: "acknowledged",
      edited_by: "ana@example.com",
    });
    expect((await fetch(`${answersUrl}/channels/ops`, { method: "POST", body: "x".repeat(300_000) })).status).toBe(413);
    expect((await fetch(`${room.url}answersheet`)).status).toBe(401);
  });
});

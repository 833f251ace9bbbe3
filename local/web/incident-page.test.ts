import { request } from "node:http";
import { afterEach, expect, it } from "vitest";
import { linkKey } from "../../functions/notify/answer/answers.fixtures.ts";
import { signedUrl, unsignedUrl } from "../../functions/notify/answer/link.ts";
import { answerListener } from "../../functions/notify/answer/serve.ts";
import { channels } from "../../functions/notify/channels/index.ts";
import { configurationOf, noon, secretsOf } from "../../functions/notify/fixtures.ts";
import { MemoryStore } from "../../shared/adapters/memory.ts";
import { incidentLink } from "../../shared/incident-link.ts";
import { silentLogger } from "../../shared/runtime/logger.ts";
import { type IncidentPages, startIncidentPages } from "./incident-page.ts";

let pages: IncidentPages | undefined;
afterEach(() => pages?.stop());

const incident = "20250916-120900-vpc-connector";

async function serve(): Promise<IncidentPages> {
  const store = new MemoryStore();
  await store.set("incidents", incident, {
    title: "Shop: <b>database</b> failing",
    summary: "The database refuses everybody.",
    status: "resolved",
    opened_at: new Date("2025-09-16T12:09:00Z"),
    acknowledged_at: null,
    evidence: ["It refuses <script>alert(1)</script>."],
    deliveries: { ops: "opened delivered" },
    postmortem: "# Postmortem\n\nWhat happened.",
  });
  pages = await startIncidentPages(store, 0);
  return pages;
}

it("shows an incident where its link leads, with nothing that a target said as markup", async () => {
  const { links } = await serve();
  const answer = await fetch(incidentLink(links, incident));
  expect(answer.status).toBe(200);
  const text = await answer.text();
  for (const part of ["The database refuses everybody.", "2025-09-16 12:09:00 UTC", "ops: ", "What happened."])
    expect(text).toContain(part);
  expect(text).toContain("<h1>Shop: &lt;b&gt;database&lt;/b&gt; failing</h1>");
  expect(text).not.toMatch(/<script|acknowledged at/);
});

it("lists incidents, and leads from there to each", async () => {
  const { url } = await serve();
  expect(await (await fetch(url)).text()).toContain(`<a href="/incidents/${incident}">`);
});

it.each(["incidents/20250101-000000-other", "incidents/%", "state/environment", "../secrets"])(
  "has nothing at /%s",
  async (path) => {
    const { url } = await serve();
    expect((await fetch(`${url}${path}`)).status).toBe(404);
  },
);

it("takes the answers of readers: a link shows what it would do, and its button does it", async () => {
  const store = new MemoryStore();
  await store.set("incidents", incident, { title: "Shop: database failing", status: "open", edited_by: null });
  const channel = { name: "ops", kind: "email", settings: { to: ["ana@example.com"] } };
  let answersUrl = "";
  pages = await startIncidentPages(store, 0, (url) => {
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
  });
  const reader = { incident, channel: "ops", recipient: "ana@example.com", notice: "opened" };
  const link = signedUrl(unsignedUrl(answersUrl, { action: "acknowledge", ...reader }), linkKey, noon);
  expect(await (await fetch(link)).text()).toContain("Acknowledge</button>");
  expect((await fetch(link, { method: "HEAD" })).status).toBe(200);
  const press = (origin: string): Promise<Response> =>
    fetch(link, { method: "POST", headers: { origin }, body: new URLSearchParams() });
  expect((await press("https://evil.example")).status).toBe(403);
  expect(await store.get("incidents", incident)).toMatchObject({ status: "open" });
  expect((await press(new URL(pages.url).origin)).status).toBe(200);
  expect(await store.get("incidents", incident)).toMatchObject({
    status: "acknowledged",
    edited_by: "ana@example.com",
  });
  expect((await fetch(`${answersUrl}/channels/ops`, { method: "POST", body: "x".repeat(300_000) })).status).toBe(413);
  expect((await fetch(`${pages.url}answersheet`)).status).toBe(404);
});

it("refuses other hosts and every method but GET", async () => {
  const { url } = await serve();
  const status = await new Promise((resolve, reject) => {
    request(url, { headers: { host: "evil.example" } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on("error", reject)
      .end();
  });
  expect(status).toBe(403);
  expect((await fetch(url, { method: "POST", body: "x" })).status).toBe(404);
});

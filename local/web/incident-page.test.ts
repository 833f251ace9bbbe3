import { request } from "node:http";
import { afterEach, expect, it } from "vitest";
import { MemoryStore } from "../../shared/adapters/memory.ts";
import { incidentLink } from "../../shared/incident-link.ts";
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

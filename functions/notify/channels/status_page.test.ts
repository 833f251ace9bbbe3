import { describe, expect, it } from "vitest";
import { MemoryStore } from "../../../shared/adapters/memory.ts";
import { MemoryPages } from "../../../shared/adapters/pages-memory.ts";
import type { IncidentEvent } from "../../../shared/messages/incident-event.ts";
import { type Pages, PagesError } from "../../../shared/ports.ts";
import { configurationOf, incidentEvent, noon, noticeOf, notifyWorld, resolvedEvent } from "../fixtures.ts";
import { type PageMemory, publicId, withNews } from "../pages/memory.ts";
import { newsOf } from "../pages/page.fixtures.ts";
import { pageWriter, refreshPages } from "../pages/writer.ts";
import { statusPage } from "./status_page.ts";

const channel = { name: "page", kind: "status_page", settings: { bucket: "shop-status", components: ["backend"] } };
const settings = statusPage.settings.parse(channel.settings);

function newsText(event: Partial<IncidentEvent>, impact = false): string {
  const outgoing = statusPage.render({ ...settings, impact }, noticeOf(incidentEvent(event)));
  return outgoing.transport === "page" ? outgoing.news.text : "";
}

/** Returns the ids of two incidents opened in the same second whose hashes begin with the same digits. */
function alikeOnPages(): string[] {
  const ids = Array.from({ length: 600 }, (_, number) => `20250916-120000-component-${number}`);
  const groups = [...Map.groupBy(ids, (incident) => publicId({ incident })).values()];
  const alike = groups.find(({ length }) => length > 1) ?? [];
  expect(alike).toHaveLength(2);
  return alike;
}

/** Creates a notifier with a status page in memory. */
function world(pages: Pages = new MemoryPages(), set: Readonly<Record<string, unknown>> = channel.settings) {
  const settings = statusPage.settings.parse(set);
  const store = new MemoryStore();
  const clock = { now: () => noon };
  const page = { store, clock, pages, configuration: configurationOf([{ ...channel, settings: set }]) };
  const write = pageWriter(page);
  const tell = async (event: IncidentEvent) => {
    const outgoing = statusPage.render(settings, { ...noticeOf(event), channel: "page" });
    if (outgoing.transport !== "page") throw new Error("a status page gets news");
    return write(outgoing, AbortSignal.timeout(60_000));
  };
  return { store, page, tell };
}

describe("the texts of a status page", () => {
  it.each<[Partial<IncidentEvent>, string]>([
    [{}, "Backend is not working as usual. We know about it."],
    [{ severity: "warning" }, "Backend is slower or less reliable than usual. We know about it."],
    [{ event: "acknowledged" }, "We are working on it."],
    [{ event: "recovering" }, "Backend is working again. We are verifying that the recovery lasts."],
    [{ event: "regressed" }, "The problem is back. Backend is not working as usual."],
    [
      { event: "resolved", status: "resolved", resolved_at: "2025-09-16T12:30:00.000Z" },
      "Resolved: Backend is working again. The incident lasted 32 min.",
    ],
  ])("describe %j", (event, text) => expect(newsText(event)).toBe(text));

  it("state the impact only if configured", () => {
    const backend = {
      name: "backend",
      title: "API",
      layer: "application",
      dependsOn: [],
      impact: "Nobody can order",
    } as const;
    const notice = { ...noticeOf(incidentEvent()), components: [backend] };
    const said = [true, false].map((impact) => JSON.stringify(statusPage.render({ ...settings, impact }, notice)));
    expect(said.map((text) => text.includes("Nobody can order."))).toEqual([true, false]);
  });

  it("give distinct ids to two incidents of one second with the same first digits", () => {
    const alike = alikeOnPages();
    const news = (incident: string, more: Partial<IncidentEvent> = {}) => newsOf({ incident, ...more });
    const opened = alike.reduce((memory, incident) => withNews(memory, news(incident)), {
      incidents: [],
    } as PageMemory);
    const names = new Map(opened.incidents.map(({ incident, id }) => [incident, id]));
    expect(new Set(names.values()).size).toBe(2);
    for (const id of names.values()) expect(id).toMatch(/^20250916-120000-[0-9a-f]{4,5}$/);
    // Public names never change.
    const later = alike.reduce((memory, incident) => withNews(memory, news(incident, { sequence: 2 })), opened);
    expect(new Map(later.incidents.map(({ incident, id }) => [incident, id]))).toEqual(names);
  });

  it("identify an incident by its time, not by the component that broke", () => {
    expect(publicId(incidentEvent())).toMatch(/^20250916-120000-[0-9a-f]{4}$/);
  });
});

describe("the memory of a status page", () => {
  it("does not depend on the order or repetition of updates", () => {
    const all = [
      newsOf(),
      newsOf({ event: "joined", sequence: 2 }),
      newsOf({ event: "resolved", status: "resolved", sequence: 3 }),
    ];
    const inOrder = all.reduce(withNews, { incidents: [] });
    expect([...all, ...all].reverse().reduce(withNews, { incidents: [] })).toEqual(inOrder);
    expect(inOrder.incidents.map(({ status, updates }) => [status, updates.length])).toEqual([["resolved", 3]]);
  });
});

describe("writing a status page", () => {
  it("shows an incident from its first update to its end, and keeps its page", async () => {
    const pages = new MemoryPages();
    const { tell, page } = world(pages);
    const status = (): { state: string; open: unknown[]; past: unknown[] } =>
      JSON.parse(pages.standing.get("shop-status/status.json")?.content ?? "");
    await refreshPages(page);
    expect(status()).toMatchObject({ state: "unknown", open: [], past: [] });
    expect(await tell(incidentEvent())).toMatchObject({ status: 200 });
    expect(status()).toMatchObject({ state: "down", open: [{ components: ["Backend"], status: "open" }], past: [] });
    expect(await tell(resolvedEvent())).toMatchObject({ status: 200 });
    expect(status()).toMatchObject({ open: [], past: [{ status: "resolved", updates: [{}, {}] }] });
    const own = `shop-status/incidents/${publicId(incidentEvent())}.html`;
    const names = ["history.html", "index.html", "status.json", "feed.atom", "feed.json", "badge.svg"];
    expect([...pages.standing.keys()].sort()).toEqual([...names.map((name) => `shop-status/${name}`), own].sort());
    expect(pages.standing.get(own)?.content).toContain("Resolved: Backend is working again.");
  });

  it("gives a page each to two incidents of one second with the same first digits", async () => {
    const pages = new MemoryPages();
    const { tell } = world(pages);
    for (const incident of alikeOnPages()) {
      await tell(incidentEvent({ incident }));
      await tell(resolvedEvent({ incident }));
    }
    const own = [...pages.standing].filter(([path]) => path.startsWith("shop-status/incidents/"));
    expect(own).toHaveLength(2);
    for (const [, { content }] of own) expect(content).toContain("Resolved");
  });

  it("shows a person's note as an update, which stays after the end", async () => {
    const pages = new MemoryPages();
    const { tell, page, store } = world(pages);
    const status = () => JSON.parse(pages.standing.get("shop-status/status.json")?.content ?? "");
    const texts = (incident: { updates: { text: string }[] }): string[] => incident.updates.map(({ text }) => text);
    await tell(incidentEvent());
    const note = "We have rolled back. <b>Back</b> by noon.";
    await store.set("incidents", incidentEvent().incident, { status: "open", public_note: note });
    for (let times = 0; times < 2; times++) await refreshPages(page);
    expect(texts(status().open[0])).toEqual([expect.stringContaining("is not working"), note]);
    expect(pages.standing.get("shop-status/index.html")?.content).toContain("&lt;b&gt;Back&lt;/b&gt; by noon.");
    await tell(resolvedEvent());
    expect(texts(status().past[0])).toEqual([expect.anything(), note, expect.stringContaining("Resolved")]);
  });

  it("merges updates within a minute, and claims no more than is known", async () => {
    const pages = new MemoryPages();
    const { tell } = world(pages);
    await tell(incidentEvent({ severity: "warning" }));
    await tell(incidentEvent({ event: "severity_raised", sequence: 2, at: "2025-09-16T12:00:20.000Z" }));
    const { open, summary } = JSON.parse(pages.standing.get("shop-status/status.json")?.content ?? "");
    expect(open[0].updates.map(({ text }: { text: string }) => text)).toEqual(["Backend is not working as usual."]);
    expect(summary).toBe("Backend is not working");
    expect(pages.standing.get("shop-status/index.html")?.content).not.toContain("Not measured</span>");
  });

  it("writes feeds and a badge", async () => {
    const pages = new MemoryPages();
    await world(pages).tell(incidentEvent());
    const content = (path: string): string => pages.standing.get(`shop-status/${path}`)?.content ?? "";
    const [item] = JSON.parse(content("feed.json")).items;
    const own = `https://storage.googleapis.com/shop-status/incidents/${publicId(incidentEvent())}.html`;
    expect(item).toMatchObject({ url: own, content_text: "Backend is not working as usual. We know about it." });
    expect(content("feed.atom")).toContain(`<link href="${own}"/>`);
    expect(content("badge.svg")).toContain(">outage</text>");
  });

  it("reports more affected components only if they are on the page", async () => {
    const pages = new MemoryPages();
    const { tell } = world(pages);
    const joined = (sequence: number, components: string[]): IncidentEvent =>
      incidentEvent({
        event: "joined",
        sequence,
        occurrence: sequence - 1,
        components,
        at: `2025-09-16T12:${sequence}0:00.000Z`,
      });
    await tell(incidentEvent({ components: ["backend"] }));
    await tell(joined(2, ["backend", "vpc-connector"]));
    await tell(joined(3, ["backend", "vpc-connector"]));
    const updates = (): { text: string }[] =>
      JSON.parse(pages.standing.get("shop-status/status.json")?.content ?? "").open[0].updates;
    expect(updates().map(({ text }) => text)).toEqual(["Backend is not working as usual. We know about it."]);
  });

  it("reports more affected components", async () => {
    const pages = new MemoryPages();
    const { tell } = world(pages, { ...channel.settings, components: ["backend", "vpc-connector"] });
    await tell(incidentEvent({ components: ["backend"] }));
    await tell(
      incidentEvent({
        event: "joined",
        sequence: 2,
        at: "2025-09-16T12:20:00.000Z",
        components: ["backend", "vpc-connector"],
      }),
    );
    const [{ updates }] = JSON.parse(pages.standing.get("shop-status/status.json")?.content ?? "").open;
    expect(updates.map(({ text }: { text: string }) => text)).toEqual([
      "Backend is not working as usual. We know about it.",
      "More is affected than we first saw: Backend and VPC connector.",
    ]);
  });

  it("does not show 100% availability for a component that fails", async () => {
    const pages = new MemoryPages();
    const { tell, store } = world(pages);
    const day = { components: { backend: { up: 86_400, down: 0, unknown: 0 } }, journeys: {} };
    await store.set("availability", "2025-09", { data: JSON.stringify({ days: { "2025-09-15": day } }) });
    await tell(incidentEvent());
    const page = pages.standing.get("shop-status/index.html")?.content ?? "";
    expect(page).toContain("current failure not counted yet");
    expect(page).not.toContain("100% available");
  });

  it("reads joined components from the document, and waits for the all-clear to show the end", async () => {
    const pages = new MemoryPages();
    const { tell, page, store } = world(pages);
    await tell(incidentEvent());
    await store.set("incidents", incidentEvent().incident, {
      status: "resolved",
      severity: "warning",
      components: ["backend"],
      component_states: { backend: "degraded" },
    });
    await refreshPages(page);
    const [{ status, severity }] = JSON.parse(pages.standing.get("shop-status/status.json")?.content ?? "").open;
    expect([status, severity]).toEqual(["open", "warning"]);
  });

  it("never replaces a newer state with an older one, even with two concurrent writers", async () => {
    const pages = new MemoryPages();
    // The slow writer has read the facts and is about to write when the fast one publishes the end.
    let held: (() => Promise<void>) | undefined;
    const slow: Pages = {
      version: (...asked) => pages.version(asked[0], asked[1]),
      async write(place, written, replaces) {
        const first = held;
        held = undefined;
        await first?.();
        return pages.write(place, written, replaces);
      },
    };
    const { tell, page } = world(pages);
    await tell(incidentEvent());
    held = async () => void (await tell(resolvedEvent()));
    await refreshPages({ ...page, pages: slow });
    for (const path of ["status.json", "index.html"])
      expect(pages.standing.get(`shop-status/${path}`)?.content, path).not.toContain("Ongoing");
    expect(JSON.parse(pages.standing.get("shop-status/status.json")?.content ?? "").open).toEqual([]);
  });

  it("is retried after a transient refusal, and names the missing permission", async () => {
    const refusing = (status: number): Pages => ({
      version: async () => undefined,
      write: () => Promise.reject(new PagesError("gs://shop-status/index.html cannot be written: no", status)),
    });
    const answers = await Promise.all(
      [429, 503, 403, 0].map(async (status) =>
        statusPage.classify(await world(refusing(status)).tell(incidentEvent())),
      ),
    );
    expect(answers.map(({ outcome }) => outcome)).toEqual(["retry", "retry", "retry", "retry"]);
    expect(answers[2]).toMatchObject({
      correctable: true,
      answer: expect.stringContaining("grant the account of the notifier roles/storage.objectUser"),
    });
  });

  it("is a delivery, recorded in the ledger like any other", async () => {
    const { page } = world();
    const bench = notifyWorld({
      channels: [channel],
      send: () => async (outgoing) =>
        outgoing.transport === "page"
          ? pageWriter(page)(outgoing, AbortSignal.timeout(60_000))
          : { error: "?", code: "?" },
    });
    expect(await bench.push(incidentEvent())).toBe("done");
    expect(await bench.push(incidentEvent({ event: "escalated", sequence: 2 }))).toBe("done");
    expect(await bench.ledger()).toMatchObject({ "opened:page": "delivered" });
  });
});

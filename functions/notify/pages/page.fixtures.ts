/** A status page with something of everything, for tests and for looking at. */

import type { Configuration } from "../../../shared/config/model.ts";
import type { Day } from "../../../shared/documents/availability.ts";
import { dayOf } from "../../../shared/documents/availability.ts";
import { configurationOf, noon } from "../fixtures.ts";
import type { PageMemory, PageNews } from "./memory.ts";
import { withNews } from "./memory.ts";
import { updateText } from "./page-text.ts";
import { pagesOf } from "./render.ts";
import { type PageSources, type PageState, pageState } from "./view.ts";

/** What a hostile configuration or target would like to put into a page. */
export const hostile = `<script>alert(1)</script><img src=x onerror=alert(2)>"'&`;

/** A shop with a name that tries to be more than a name. */
export const shop: Configuration = {
  ...configurationOf([{ name: "page", kind: "status_page", settings: { bucket: "shop-status" } }]),
  title: "Netra",
  components: [
    { name: "cloud-sql", title: "Database", layer: "platform", dependsOn: [] },
    { name: "connector", title: "Network", layer: "platform", dependsOn: [] },
    { name: "backend", title: "API", layer: "application", dependsOn: ["cloud-sql"] },
    { name: "login", title: "Login", layer: "application", dependsOn: ["cloud-sql"] },
    { name: "chat", title: "Chat with agents", layer: "application", dependsOn: ["backend"] },
    { name: "odd", title: hostile, layer: "application", dependsOn: [] },
  ],
};

/** News of an incident; `changes` make it another. */
export function newsOf(changes: Partial<PageNews> = {}): PageNews {
  const event = changes.event ?? "opened";
  const { severity = "critical", status = "open", since = "2025-09-16T11:58:00.000Z", resolved_at } = changes;
  const titles = (changes.components ?? ["backend"]).map(
    (name) => shop.components.find((one) => one.name === name)?.title ?? name,
  );
  const happened = { event, severity, status, first_failure_at: since, resolved_at };
  return {
    incident: "20250916-115900-connector",
    event,
    sequence: 1,
    at: "2025-09-16T11:59:00.000Z",
    status,
    severity,
    components: ["backend"],
    text: updateText(happened, titles, []),
    since,
    ...changes,
  };
}

/** Incidents from their news. */
export function memoryOf(...news: readonly PageNews[]): PageMemory {
  return news.reduce(withNews, { incidents: [] } as PageMemory);
}

const opened = newsOf({ components: ["backend", "login", "cloud-sql", "connector"] });
const wider = newsOf({
  ...opened,
  event: "joined",
  sequence: 2,
  at: "2025-09-16T12:03:00.000Z",
  text: `Also ${hostile}`,
});
const yesterday = newsOf({
  incident: "20250915-081500-chat",
  severity: "warning",
  components: ["chat"],
  since: "2025-09-15T08:15:00.000Z",
  at: "2025-09-15T08:20:00.000Z",
});
const over = newsOf({
  ...yesterday,
  event: "resolved",
  status: "resolved",
  sequence: 2,
  at: "2025-09-15T09:02:00.000Z",
  resolved_at: "2025-09-15T09:02:00.000Z",
});

/** Seventy measured days, of which three were bad. */
function days(): Record<string, Day> {
  const one = (ago: number): Day => {
    const down = { 0: 420, 1: 2_820, 23: 90, 41: 7_200 }[ago] ?? 0;
    const shares = { up: 86_400 - down, down, unknown: 0 };
    const whole = { up: 86_400, down: 0, unknown: 0 };
    return {
      components: { backend: shares, login: whole, chat: ago > 10 ? shares : whole, "cloud-sql": whole },
      journeys: {},
    };
  };
  return Object.fromEntries(Array.from({ length: 70 }, (_, ago) => [dayOf(noon - ago * 86_400_000), one(ago)]));
}

/** Everything at once: an open incident, a past one, and a monitor that does not see everything. */
export const sources: PageSources = {
  memory: memoryOf(opened, wider, yesterday, over),
  documents: {
    [opened.incident]: {
      status: "acknowledged",
      severity: "critical",
      components: ["connector", "cloud-sql", "backend", "login", "odd"],
      component_states: {
        connector: "degraded",
        "cloud-sql": "fails",
        backend: "fails",
        login: "works again",
        odd: "fails",
      },
    },
  },
  days: days(),
  blind: true,
};

/** That state, and a calm one. */
export const states: Readonly<Record<"outage" | "calm", PageState>> = {
  outage: pageState(sources, shop, {}, noon + 400_000),
  calm: pageState(
    { ...sources, memory: memoryOf(yesterday, over), blind: false },
    shop,
    { components: ["backend", "login", "chat"] },
    noon,
  ),
};

/** All pages of a state, with those of past incidents. */
export function allPages(state: PageState): ReturnType<typeof pagesOf> {
  return pagesOf(
    state,
    state.past.map(({ id }) => id),
  );
}

/** A status page with an example of everything, for tests and for viewing. */

import type { Configuration } from "../../../shared/config/model.ts";
import type { Day } from "../../../shared/documents/availability.ts";
import { dayOf } from "../../../shared/documents/availability.ts";
import { configurationOf, noon } from "../fixtures.ts";
import type { PageMemory, PageNews } from "./memory.ts";
import { withNews } from "./memory.ts";
import { updateText } from "./page-text.ts";
import { pagesOf } from "./render.ts";
import { type PageSources, type PageState, pageState } from "./view.ts";

/** Text that a hostile configuration or target might inject into a page. */
export const hostile = `<script>alert(1)</script><img src=x onerror=alert(2)>"'&`;

/** A shop whose name contains markup. */
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

/** Builds an update of an incident, with `changes` applied. */
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

/** Builds the memory of incidents from their updates. */
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

/** Seventy measured days, three of them with failures. */
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

/** Everything at once: an open incident, a past one, and a monitor with incomplete data. */
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

/** A state with an outage, and one without. */
export const states: Readonly<Record<"outage" | "calm", PageState>> = {
  outage: pageState(sources, shop, {}, noon + 400_000),
  calm: pageState(
    { ...sources, memory: memoryOf(yesterday, over), blind: false },
    shop,
    { components: ["backend", "login", "chat"] },
    noon,
  ),
};

/** Returns all pages of a state, including those of past incidents. */
export function allPages(state: PageState): ReturnType<typeof pagesOf> {
  return pagesOf(
    state,
    state.past.map(({ id }) => id),
  );
}

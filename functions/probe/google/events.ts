/**
 * Google's own incidents, as Personalized Service Health reports them to a project. Incidents are listed under the location `global` only,
 * whatever region they affect, and the API filters neither by region nor by product, so they are filtered here by the impact in each event.
 * Source: https://docs.cloud.google.com/service-health/docs/reference/rest/v1/projects.locations.events
 */
import { z } from "zod";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { ProbeFault } from "../net/faults.ts";
import type { ProbeWorld } from "../prober.ts";
import { googleReads } from "./permissions.ts";
import { type Access, ask } from "./refusal.ts";

/** A Google incident that may affect the environment. */
export interface HealthEvent {
  readonly id: string;
  readonly title: string;
  /** Milliseconds since the epoch; absent if Google does not provide it. */
  readonly startedAt?: number | undefined;
  /** Whether Google has confirmed the impact; otherwise it is still investigating. */
  readonly confirmed: boolean;
  readonly relevance: string;
  /** The symptoms that users notice, in Google's words, from the newest update that describes them. */
  readonly symptom: string;
  readonly workaround: string;
  /** The affected products, limited to the requested region and products. */
  readonly products: readonly string[];
  readonly locations: readonly string[];
}

const pageSize = 100;
/** There have never been more active incidents than these pages hold. */
const maxPages = 10;

/** Returns the access that reading Personalized Service Health requires. */
export function serviceHealthAccess(project: string): Access {
  const { api: service, permission, role } = googleReads.service_health_events;
  return { api: "Service Health", service, project, permission, role };
}

/** Returns the console page that lists the incidents of a project. */
export function pageOf(project: string): string {
  return `https://console.cloud.google.com/servicehealth/incidents?project=${project}`;
}

/**
 * Reads the active incidents.
 * @throws GoogleApiError when the API refuses; ProbeFault when its answer cannot be understood
 */
export async function activeEvents(
  project: string,
  world: Pick<ProbeWorld, "google" | "signal" | "conceal">,
): Promise<readonly EventEntry[]> {
  const url = new URL(
    `https://servicehealth.googleapis.com/v1/projects/${encodeURIComponent(project)}/locations/global/events`,
  );
  url.searchParams.set("filter", "category=INCIDENT state=ACTIVE");
  // Only the full view contains the symptoms that users notice.
  url.searchParams.set("view", "EVENT_VIEW_FULL");
  url.searchParams.set("pageSize", String(pageSize));
  const events: EventEntry[] = [];
  for (let page = 0; page < maxPages; page++) {
    const answer = pageSchema().safeParse(await ask({ url: url.href }, world));
    if (!answer.success) {
      const { path, message } = answer.error.issues[0] ?? { path: [], message: "" };
      throw new ProbeFault(
        "protocol",
        `Service Health did not return a list of events: ${path.join(".") || "it"}: ${message}`,
      );
    }
    events.push(...answer.data.events);
    if (answer.data.nextPageToken === "") return events;
    url.searchParams.set("pageToken", answer.data.nextPageToken);
  }
  throw new ProbeFault("protocol", `Service Health has more than ${maxPages * pageSize} active incidents`);
}

/** Returns the events that affect the region and one of the products, or any product if none is named. Pure. */
export function eventsOf(entries: readonly EventEntry[], region: string, products: readonly string[]): HealthEvent[] {
  return entries
    .filter(
      ({ state, category, relevance }) => state === "ACTIVE" && category === "INCIDENT" && relevance !== "NOT_IMPACTED",
    )
    .flatMap((entry) => {
      const impacts = entry.eventImpacts.filter(
        ({ location, product }) =>
          strikes(location?.locationName, region) && isOneOf(product?.productName ?? "", products),
      );
      return impacts.length === 0 ? [] : [eventOf(entry, impacts)];
    });
}

/** An impact on a zone of the region, its multi-region or all regions counts as an impact on the region; so does an unspecified location. */
function strikes(location: string | undefined, region: string): boolean {
  const place = (location ?? "").toLowerCase();
  return place === "" || place === "global" || `${place}-`.startsWith(`${region}-`) || region.startsWith(`${place}-`);
}

function isOneOf(product: string, products: readonly string[]): boolean {
  const name = product.toLowerCase();
  return products.length === 0 || products.some((wanted) => name.includes(wanted.toLowerCase()));
}

function eventOf(entry: EventEntry, impacts: EventEntry["eventImpacts"]): HealthEvent {
  const updates = entry.updates.toSorted((a, b) => b.updateTime.localeCompare(a.updateTime));
  const latest = (say: (update: (typeof updates)[number]) => string): string => updates.map(say).find(Boolean) ?? "";
  const startedAt = Date.parse(entry.startTime);
  return {
    id: entry.name.split("/").at(-1) ?? "",
    title: entry.title || "an incident without a title",
    startedAt: Number.isNaN(startedAt) ? undefined : startedAt,
    confirmed: entry.detailedState !== "EMERGING",
    relevance: entry.relevance,
    symptom: latest(({ symptom }) => symptom) || entry.description,
    workaround: latest(({ workaround }) => workaround),
    products: names(impacts.map(({ product }) => product?.productName)),
    locations: names(impacts.map(({ location }) => location?.locationName)),
  };
}

function names(all: readonly (string | undefined)[]): string[] {
  return [...new Set(all.filter((name) => name !== undefined && name !== ""))] as string[];
}

const pageSchema = lazily(() => {
  const text = z.string().default("");
  const event = z.object({
    name: text,
    title: text,
    description: text,
    category: text,
    state: text,
    detailedState: text,
    relevance: text,
    startTime: text,
    eventImpacts: z
      .array(
        z.object({
          product: z.object({ productName: z.string().optional() }).optional(),
          location: z.object({ locationName: z.string().optional() }).optional(),
        }),
      )
      .default([]),
    updates: z.array(z.object({ updateTime: text, symptom: text, workaround: text })).default([]),
  });
  return z.object({ events: z.array(event).default([]), nextPageToken: text });
});

/** An event, in the format of the API; absent texts are empty. */
export type EventEntry = z.output<ReturnType<typeof pageSchema>>["events"][number];

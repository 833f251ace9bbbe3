/** The stored memory of a status page: the incidents published on it, with their updates. Pure. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { type IncidentEvent, incidentEventKinds, incidentStatuses } from "../../../shared/messages/incident-event.ts";
import { severities } from "../../../shared/messages/severity.ts";
import type { Fields } from "../../../shared/ports.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";

/** Collection of the memories. The id of a document is the name of the channel. */
export const pageCollection: string = "pages";

/** Maximum numbers of incidents and of updates per incident. Pages of older incidents stay in place. */
const maxIncidents = 200;
const maxUpdates = 20;

/** Adds an update to the memory, once and in the order of events, whatever the order of arrival. */
export function withNews(memory: PageMemory, news: PageNews): PageMemory {
  const { event, sequence, at, text, ...now } = news;
  const known = memory.incidents.find(({ incident }) => incident === news.incident);
  const others = memory.incidents.filter(({ incident }) => incident !== news.incident);
  if (known?.updates.some((update) => update.sequence === sequence)) return memory;
  const update = { sequence, at, status: news.status, text, event, components: news.components };
  const updates = [...(known?.updates ?? []), update].sort((a, b) => a.sequence - b.sequence);
  const isNewest = updates.at(-1) === update;
  const next: PageIncident = {
    ...(isNewest || known === undefined ? now : known),
    id: known?.id ?? publicId(news, others),
    updates: shortened(updates),
  };
  const incidents = [...others, next].sort((a, b) => b.since.localeCompare(a.since) || b.id.localeCompare(a.id));
  return { incidents: incidents.slice(0, maxIncidents) };
}

/** Adds a public note to the memory, once; returns the same memory if it has the note already. */
export function withNote(memory: PageMemory, incident: string, text: string, at: string): PageMemory {
  const isNew = ({ incident: id, status, updates }: PageIncident): boolean =>
    id === incident && status !== "resolved" && updates.every((update) => update.text !== text);
  if (text === "" || !memory.incidents.some(isNew)) return memory;
  const noted = (one: PageIncident): PageIncident => {
    // Between the last update and the next.
    const sequence = (one.updates.at(-1)?.sequence ?? 0) + noteStep;
    return { ...one, updates: shortened([...one.updates, { sequence, at, status: one.status, text }]) };
  };
  return { incidents: memory.incidents.map((one) => (isNew(one) ? noted(one) : one)) };
}

/** Returns whether an update is a note written by a person. Events have whole sequence numbers. */
export function isNote({ sequence }: { readonly sequence: number }): boolean {
  return !Number.isInteger(sequence);
}

const noteStep = 1 / 1024;

/**
 * Returns the public id of an incident. The internal id names the component that broke.
 * @param others incidents of the page that already have public ids
 */
export function publicId(
  { incident }: Pick<IncidentEvent, "incident">,
  others: readonly { id: string }[] = [],
): string {
  const hash = createHash("sha256").update(incident).digest("hex");
  for (let digits = 4; ; digits++) {
    const id = `${incident.slice(0, 15)}-${hash.slice(0, digits)}`;
    if (!others.some((other) => other.id === id) || digits >= hash.length) return id;
  }
}

/** Reads the memory from its document; empty if the document is missing or invalid. */
export function readMemory(fields: Fields | undefined): PageMemory {
  try {
    return schemas().memory.parse(JSON.parse(String(fields?.["data"] ?? "")));
  } catch {
    return { incidents: [] };
  }
}

/** Parses an update from the payload of a delivery. @throws ZodError */
export function readNews(news: unknown): PageNews {
  return schemas().news.parse(news);
}

/** Returns the document fields of the memory: one text, which needs no index entries. */
export function memoryFields(memory: PageMemory, now: number): Fields {
  return { data: JSON.stringify(memory), updated_at: new Date(now) };
}

/** Keeps the first and the last updates, which matter most. */
function shortened<T>(updates: T[]): T[] {
  return updates.length <= maxUpdates ? updates : [...updates.slice(0, 5), ...updates.slice(5 - maxUpdates)];
}

const schemas = lazily(() => {
  const status = z.enum(incidentStatuses);
  const common = {
    /** Internal id of the incident; the page shows another. */
    incident: z.string(),
    status,
    severity: z.enum(severities),
    /** Names of the affected components that the page shows. */
    components: z.array(z.string()),
    /** RFC 3339, like all instants here. */
    since: z.string(),
    resolved_at: z.string().optional(),
    /** Time for which it was resolved before it came back, in seconds. */
    good_seconds: z.number().optional(),
  };
  const update = { sequence: z.number(), at: z.string(), text: z.string() };
  const news = z.object({ ...common, ...update, event: z.enum(incidentEventKinds) });
  const incident = z.object({
    ...common,
    /** Public id: the time of its opening and a few digits, without the component that broke. */
    id: z.string(),
    updates: z.array(
      z.object({
        ...update,
        status,
        /** Event of the update, and the components affected at that time; absent for notes, and in updates from older versions. */
        event: z.enum(incidentEventKinds).optional(),
        components: z.array(z.string()).optional(),
      }),
    ),
  });
  return { news, memory: z.object({ incidents: z.array(incident) }) };
});

type Schemas = ReturnType<typeof schemas>;

/** One event as published on the page; frozen when its delivery is planned. */
export type PageNews = z.output<Schemas["news"]>;

/** Incidents, the newest first. */
export type PageMemory = z.output<Schemas["memory"]>;

/** One incident of the page. */
export type PageIncident = PageMemory["incidents"][number];

/** What a status page remembers: the incidents that were told on it, with what was told of each. Pure. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { type IncidentEvent, incidentEventKinds, incidentStatuses } from "../../../shared/messages/incident-event.ts";
import { severities } from "../../../shared/messages/severity.ts";
import type { Fields } from "../../../shared/ports.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";

/** The collection; the id of a document is the name of the channel. */
export const pageCollection: string = "pages";

/** How many incidents are remembered, and how many updates of each; pages of older ones stay where they were written. */
const mostIncidents = 200;
const mostUpdates = 20;

/** Takes news into what is remembered: in the order in which things happened, however they arrive, and each once. */
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
  return { incidents: incidents.slice(0, mostIncidents) };
}

/** Takes the words of a person for everybody into what is remembered, once; the same memory where they are in it already. */
export function withNote(memory: PageMemory, incident: string, text: string, at: string): PageMemory {
  const isNew = ({ incident: id, status, updates }: PageIncident): boolean =>
    id === incident && status !== "resolved" && updates.every((update) => update.text !== text);
  if (text === "" || !memory.incidents.some(isNew)) return memory;
  const noted = (one: PageIncident): PageIncident => {
    // Between what was told and what will be.
    const sequence = (one.updates.at(-1)?.sequence ?? 0) + noteStep;
    return { ...one, updates: shortened([...one.updates, { sequence, at, status: one.status, text }]) };
  };
  return { incidents: memory.incidents.map((one) => (isNew(one) ? noted(one) : one)) };
}

/** Whether an update is the words of a person: events have whole numbers. */
export function isNote({ sequence }: { readonly sequence: number }): boolean {
  return !Number.isInteger(sequence);
}

const noteStep = 1 / 1024;

/**
 * What an incident is called where everybody reads: the internal id names the component that broke.
 * @param others incidents of the page that have their names already
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

/** What is remembered, from its document; nothing where there is none, or one that somebody has broken. */
export function readMemory(fields: Fields | undefined): PageMemory {
  try {
    return schemas().memory.parse(JSON.parse(String(fields?.["data"] ?? "")));
  } catch {
    return { incidents: [] };
  }
}

/** News, as they stand in the payload of a delivery. @throws ZodError */
export function readNews(news: unknown): PageNews {
  return schemas().news.parse(news);
}

/** The document of what is remembered: one text, which costs no index entries. */
export function memoryFields(memory: PageMemory, now: number): Fields {
  return { data: JSON.stringify(memory), updated_at: new Date(now) };
}

/** The beginning and the end tell the story. */
function shortened<T>(updates: T[]): T[] {
  return updates.length <= mostUpdates ? updates : [...updates.slice(0, 5), ...updates.slice(5 - mostUpdates)];
}

const schemas = lazily(() => {
  const status = z.enum(incidentStatuses);
  const told = {
    /** Id of the incident, for us; the page calls it otherwise. */
    incident: z.string(),
    status,
    severity: z.enum(severities),
    /** Names of the affected components that the page shows. */
    components: z.array(z.string()),
    /** RFC 3339, as all instants here. */
    since: z.string(),
    resolved_at: z.string().optional(),
    /** How long it was over before it came back, in seconds. */
    good_seconds: z.number().optional(),
  };
  const update = { sequence: z.number(), at: z.string(), text: z.string() };
  const news = z.object({ ...told, ...update, event: z.enum(incidentEventKinds) });
  const incident = z.object({
    ...told,
    /** What the page calls it: the instant of its opening and a few digits, without the component that broke. */
    id: z.string(),
    updates: z.array(
      z.object({
        ...update,
        status,
        /** The event that it tells of, and what was affected by then; absent for the words of a person, and in updates of older versions. */
        event: z.enum(incidentEventKinds).optional(),
        components: z.array(z.string()).optional(),
      }),
    ),
  });
  return { news, memory: z.object({ incidents: z.array(incident) }) };
});

type Schemas = ReturnType<typeof schemas>;

/** One event, as it is told on the page; frozen when its delivery is planned. */
export type PageNews = z.output<Schemas["news"]>;

/** Incidents, the newest first. */
export type PageMemory = z.output<Schemas["memory"]>;

/** One incident of the page. */
export type PageIncident = PageMemory["incidents"][number];

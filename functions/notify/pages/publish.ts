/** Writes a status page: records updates, reads the present state, and replaces the published pages. */

import type { Configuration } from "../../../shared/config/model.ts";
import { availabilityCollection, dayOf, monthOf, readDays } from "../../../shared/documents/availability.ts";
import { incidentStatuses } from "../../../shared/messages/incident-event.ts";
import { channelRule } from "../../../shared/monitor.ts";
import type { Clock, Fields, Page, Pages, Store } from "../../../shared/ports.ts";
import { bounded } from "../../../shared/text/redact.ts";
import {
  memoryFields,
  type PageMemory,
  type PageNews,
  pageCollection,
  readMemory,
  withNews,
  withNote,
} from "./memory.ts";
import { pagesOf } from "./render.ts";
import { type PageSettings, type PageSources, pageState, shownDays } from "./view.ts";

/** Dependencies of writing a page. */
export interface PageWorld {
  readonly store: Store;
  readonly pages: Pages;
  readonly clock: Clock;
  readonly configuration: Configuration;
}

/** Location and settings of a page. */
export interface PageTarget extends PageSettings {
  /** Name of the channel. */
  readonly channel: string;
  readonly bucket: string;
}

/** Maximum number of times a page is recomputed because another writer has just replaced it. */
const maxTries = 5;

/** Records an update of an incident, once. @throws StoreError */
export async function remember(channel: string, news: PageNews, { store, clock }: PageWorld): Promise<void> {
  await store.transaction(async (transaction) => {
    const memory = readMemory(await transaction.get(pageCollection, channel));
    const next = withNews(memory, news);
    if (next !== memory) transaction.set(pageCollection, channel, memoryFields(next, clock.now()));
  });
}

/** Records the public notes that people have written into the documents of open incidents. @throws StoreError */
export async function rememberNotes(channel: string, { store, clock }: PageWorld): Promise<void> {
  const open = openIds(readMemory(await store.get(pageCollection, channel)));
  const notes = await Promise.all(open.map(async (id) => [id, noteIn(await store.get("incidents", id))] as const));
  const written = notes.filter(([, text]) => text !== "");
  if (written.length === 0) return;
  await store.transaction(async (transaction) => {
    const memory = readMemory(await transaction.get(pageCollection, channel));
    const at = new Date(clock.now()).toISOString();
    const next = written.reduce((known, [id, text]) => withNote(known, id, text, at), memory);
    if (next !== memory) transaction.set(pageCollection, channel, memoryFields(next, clock.now()));
  });
}

function noteIn(document: Fields | undefined): string {
  const note = document?.["public_note"];
  return typeof note === "string" ? bounded(note, [], 600) : "";
}

/**
 * Writes a status page with the present state. The version of the published page is read before anything else: so each writer has seen at
 * least what the last one had seen, and an older state never replaces a newer one.
 * @param changed the updated incident, whose own page is written as well
 * @throws StoreError, PagesError
 */
export async function publish(
  target: PageTarget,
  world: PageWorld,
  signal: AbortSignal,
  changed?: string,
): Promise<void> {
  await rememberNotes(target.channel, world);
  for (let attempt = 1; attempt <= maxTries; attempt++) {
    if (await publishOnce(target, changed, world, signal)) return;
  }
  throw new Error(`the status page ${target.channel} was overwritten by other writers ${maxTries} times in a row`);
}

async function publishOnce(
  target: PageTarget,
  changed: string | undefined,
  world: PageWorld,
  signal: AbortSignal,
): Promise<boolean> {
  const { store, pages, clock, configuration } = world;
  const pagesFrom = (sources: PageSources, now: number): Page[] => {
    const ids = sources.memory.incidents.flatMap(({ incident, id }) => (incident === changed ? [id] : []));
    return pagesOf(pageState(sources, configuration, target, now), ids);
  };
  // The set of pages is only known from their contents: both reads agree, unless updates arrive in between.
  const known = readMemory(await store.get(pageCollection, target.channel));
  const foreseen = pagesFrom({ ...nothing, memory: known }, clock.now());
  const versions = new Map<string, string | undefined>();
  await Promise.all(
    foreseen.map(async ({ path }) => versions.set(path, await pages.version(target.bucket, path, signal))),
  );
  const now = clock.now();
  const written = pagesFrom(await sourcesOf(target, store, now, changed), now);
  if (written.some(({ path }) => !versions.has(path))) return false;
  const results = await Promise.all(
    written.map((page: Page) => pages.write(target.bucket, page, versions.get(page.path), signal)),
  );
  return results.every(Boolean);
}

const nothing: PageSources = { memory: { incidents: [] }, documents: {}, days: {}, blind: false };

/** @param changed the incident whose own page is written, which may be resolved */
async function sourcesOf(
  { channel }: PageTarget,
  store: Store,
  now: number,
  changed: string | undefined,
): Promise<PageSources> {
  const months = [...new Set(Array.from({ length: shownDays }, (_, ago) => monthOf(now - ago * 86_400_000)))];
  const [memory, monitor, ...known] = await Promise.all([
    store.get(pageCollection, channel).then(readMemory),
    store.query({
      collection: "incidents",
      where: [
        ["verdict", "==", "monitor"],
        ["status", "in", unresolved],
      ],
      limit: 20,
    }),
    ...months.map((month) => store.get(availabilityCollection, month)),
  ]);
  const open = [...new Set([...openIds(memory), ...(changed === undefined ? [] : [changed])])];
  const documents = await Promise.all(open.map((id) => store.get("incidents", id)));
  const first = dayOf(now - (shownDays - 1) * 86_400_000);
  const days = known.flatMap((fields) => Object.entries(readDays(fields))).filter(([date]) => date >= first);
  return {
    memory,
    documents: Object.fromEntries(open.map((id, index) => [id, documents[index]])),
    days: Object.fromEntries(days),
    // Undelivered notices do not affect what is measured.
    blind: monitor.some(({ fields }) => !isAboutNotices(fields)),
  };
}

function isAboutNotices({ alerts }: Fields): boolean {
  const rules = Array.isArray(alerts) ? alerts.map(String) : [];
  return rules.length > 0 && rules.every((rule) => rule.startsWith(channelRule("")));
}

const unresolved = incidentStatuses.filter((status) => status !== "resolved");

function openIds({ incidents }: PageMemory): string[] {
  return incidents.filter(({ status }) => status !== "resolved").map(({ incident }) => incident);
}

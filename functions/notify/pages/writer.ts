/** Writes status pages for the notifier: on each incident update, and regularly, so that the availability is current. */
import type { Configuration } from "../../../shared/config/model.ts";
import { PagesError } from "../../../shared/ports.ts";
import { bounded } from "../../../shared/text/redact.ts";
import type { OutgoingPage, Reply } from "../channel.ts";
import { statusPage } from "../channels/status_page.ts";
import { readNews } from "./memory.ts";
import { type PageTarget, type PageWorld, publish, remember, rememberNotes } from "./publish.ts";

/** Time limit of a regular refresh, in milliseconds. */
const refreshDeadlineMs = 30_000;

/** Records an update and writes the page. */
export function pageWriter(world: PageWorld): (outgoing: OutgoingPage, deadline: AbortSignal) => Promise<Reply> {
  return async ({ channel, news }, deadline) => {
    const target = targets(world.configuration).find((one) => one.channel === channel);
    if (target === undefined) return { error: `there is no status page ${channel} any more`, code: "ESETTINGS" };
    try {
      const known = readNews(news);
      // Notes are recorded before the end, which closes the incident here.
      await rememberNotes(channel, world);
      await remember(channel, known, world);
      await publish(target, world, deadline, known.incident);
      return { status: 200, headers: {}, body: `written to ${target.bucket}` };
    } catch (error) {
      if (!(error instanceof PagesError)) throw error;
      const message = bounded(error.message);
      return error.status === 0
        ? { error: message, code: "EPAGES" }
        : { status: error.status, headers: {}, body: message };
    }
  };
}

/** Writes all status pages with the present state. @throws StoreError, PagesError */
export async function refreshPages(world: PageWorld): Promise<void> {
  const signal = AbortSignal.timeout(refreshDeadlineMs);
  await Promise.all(targets(world.configuration).map((target) => publish(target, world, signal)));
}

function targets({ channels }: Configuration): PageTarget[] {
  return channels
    .filter(({ kind }) => kind === statusPage.kind)
    .flatMap(({ name, settings }) => {
      const { success, data } = statusPage.settings.safeParse(settings);
      return success ? [{ ...data, url: statusPage.readerUrl?.(data, undefined), channel: name }] : [];
    });
}

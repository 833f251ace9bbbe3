/** Tells open pages by server-sent events when there is something new. Nothing is read while no page is open. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as pause } from "node:timers/promises";

/** The pages that listen. */
export interface Versions {
  /** Keeps the connection, and tells it each new version. */
  follow(request: IncomingMessage, response: ServerResponse): void;
  stop(): void;
}

/** Interval of keep-alive lines, in milliseconds. They detect closed connections. */
const keepAliveMs = 20_000;
/** Maximum number of connected pages. */
const maxPages = 50;

/** @param read the version of what the pages show @param everyMs how often it is read while somebody listens */
export function startVersions(read: () => Promise<string>, everyMs: number): Versions {
  const pages = new Set<ServerResponse>();
  const stopped = new AbortController();
  let running = false;
  let known = "";
  const run = async (): Promise<void> => {
    running = true;
    for (let quiet = 0; pages.size > 0 && !stopped.signal.aborted; quiet += everyMs) {
      // A store that cannot be read now is read the next time.
      const version = await read().catch(() => known);
      const isNews = version !== known;
      if (isNews || quiet >= keepAliveMs) {
        known = version;
        quiet = 0;
        for (const page of pages) page.write(isNews ? eventOf(version) : ":\n\n");
      }
      await pause(everyMs, undefined, { signal: stopped.signal, ref: false }).catch(() => {});
    }
    running = false;
  };
  return {
    follow: (request, response) => {
      if (pages.size >= maxPages) {
        response.writeHead(503).end();
        return;
      }
      response.writeHead(200, {
        "content-type": "text/event-stream",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
      });
      response.write(known === "" ? "retry: 3000\n\n" : `retry: 3000\n${eventOf(known)}`);
      pages.add(response);
      request.on("close", () => pages.delete(response));
      if (!running) void run();
    },
    stop: () => {
      stopped.abort();
      for (const page of pages) page.end();
    },
  };
}

function eventOf(version: string): string {
  return `event: version\ndata: ${version}\n\n`;
}

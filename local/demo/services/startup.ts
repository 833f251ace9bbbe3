/** The seven phases of the backend's start. */
import { setEntry } from "../../../shared/runtime/entries.ts";

/** Measures the seven phases of the start, of which the third is the database. */
export function startupPhases(): { end(phase: string): void; readonly seconds: Readonly<Record<string, number>> } {
  const names = ["configuration", "dependencies", "database", "cache", "services", "websocket", "ready"];
  const seconds: Record<string, number> = {};
  let since = performance.now();
  const end = (phase: string): void => {
    const now = performance.now();
    setEntry(seconds, String(names.indexOf(phase) + 1), (now - since) / 1_000);
    since = now;
  };
  end("configuration");
  return { end, seconds };
}

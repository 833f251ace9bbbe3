/** Takes in the beats of what reports to us by itself. They are kept as documents; the probes of the kind heartbeat judge them. */
import type { Configuration } from "../../shared/config/model.ts";
import { keepHeartbeat } from "../../shared/documents/heartbeats.ts";
import { parseHeartbeat } from "../../shared/messages/heartbeat.ts";
import type { PushedMessage } from "../../shared/messages/push.ts";
import type { Logger, Store } from "../../shared/ports.ts";
import { nearest } from "../../shared/text/nearest.ts";
import { maxAhead } from "./partition/publication.ts";

/** Dependencies for accepting heartbeats. */
interface BeatPorts {
  readonly store: Store;
  readonly logger: Logger;
  /** The newest instant that can have passed, in milliseconds since the epoch. @default any */
  readonly latest?: number;
}

/**
 * Stores a heartbeat that a probe expects. Any other is logged and dropped, so that no publisher can fill the store with names.
 * @throws MalformedMessage
 */
export async function takeInHeartbeat(
  message: PushedMessage,
  { environment, probes }: Configuration,
  { store, logger, latest = Number.POSITIVE_INFINITY }: BeatPorts,
): Promise<void> {
  const beat = parseHeartbeat(message.data);
  if (beat.environment !== undefined && beat.environment !== environment) return;
  const expected = probes.flatMap(({ awaits, settings }) => {
    // Configurations compiled by older versions have the name in the settings only.
    const name = awaits ?? settings["beat"];
    return typeof name === "string" ? [name] : [];
  });
  if (expected.includes(beat.name)) {
    await keepHeartbeat(store, beat, message.publishedAt, latest + maxAhead);
    return;
  }
  const suggestion = nearest(beat.name, expected);
  const meant = suggestion === undefined ? "" : `; did you mean ${suggestion}?`;
  logger.warning(`ignored a heartbeat named ${JSON.stringify(beat.name)}, which no probe expects${meant}`);
}

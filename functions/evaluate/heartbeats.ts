/** Takes in the beats of what reports to us by itself. They are kept as documents; the probes of the kind heartbeat judge them. */
import type { Configuration } from "../../shared/config/model.ts";
import { keepHeartbeat } from "../../shared/documents/heartbeats.ts";
import { parseHeartbeat } from "../../shared/messages/heartbeat.ts";
import type { PushedMessage } from "../../shared/messages/push.ts";
import type { Logger, Store } from "../../shared/ports.ts";
import { nearest } from "../../shared/text/nearest.ts";
import { mostAhead } from "./partition/publication.ts";

/** What it takes to take beats in. */
interface BeatPorts {
  readonly store: Store;
  readonly logger: Logger;
  /** The newest instant that can have passed, in milliseconds since the epoch. @default any */
  readonly latest?: number;
}

/**
 * Keeps a beat that a probe waits for. One that none waits for is logged and dropped: whoever may publish cannot fill the store with names.
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
    // What was compiled before kinds described themselves has the name in the settings alone.
    const name = awaits ?? settings["beat"];
    return typeof name === "string" ? [name] : [];
  });
  if (expected.includes(beat.name)) {
    await keepHeartbeat(store, beat, message.publishedAt, latest + mostAhead);
    return;
  }
  const suggestion = nearest(beat.name, expected);
  const meant = suggestion === undefined ? "" : `; perhaps ${suggestion} was meant`;
  logger.warning(`a beat of ${JSON.stringify(beat.name)} came, for which no probe waits${meant}`);
}

/**
 * The canary: a target that always fails, and is probed, judged and announced like any other, to nobody. It arrives only if an outage would
 * be announced too, and the watchdog signals only then. It is not in the configuration, opens no incident, and is not counted anywhere.
 */
import { z } from "zod";
import type { OutgoingMessage } from "../ports.ts";
import { lazily } from "../runtime/lazily.ts";
import { type IncidentEvent, parseIncidentEvent } from "./incident-event.ts";
import { parseMessage } from "./parse.ts";
import type { ProbeRequest } from "./probe-request.ts";
import { type Vantage, vantages } from "./report.ts";

/** Name of its probe, its component and its group, in a configuration of its own. */
export const canaryName = "canary";

/** Its message on the topic `notifications`, in place of an incident event. */
export interface CanaryNotice {
  readonly v: 1;
  /** The instant of the tick that asked for it, RFC 3339. */
  readonly canary: string;
  readonly environment: string;
  readonly vantage: Vantage;
  /** The event of the incident that it would be. */
  readonly event: IncidentEvent;
}

const noticeSchema = lazily(() =>
  z.object({
    v: z.literal(1),
    canary: z.iso.datetime({ precision: 3 }),
    environment: z.string(),
    vantage: z.enum(vantages),
    event: z.unknown(),
  }),
);

/** The message that asks for a canary. @param at the instant of the tick, in milliseconds since the epoch */
export function canaryRequest(environment: string, vantage: Vantage, at: number): OutgoingMessage {
  const request = new Date(at).toISOString();
  const data: ProbeRequest = { v: 1, environment, vantage, trigger: "canary", group: canaryName, request };
  return { data, attributes: { environment, vantage, trigger: "canary" } };
}

/** Returns whether the data of a message on the topic `notifications` is a canary. */
export function isCanaryNotice(data: unknown): boolean {
  return typeof data === "object" && data !== null && "canary" in data;
}

/**
 * Reads a canary from the data of a message.
 * @throws MalformedMessage that says which field is wrong
 */
export function parseCanaryNotice(data: unknown): CanaryNotice {
  const notice = parseMessage("canary", noticeSchema(), data);
  return { ...notice, event: parseIncidentEvent(notice.event) };
}

/** The name under which the notifier reports that a canary has arrived. */
export function canaryProbe(vantage: Vantage): string {
  return `${canaryName}/${vantage}`;
}

/** The vantage point of a canary that such a name speaks of. */
export function canaryVantage(probe: string): Vantage | undefined {
  return vantages.find((vantage) => probe === canaryProbe(vantage));
}

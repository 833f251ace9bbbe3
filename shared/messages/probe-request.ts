/** The request to run probes: one message on the topic `probe-requests`. The attribute `vantage` selects the function that answers. */
import { z } from "zod";
import type { ConfiguredProbe } from "../config/model.ts";
import { answersLate } from "../config/schedule.ts";
import type { OutgoingMessage } from "../ports.ts";
import { lazily } from "../runtime/lazily.ts";
import { roundsAttribute } from "../topology.ts";
import { parseMessage } from "./parse.ts";
import { triggers, vantages } from "./report.ts";

const shardSchema = lazily(() =>
  z
    .object({
      /** From 1. */
      index: z.int().min(1),
      of: z.int().min(1),
      /** RFC 3339 instant at which the divided request was published: it says which run this is. */
      requested_at: z.iso.datetime({ precision: 3 }),
    })
    .refine(({ index, of }) => index <= of, "index must not be above of"),
);

/** One of the parts into which the probe function divides a large request, which it publishes back. */
export type Shard = z.output<ReturnType<typeof shardSchema>>;

const probeRequestSchema = lazily(() =>
  z.object({
    v: z.literal(1),
    environment: z.string(),
    vantage: z.enum(vantages),
    trigger: z.enum(triggers),
    /** The probe group to run. A request without `probes` runs every probe of the group. */
    group: z.string().min(1),
    /** Only these probes of the configuration. */
    probes: z.array(z.string()).optional(),
    /** Identifies an unscheduled run: the report carries it, and repeats of it answer with the same report id. */
    request: z.string().optional(),
    /** Of a diagnosis: the first failure, RFC 3339, and the components that fail or are suspected. */
    since: z.iso.datetime({ precision: 3 }).optional(),
    about: z.array(z.string()).optional(),
    /** One part of a group that is too large for one run. */
    shard: shardSchema().optional(),
  }),
);

/** Asks for one run of probes. A schedule names its group; a diagnosis or a validation names the probes and who asks. */
export type ProbeRequest = z.output<ReturnType<typeof probeRequestSchema>>;

/** The message of a schedule: the request for one run of a group, with the attributes that bring it to the right function. */
export function scheduledRequest(
  environment: string,
  { vantage, group, schedule, holdMs }: Pick<ConfiguredProbe, "vantage" | "group" | "schedule" | "holdMs">,
): OutgoingMessage {
  const data: ProbeRequest = { v: 1, environment, vantage, trigger: "schedule", group };
  const rounds = answersLate({ schedule, ...(holdMs === undefined ? {} : { holdMs }) })
    ? { [roundsAttribute]: group }
    : {};
  return { data, attributes: { environment, vantage, trigger: "schedule", ...rounds } };
}

/**
 * Reads a probe request from the data of a message.
 * @throws MalformedMessage that says which field is wrong
 */
export function parseProbeRequest(data: unknown): ProbeRequest {
  return parseMessage("probe request", probeRequestSchema(), data);
}

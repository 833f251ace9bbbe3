/** The form of what tells people: the sections `channels` and `routes`. */
import { z } from "zod";
import { incidentEventKinds } from "../messages/incident-event.ts";
import { durationBetween, entryName, names, severity } from "./fields.ts";

/** Audience of a channel. Each gets the same incident in its own terms. */
export const audiences = ["engineers", "executives", "customer_success", "sales", "support"] as const;

/** One of the audiences. */
export type Audience = (typeof audiences)[number];

/** The keys that all channels share. */
export const channelEntry = z.strictObject({
  kind: z.string().describe("What kind of channel it is."),
  audience: z
    .enum(audiences)
    .optional()
    .describe("Who reads it: engineers, executives, customer_success, sales or support. Default: engineers."),
  may_act: z
    .boolean({ error: "must be true or false" })
    .optional()
    .describe(
      "Whether its readers may acknowledge, silence and resolve from a notice. Default: true for engineers, false for everyone else.",
    ),
  per_minute: z
    .int({ error: "must be a whole number of notices, such as 30" })
    .min(1, { error: "must be 1 or more; to tell a channel nothing, take it out of the routes" })
    .max(600, { error: "must be at most 600, the most that any service accepts" })
    .optional()
    .describe(
      "The most notices that it gets a minute, or each of its recipients, what is critical first. Default: what its service takes.",
    ),
});

/** Fields of every entry of `channels` besides the settings of its kind. */
export type ChannelEntry = z.output<typeof channelEntry>;

/** An entry of `routes`. */
export const routeEntry = z.strictObject({
  channels: names().describe("Names of the channels that are told."),
  severity: z.array(severity()).min(1).optional().describe("Only incidents of these severities. Default: all."),
  components: names().optional().describe("Only incidents that touch one of these components. Default: all."),
  layers: z
    .array(z.enum(["platform", "application"]))
    .min(1)
    .optional()
    .describe("Only incidents whose cause is of these layers, or not known to be of another. Default: all."),
  teams: names().optional().describe("Only incidents on which one of these teams must act. Default: all."),
  environments: z
    .array(entryName())
    .min(1)
    .optional()
    .describe("Only incidents of these environments, where several files share their routes. Default: all."),
  events: z
    .array(z.enum(incidentEventKinds))
    .min(1)
    .optional()
    .describe("Only these events. Default: all that are news; joined, acknowledged, recovering and regressed are not."),
  remind_every: durationBetween(60_000).optional().describe("Repeat the news of an open incident at this pace."),
  escalate_after: durationBetween(60_000)
    .optional()
    .describe("Notify again if the incident is not acknowledged for this long."),
});

/** One entry of `routes`; durations in milliseconds. */
export type RouteEntry = z.output<typeof routeEntry>;

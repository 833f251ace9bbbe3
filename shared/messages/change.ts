/** A reported change, for example by a deploy pipeline: one message on the topic `changes`. */
import { z } from "zod";
import { lazily } from "../runtime/lazily.ts";
import { parseMessage } from "./parse.ts";
import { changeKinds } from "./report.ts";

/** Written by people in pipelines, so that as little as possible must be written: `{"component": "backend", "what": "released 1.4.2"}`. */
const reportSchema = lazily(() =>
  z.object({
    v: z.literal(1).optional(),
    /** The component that was changed. */
    component: z.string().min(1),
    /** The change as a phrase without a subject. */
    what: z.string().min(1),
    kind: z.enum(changeKinds).default("deployment"),
    /** When, RFC 3339; without it, when the message was published. */
    at: z.iso.datetime({ offset: true }).optional(),
    /** The person or program that made it. */
    by: z.string().min(1).optional(),
    /** URL of details, such as the page of the release. */
    link: z
      .url({ protocol: /^https?$/ })
      .max(500)
      .optional(),
    /** The environment that it is for; without it, any that has the component. */
    environment: z.string().optional(),
  }),
);

/** Says that something was changed. */
export type ChangeReport = z.output<ReturnType<typeof reportSchema>>;

/**
 * Reads a reported change from the data of a message.
 * @throws MalformedMessage that says which field is wrong
 */
export function parseChangeReport(data: unknown): ChangeReport {
  return parseMessage("change", reportSchema(), data);
}

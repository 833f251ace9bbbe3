/** Fields that the schemas of probers, channels and the configuration itself are made of; each is made when it is first asked for. */
import { z } from "zod";
import { severities } from "../messages/severity.ts";
import { lazily } from "../runtime/lazily.ts";
import { dateFormat } from "../text/formatters.ts";
import { marksOf } from "../text/placeholders.ts";
import { formatDuration, parseDuration } from "../text/units.ts";
import { type SecretReference, secretName, secretPlaceholder } from "./secret-reference.ts";

export type { SecretReference };

/** Ten years, in milliseconds: longer than anything is waited for, and within what dates can be counted with. */
const longestDurationMs = 3_650 * 86_400_000;

/** The longest that an alert may wait for, in milliseconds: what has not fired within a week is no alert. */
export const longestAlertMs: number = 7 * 86_400_000;

/** A duration such as `10s`, read as milliseconds. */
export const duration: () => z.ZodType<number, string> = lazily(() =>
  z
    .string({
      error: ({ input }) =>
        typeof input === "number" && input >= 0
          ? `must be a duration, and ${input} has no unit: write ${input}s, ${input}m, ${input}h or ${input}d`
          : "must be a duration such as 10s or 5m",
    })
    .meta({ examples: ["10s", "5m"], pattern: "^(\\d+(\\.\\d+)?(ms|s|m|h|d))+$" })
    .transform((text, context) => {
      const milliseconds = parseDuration(text);
      if (milliseconds !== undefined && milliseconds <= longestDurationMs) return milliseconds;
      if (milliseconds !== undefined) {
        const message = `"${text}" is too long: the longest duration is ${formatDuration(longestDurationMs)}`;
        context.issues.push({ code: "custom", message, input: text });
        return z.NEVER;
      }
      const instead = withShortUnits(text) ?? "10s, 5m or 250ms";
      context.issues.push({ code: "custom", message: `invalid duration "${text}": write ${instead}`, input: text });
      return z.NEVER;
    }),
);

/** A duration in longer words or with spaces, as we write it; `undefined` for what is none. */
function withShortUnits(text: string): string | undefined {
  const short = text
    .toLowerCase()
    .replaceAll(/\s+/g, "")
    .replaceAll(/milliseconds?|msecs?/g, "ms")
    .replaceAll(/(seconds?|secs?)/g, "s")
    .replaceAll(/(minutes?|mins?)/g, "m")
    .replaceAll(/(hours?|hrs?)/g, "h")
    .replaceAll(/days?/g, "d");
  return parseDuration(short) === undefined ? undefined : short;
}

/** A duration within bounds, which are milliseconds. */
export function durationBetween(
  shortest: number,
  longest: number = Number.POSITIVE_INFINITY,
): z.ZodType<number, string> {
  return duration().refine((value) => value >= shortest && value <= longest, {
    error: () =>
      longest === Number.POSITIVE_INFINITY
        ? `must be ${formatDuration(shortest)} or longer`
        : `must be from ${formatDuration(shortest)} to ${formatDuration(longest)}`,
  });
}

/** Creates a check for `superRefine` with its own messages. @param mistake returns the message for a value; `undefined` if it is valid */
export function customIssue<T>(mistake: (value: T) => string | undefined) {
  return (value: T, context: { addIssue(issue: { code: "custom"; message: string }): void }): void => {
    const message = mistake(value);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  };
}

/** A name that becomes part of document ids, labels and groups. */
export const entryName: () => z.ZodType<string, string> = lazily(() =>
  z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, {
    error: ({ input }) =>
      `invalid name "${input}": write lowercase letters, digits and hyphens, beginning with a letter, at most 63 characters`,
  }),
);

/** A text that is not empty. */
export const text: () => z.ZodString = lazily(() => z.string().min(1));

/** A text of one line, such as a title, which becomes a part of subjects. */
export const line: () => z.ZodString = lazily(() => text().regex(/^[^\r\n]*$/, "must be one line"));

/** A list of names that is not empty. */
export const names: () => z.ZodType<string[], string[]> = lazily(() => z.array(z.string()).min(1));

/** Severities. */
export const severity = lazily(() => z.enum(severities));

/** The name of a time zone. */
export const timeZone: () => z.ZodString = lazily(() =>
  z.string().refine(isTimeZone, {
    error: ({ input }) => `invalid time zone "${input}": write an IANA name such as Europe/Berlin`,
  }),
);

/** Examples of zones for editors. */
export const timeZoneExamples: { readonly examples: string[] } = { examples: ["Etc/UTC", "Europe/Berlin"] };

/** The id of a Google Cloud project, as a setting of kinds that read one. `google_cloud` of the file is its default. */
export const googleProject: () => z.ZodType<string, string> = lazily(() =>
  z
    .string()
    .regex(/^([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$/, {
      error: ({ input }) => `invalid project id "${input}": write one such as shop-staging, not its name or number`,
    })
    .describe("Id of the Google Cloud project; `google_cloud` can give it to all probes."),
);

/** A region of Google Cloud, as a setting of kinds that read one. `google_cloud` of the file is its default. */
export const googleRegion: () => z.ZodType<string, string> = lazily(() =>
  z
    .string()
    .regex(/^[a-z]+-[a-z]+\d+$/, {
      error: ({ input }) => `invalid region "${input}": write one such as us-central1, without the letter of a zone`,
    })
    .describe("Region of Google Cloud; `google_cloud` can give it to all probes."),
);

/** The name of a resource of Google Cloud, without the path that leads to it. */
export const googleResource: () => z.ZodString = lazily(() =>
  z.string().regex(/^[a-z0-9]([a-z0-9.:-]{0,98}[a-z0-9])?$/, {
    error: ({ input }) => `invalid resource name "${input}": write the name alone, such as staging-connector`,
  }),
);

/** A share such as `99.9%`, read as a ratio from 0 to 1. */
export const percentage: () => z.ZodType<number, string> = lazily(() =>
  z
    .string({
      error: ({ input }) => `must be a percentage such as 99%${typeof input === "number" ? ", with its sign" : ""}`,
    })
    .meta({ examples: ["99%", "99.9%"], pattern: "^\\d+(\\.\\d+)?%$" })
    .transform((text, context) => {
      const [, number] = /^(\d+(?:\.\d+)?)%$/.exec(text.trim()) ?? [];
      if (number !== undefined && Number(number) <= 100) return Number(number) / 100;
      context.issues.push({ code: "custom", message: `invalid percentage "${text}": write 99% or 99.9%`, input: text });
      return z.NEVER;
    }),
);

/** Syntax of a reference. An error about a missing reference does not quote the text, which may be a secret itself. */
export const secretForm = "{ secret: NAME }";

const plainSecret = `a secret does not belong in this file: write ${secretForm} and keep its value outside`;

/** `{ secret: NAME }`. A plain text is refused, so that no secret stands in the file. */
export const secretReference: () => z.ZodType<SecretReference, SecretReference> = lazily(() =>
  z.strictObject(
    { secret: z.string().regex(secretName, "must be the name of a secret: letters, digits, - and _") },
    {
      error: (issue) => (issue.code === "invalid_type" ? plainSecret : undefined),
    },
  ),
);

/** A plain text or a reference to a secret, for values that are secret in some places only. */
export const textOrSecret: () => z.ZodType<string | SecretReference, string | SecretReference> = lazily(() =>
  z.union([z.string(), secretReference()], {
    error: ({ input }) =>
      `must be a text or ${secretForm}${typeof input === "number" || typeof input === "boolean" ? ": write it in quotes" : ""}`,
  }),
);

/**
 * A secret of a channel: `{ secret: NAME }`, or a text with `${secret:NAME}` in it. Parsed into a text with placeholders. A text without a
 * placeholder is refused, so that no secret is written in the file; an invalid placeholder is reported with its position.
 */
export const secretText: () => z.ZodType<string, SecretReference | string> = lazily(() =>
  z
    .union([secretReference(), z.string().refine((text) => marksOf(text).length > 0, plainSecret)], {
      error: ({ input }) => (typeof input === "object" && input !== null ? undefined : plainSecret),
    })
    .transform(withPlaceholder),
);

/** A text of a channel, which may hold `${secret:NAME}`, or `{ secret: NAME }` in its place. Read as a text with placeholders. */
export const textWithSecrets: () => z.ZodType<string, SecretReference | string> = lazily(() =>
  textOrSecret().transform(withPlaceholder),
);

function withPlaceholder(value: SecretReference | string): string {
  return typeof value === "string" ? value : secretPlaceholder(value);
}

function isTimeZone(zone: string): boolean {
  try {
    dateFormat("en", { timeZone: zone });
    return !/^[+-]/.test(zone);
  } catch {
    return false;
  }
}

/** Silences: an operator suppresses notices of something for a while, in the console. */
import { z } from "zod";
import type { IncidentEvent } from "../../../shared/messages/incident-event.ts";
import type { Fields, Logger, Store } from "../../../shared/ports.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";

/** Scope of a silence. */
export type SilenceScope = "component" | "rule" | "environment" | "incident";

/** A period in which something is not announced. */
export interface Silence {
  readonly scope: SilenceScope;
  /** Name of the component, rule, environment or incident. */
  readonly name: string;
  /** Milliseconds since the epoch, inclusive. */
  readonly from: number;
  /** Milliseconds since the epoch, exclusive. */
  readonly until: number;
  readonly reason: string;
}

/**
 * Returns the reason an event is not announced, as a sentence; `undefined` if it is. A silence mutes an incident if it names the root cause,
 * or if the silences together name all its components or all its alerts: an outage wider than the silences is still announced.
 */
export function silenced(event: IncidentEvent, silences: readonly Silence[], now: number): string | undefined {
  const active = silences.filter(({ from, until }) => from <= now && now < until);
  const named = (scope: SilenceScope, names: readonly string[]): Silence | undefined => {
    const found = names.map((name) => active.find((silence) => silence.scope === scope && silence.name === name));
    return found.every((silence) => silence !== undefined) ? found[0] : undefined;
  };
  const silence =
    named("incident", [event.incident]) ??
    named("environment", [event.environment]) ??
    named("component", [event.root_cause]) ??
    named("component", event.components) ??
    named("rule", event.alerts);
  if (silence === undefined) return undefined;
  const because = silence.reason === "" ? "" : `: ${silence.reason}`;
  return `silenced (${silence.scope} ${silence.name}) until ${new Date(silence.until).toISOString()}${because}`;
}

/** Reads the silences set by operators, including one on this incident alone. An invalid silence has no effect, and logs a warning. */
export async function readSilences(
  store: Store,
  incident: { readonly id: string; readonly fields: Fields | undefined },
  logger: Logger,
): Promise<Silence[]> {
  const stored = await store.query({ collection: "silences", limit: 1000 });
  const silences = stored.map(({ id, fields }) => ({
    where: `silences/${id}`,
    parsed: silenceSchema().safeParse(fields),
  }));
  const until = incident.fields?.["silenced_until"];
  if (until !== undefined && until !== null) {
    const own = { incident: incident.id, until, reason: "silenced_until of the incident" };
    silences.push({ where: `silenced_until of incidents/${incident.id}`, parsed: silenceSchema().safeParse(own) });
  }
  return silences.flatMap(({ where, parsed }) => {
    if (parsed.success) return [parsed.data];
    const problems = parsed.error.issues.map(({ path, message }) => [...path, message].join(": "));
    logger.warning(`notify ignores ${where}: ${problems.join("; ")}`);
    return [];
  });
}

const scopes: readonly SilenceScope[] = ["component", "rule", "environment", "incident"];

const silenceSchema = lazily(() => {
  const instant = z
    .union([z.date(), z.string().transform((text) => new Date(text))], { error: "must be a timestamp" })
    .refine((date) => !Number.isNaN(date.getTime()), "must be a timestamp")
    .transform((date) => date.getTime());
  return z
    .object({
      component: z.string().optional(),
      rule: z.string().optional(),
      environment: z.string().optional(),
      incident: z.string().optional(),
      from: instant.optional(),
      until: instant,
      reason: z.string().default(""),
    })
    .transform(({ from, until, reason, ...names }, context): Silence => {
      const [scope, ...others] = scopes.filter((candidate) => names[candidate] !== undefined);
      if (scope === undefined || others.length > 0) {
        context.issues.push({
          code: "custom",
          message: "set exactly one of component, rule and environment",
          input: names,
        });
        return z.NEVER;
      }
      return { scope, name: names[scope] ?? "", from: from ?? Number.NEGATIVE_INFINITY, until, reason };
    });
});

/** Declarations of a kind of probe. Functions judge a probe by these facts and never by the name of its kind. */

import type { Reach } from "./config/roles.ts";
import type { DeclaredMetric, YieldedMetric } from "./metrics/yields.ts";

/** Facts that hold for every probe of a kind. */
export interface ProbeFacts {
  /** Whose way it goes: that of users, a private one into the target, or that of Google's control plane, which reads about the target. */
  readonly reach: Reach;
  /** It reads what others measured, some minutes ago: its success does not show that the component works. @default false */
  readonly secondhand?: boolean;
  /** It shows figures and events minutes after they were measured. @default false */
  readonly delayed?: boolean;
  /** It looks at the environment as a whole: what it finds speaks of other components than its own. @default false */
  readonly environmentWide?: boolean;
  /** Whether its data may arrive minutes late: a diagnosis requests it again ten minutes later. @default false */
  readonly arrivesLate?: boolean;
  /** It does all that a user does: its runs are counted as attempts, and are too expensive to be repeated for a diagnosis. @default false */
  readonly endToEnd?: boolean;
}

/** A kind as far as it describes its probes. */
export interface SelfDescribing extends ProbeFacts {
  /** The metrics that a probe yields, by its settings; without settings all that the kind can yield. */
  yields(settings?: unknown): readonly DeclaredMetric[];
  /** The name of the report that a probe waits for, of a kind that waits for reports. */
  awaits?(settings: unknown): string;
  /** How long a probe keeps a connection open on purpose, in milliseconds, in addition to its time-out. @default not at all */
  holds?(settings: unknown): number | undefined;
}

/** Facts about the kind of a probe that are kept in the configuration. Configurations compiled by older versions have none of them. */
export interface KeptFacts {
  /** @default private */
  readonly reach?: Reach;
  readonly secondhand?: true;
  readonly delayed?: true;
  readonly environmentWide?: true;
  readonly arrivesLate?: true;
  readonly endToEnd?: true;
  readonly awaits?: string;
  /** How long it keeps a connection open on purpose, in milliseconds: a part of its time-out. */
  readonly holdMs?: number;
  /** Metrics that it yields besides those of every probe. @default anything */
  readonly yields?: readonly YieldedMetric[];
}

/** The facts of a probe. @param settings as the schema of the kind reads them */
export function factsOf(kind: SelfDescribing, settings: unknown): KeptFacts {
  const { reach, secondhand, delayed, environmentWide, arrivesLate, endToEnd } = kind;
  const awaits = kind.awaits?.(settings);
  const holdMs = kind.holds?.(settings);
  return {
    reach,
    ...(secondhand ? { secondhand } : {}),
    ...(delayed ? { delayed } : {}),
    ...(environmentWide ? { environmentWide } : {}),
    ...(arrivesLate ? { arrivesLate } : {}),
    ...(endToEnd ? { endToEnd } : {}),
    ...(awaits === undefined ? {} : { awaits }),
    ...(holdMs === undefined ? {} : { holdMs }),
    yields: kind.yields(settings).map(({ needs: _, ...yielded }) => yielded),
  };
}

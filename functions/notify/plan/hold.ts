/** What is held back on purpose although it could be told at once, and until when. Pure. */
import type { Configuration } from "../../../shared/config/model.ts";
import type { IncidentEvent } from "../../../shared/messages/incident-event.ts";
import type { AnyChannelKind } from "../channel.ts";
import { type Delivery, isTelling } from "../deliver/ledger.ts";
import { holdOf } from "./relapse.ts";

/** Until when a delivery is held back, in milliseconds since the epoch, and why. */
export interface Hold {
  readonly until: number;
  readonly because: string;
}

/**
 * How far apart a person hears of an incident where it is only the cause that is seen differently, in milliseconds: an outage that grows is explained anew
 * several times, and what worsens it, escalates it or ends it is told at once and says the cause as well.
 */
export const changesApartMs = 10 * 60_000;

/** Returns how long a delivery is held back; `undefined` where it is told at once. @param history what the ledger holds for its reader */
export function holdFor(
  event: IncidentEvent,
  { closesForGood, everyEvent, lasting }: Pick<AnyChannelKind, "closesForGood" | "everyEvent" | "lasting">,
  history: readonly Delivery[],
  configuration: Pick<Configuration, "recovery">,
  now: number,
): Hold | undefined {
  if (closesForGood) {
    const until = holdOf(event, configuration, now);
    if (until > now) return { until, because: "what is closed there cannot be opened again, should it come back" };
  }
  if (event.event !== "root_cause_changed" || everyEvent || lasting) return undefined;
  const told = history.filter(isTelling).map(({ at }) => at.getTime());
  const until = Math.min(Math.max(...told), now) + changesApartMs;
  return until > now ? { until, because: "the cause may change again" } : undefined;
}

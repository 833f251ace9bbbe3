/** How soon a relapse re-opens an incident. */
import type { Configuration } from "./config/model.ts";

/** How long after its resolution an incident is re-opened where the configuration says nothing, in milliseconds. */
const defaultReopenWithin = 1_800_000;

/** How long after its resolution an incident is re-opened, in milliseconds; 0 for never. */
export function reopenWithin({ recovery }: Pick<Configuration, "recovery">): number {
  return recovery.reopenWithinMs ?? defaultReopenWithin;
}

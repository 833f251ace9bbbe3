/** Time within which a relapse reopens an incident. */
import type { Configuration } from "./config/model.ts";

/** Default time after its resolution within which an incident is reopened, in milliseconds. */
const defaultReopenWithin = 1_800_000;

/** Returns the time after its resolution within which an incident is reopened, in milliseconds; 0 for never. */
export function reopenWithin({ recovery }: Pick<Configuration, "recovery">): number {
  return recovery.reopenWithinMs ?? defaultReopenWithin;
}

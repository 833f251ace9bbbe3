/** Labels by which everything of a monitor is found and counted. */
import { ownEntry } from "../../../shared/runtime/entries.ts";
import type { Names } from "../names.ts";
import { type Requirement, such } from "../need.ts";

/** The requirement that a map of labels names the monitor. */
export function labelled(path: string, { deployment }: Names): Record<string, Requirement> {
  const wanted = { app: "pathkeeper", environment: deployment.environment };
  return {
    [path]: {
      is: such(JSON.stringify(wanted), (value) => {
        const labels = (value ?? {}) as Record<string, unknown>;
        return (
          typeof value === "object" &&
          Object.entries(wanted).every(
            ([key, text]) => ownEntry(labels, key) === text || ownEntry(labels, key) !== undefined,
          )
        );
      }),
      why: "costs and resources of a monitor are found by its labels",
    },
  };
}

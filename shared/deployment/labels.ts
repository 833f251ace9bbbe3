/** Labels by which everything of a monitor is found and counted. */
import type { Names } from "./names.ts";
import type { Requirement } from "./need.ts";

/** The requirement that a map of labels names the monitor, besides the labels that a person set. */
export function labelled(path: string, { deployment, inputs }: Names): Record<string, Requirement> {
  return {
    [path]: {
      is: { app: "pathkeeper", environment: deployment.environment, ...inputs.labels },
      why: "the labels identify the costs and resources of a monitor",
    },
  };
}

/**
 * Checks a plan: every connection from a schedule to the recipient of an alarm, missing and excess grants, and values that Google would refuse. All
 * requirements follow from the configuration and the inputs in the plan. Pure.
 */

import { identityNeeds } from "../../shared/deployment/identities.ts";
import { namesOf } from "../../shared/deployment/names.ts";
import type { Need } from "../../shared/deployment/need.ts";
import { type Finding, findings } from "./need.ts";
import { alarmNeeds } from "./needs/alarms.ts";
import { dashboardNeeds, titleOf } from "./needs/dashboards.ts";
import { functionNeeds } from "./needs/functions.ts";
import { messagingNeeds } from "./needs/messaging.ts";
import { projectNeeds } from "./needs/projects.ts";
import { storageNeeds } from "./needs/storage.ts";
import { collisions } from "./neighbours.ts";
import { outputProblems } from "./outputs.ts";
import type { PlannedMonitor, Resource } from "./plan.ts";
import { byTheBook } from "./rulebook.ts";

/** Findings of a rehearsal for one monitor. */
export interface Rehearsal {
  /** Address of the module, empty for the root. */
  readonly module: string;
  readonly environment: string;
  /** Resources that were compared, and values that they must have. */
  readonly resources: number;
  readonly requirements: number;
  readonly findings: readonly Finding[];
}

/** Everything that a monitor needs. */
export function needsOf(monitor: PlannedMonitor): Need[] {
  const names = namesOf(monitor);
  return [messagingNeeds, functionNeeds, identityNeeds, storageNeeds, projectNeeds, alarmNeeds, dashboardNeeds].flatMap(
    (needs) => needs(names),
  );
}

/** Rehearses one monitor. @param all monitors of the plan. @default it alone */
export function rehearse(monitor: PlannedMonitor, all: readonly PlannedMonitor[] = [monitor]): Rehearsal {
  const names = namesOf(monitor);
  const resources = monitor.resources.map(withTitle);
  const needs = needsOf(monitor);
  const found = [
    ...findings(resources, needs),
    ...byTheBook(resources, monitor, names),
    ...outputProblems(monitor.outputs, names),
    ...collisions(monitor, all),
    ...configuration(monitor),
  ];
  return {
    module: monitor.module,
    environment: monitor.deployment.environment,
    resources: resources.length,
    requirements: needs.reduce((sum, { values, key }) => sum + Object.keys(values).length + Object.keys(key).length, 0),
    findings: [...found].sort((a, b) => levels.indexOf(a.level) - levels.indexOf(b.level)),
  };
}

/** Checks the hash that a precondition uses to compare the bundles with the configuration. */
function configuration({ resources, deployment }: PlannedMonitor): Finding[] {
  const told = resources.find(({ type, name }) => type === "terraform_data" && name === "configuration");
  if (told?.known["input"] === deployment.config_sha256) return [];
  return [
    {
      level: "error",
      address: "terraform_data.configuration",
      says: "does not contain the hash of the configuration: bundles that were built from another one would be deployed",
      write: "input = local.deployment.config_sha256",
    },
  ];
}

const levels = ["error", "warning", "open"];

/** Identifies dashboards by the titles in their JSON. */
function withTitle(resource: Resource): Resource {
  const title = titleOf(resource.leaves.get("dashboard_json"));
  return title === undefined
    ? resource
    : { ...resource, leaves: new Map([...resource.leaves, ["title_in_json", title]]) };
}

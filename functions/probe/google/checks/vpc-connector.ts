/** Checks of the VPC connector. */
import type { Check } from "../configuration/check.ts";
import { type CheckOutcome, type ExpectationCheck, judgementsOf, unknownOutcome } from "../configuration/judgement.ts";
import type { VpcConnectorSettings } from "../configuration/settings.ts";
import { mostInstances, type VpcConnector } from "../resources/vpc-connector.ts";

/** The connector's own checks. */
export const vpcConnectorChecks: readonly Check[] = [
  connectorCheck({
    name: "vpc_connector_state",
    severity: "critical",
    tells: ["no_path", "serverless_connector"],
    title: "the connector is READY",
    why: "Only a connector that is READY carries connections to private addresses.",
    remedy:
      "Check what state it is in: `gcloud compute networks vpc-access connectors describe RESOURCE --region=REGION`. A connector in ERROR usually has to be deleted and recreated.",
    judge: ({ state }) =>
      state === undefined
        ? unknownOutcome("what state it is in")
        : { ok: state === "READY", observed: state, expected: "READY" },
  }),
  connectorCheck({
    name: "vpc_connector_machine_type",
    severity: "warning",
    tells: ["serverless_connector"],
    title: "its machine type is at least `machine_type`, or if that is not set, not the smallest type",
    why: "The machine type limits how many new connections the connector accepts at once. Small machine types drop connections in bursts.",
    remedy: "Use a larger machine type: it can be changed in place.",
    judge: ({ machineType }, { machine_type = "e2-micro" }) => {
      if (machineType === undefined) return unknownOutcome("which machine type it has");
      const rank = machineTypes.indexOf(machineType);
      const ok = rank < 0 ? machineType === machine_type : rank >= machineTypes.indexOf(machine_type);
      return { ok, observed: machineType, expected: `${machine_type} or larger` };
    },
  }),
  connectorCheck({
    name: "vpc_connector_instances",
    severity: "warning",
    tells: ["serverless_connector"],
    title:
      "it can scale out: its minimum is 2 or more and below its maximum, which is at most 10; `min_instances`, `max_instances`",
    why: "A connector grows under load from its minimum to its maximum of instances, and never shrinks again.",
    remedy: "Set its minimum to 2 or more and its maximum above that: both can be changed in place.",
    judge: instancesOutcome,
  }),
  connectorCheck({
    name: "vpc_connector_sharing",
    severity: "info",
    tells: ["serverless_connector"],
    title: "only its own project and those in `shared_with` use it",
    why: "Projects that share a connector share its outages: a burst from one project exhausts the connections of the others.",
    remedy: "Give the other projects connectors of their own, or list them under shared_with.",
    judge: ({ connectedProjects }, { shared_with }, { project }) => {
      const strangers = connectedProjects.filter((one) => one !== project && !shared_with.includes(one));
      const expected = shared_with.length === 0 ? "no other project" : `no others than ${shared_with.join(", ")}`;
      return strangers.length === 0
        ? { ok: true, observed: "used by no other project", expected }
        : { ok: false, observed: `also used by ${strangers.slice(0, 5).join(", ")}`, expected };
    },
  }),
];

/** From the smallest to the largest. */
const machineTypes: readonly string[] = ["f1-micro", "e2-micro", "e2-standard-4"];

function instancesOutcome(
  { minInstances, maxInstances }: VpcConnector,
  { min_instances = 2, max_instances }: VpcConnectorSettings,
): CheckOutcome {
  if (minInstances === undefined || maxInstances === undefined)
    return unknownOutcome("how many instances it may scale to");
  const enough = minInstances >= min_instances && maxInstances >= (max_instances ?? 0);
  return {
    ok: minInstances < maxInstances && maxInstances <= mostInstances && enough,
    observed: `${minInstances} to ${maxInstances} instances`,
    expected: `at least ${min_instances}, growing to ${max_instances === undefined ? "more" : `${max_instances} or more`}`,
  };
}

function connectorCheck({ judge, ...description }: ExpectationCheck<VpcConnector, VpcConnectorSettings>): Check {
  return {
    ...description,
    reads: ["vpc_connector"],
    judge: (settings, { vpcConnector }) => {
      const { vpc_connector: wanted } = settings;
      if (!wanted) return [];
      const subject = { resource: wanted.name, component: wanted.component };
      return judgementsOf(subject, vpcConnector, (connector) => judge(connector, wanted, settings));
    },
  };
}

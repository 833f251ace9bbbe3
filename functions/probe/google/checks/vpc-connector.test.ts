import { describe } from "vitest";
import { all, checkTable, of, settingOf } from "./checks.fixtures.ts";
import { vpcConnectorChecks } from "./vpc-connector.ts";

describe("configuration checks: VPC connector", () => {
  checkTable(vpcConnectorChecks, [
    ["vpc_connector_state", "ERROR", of("connector", "state", "ERROR"), /^ERROR$/],
    ["vpc_connector_state", "a state of a later version", of("connector", "state", "RESTING"), /^RESTING$/],
    ["vpc_connector_state", "no state", of("connector", "state", undefined), "unchecked"],
    ["vpc_connector_state", "a state that is no text", of("connector", "state", 7), "unchecked"],
    ["vpc_connector_machine_type", "the smallest", of("connector", "machineType", "f1-micro"), /^f1-micro$/],
    [
      "vpc_connector_machine_type",
      "less than wanted",
      settingOf("vpc_connector.machine_type", "e2-standard-4"),
      /^e2-micro$/,
    ],
    ["vpc_connector_machine_type", "more than wanted", of("connector", "machineType", "e2-standard-4"), "ok"],
    ["vpc_connector_machine_type", "one of a later version", of("connector", "machineType", "e9-mega"), /^e9-mega$/],
    ["vpc_connector_machine_type", "none said", of("connector", "machineType", undefined), "unchecked"],
    ["vpc_connector_instances", "no room to grow", of("connector", "minInstances", 3), /^3 to 3 instances$/],
    [
      "vpc_connector_instances",
      "less room than wanted",
      settingOf("vpc_connector.max_instances", 10),
      /^2 to 3 instances$/,
    ],
    [
      "vpc_connector_instances",
      "sizes in Mbit/s, as of old",
      all(
        of("connector", "minInstances", undefined),
        of("connector", "maxInstances", undefined),
        of("connector", "minThroughput", 200),
        of("connector", "maxThroughput", 300),
      ),
      "ok",
    ],
    ["vpc_connector_instances", "no sizes", all(of("connector", "minInstances", undefined)), "unchecked"],
    [
      "vpc_connector_sharing",
      "another project",
      of("connector", "connectedProjects", ["shop-staging", "shop-dev"]),
      /^also used by shop-dev$/,
    ],
    [
      "vpc_connector_sharing",
      "another project that may",
      all(of("connector", "connectedProjects", ["shop-dev"]), settingOf("vpc_connector.shared_with", ["shop-dev"])),
      "ok",
    ],
    ["vpc_connector_sharing", "no list", of("connector", "connectedProjects", undefined), "ok"],
  ]);
});

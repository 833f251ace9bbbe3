import { describe } from "vitest";
import { all, checkTable, of, settingOf } from "./checks.fixtures.ts";
import { loadBalancerChecks } from "./load-balancer.ts";

const machines = all(
  of(
    "backendService",
    "backends.0.group",
    "https://www.googleapis.com/compute/v1/projects/shop-staging/zones/us-central1-a/instanceGroups/machines",
  ),
  of("backendService", "healthChecks", [
    "https://www.googleapis.com/compute/v1/projects/shop-staging/global/healthChecks/alive",
  ]),
  (table) => {
    table["compute.googleapis.com/compute/v1/projects/shop-staging/global/healthChecks/alive"] = {
      checkIntervalSec: 60,
      unhealthyThreshold: 4,
    };
  },
);

describe("configuration checks: load balancer", () => {
  checkTable(loadBalancerChecks, [
    [
      "load_balancer_hosts",
      "a host elsewhere",
      of("urlMap", "pathMatchers.0.defaultService", "x/backendServices/old"),
      /^api\.shop\.example goes to old$/,
    ],
    [
      "load_balancer_hosts",
      "no rules",
      all(of("urlMap", "hostRules", undefined)),
      /^api\.shop\.example goes to other, www\.shop\.example goes to other$/,
    ],
    [
      "load_balancer_hosts",
      "nothing at all",
      all(of("urlMap", "hostRules", undefined), of("urlMap", "defaultService", undefined)),
      /goes to nothing/,
    ],
    [
      "load_balancer_route",
      "another service",
      of("group", "cloudRun.service", "auth"),
      /^the Cloud Run service auth in us-central1$/,
    ],
    ["load_balancer_route", "another region", of("group", "region", "x/regions/europe-west1"), /in europe-west1$/],
    ["load_balancer_route", "nothing", of("backendService", "backends", undefined), /^nothing behind it$/],
    ["load_balancer_route", "a mask", of("group", "cloudRun", { urlMask: "<service>.shop.example" }), "unchecked"],
    ["load_balancer_route", "machines", machines, /^the instance group machines$/],
    ["load_balancer_health_check", "serverless, and a patient start-up probe", () => {}, "ok"],
    [
      "load_balancer_health_check",
      "serverless, and an impatient one",
      of("backend", "template.containers.0.startupProbe.periodSeconds", 1),
      /^serverless: it has no health check; its startup probe allows 24 s to start$/,
    ],
    ["load_balancer_health_check", "machines that have time", machines, "ok"],
    [
      "load_balancer_health_check",
      "machines that have none",
      all(machines, settingOf("services.0.startup", "600s")),
      /^4 min until it is considered unhealthy$/,
    ],
    [
      "load_balancer_timeout",
      "serverless, and a short request timeout",
      of("backend", "template.timeout", "30s"),
      /^serverless: it has no timeout of its own; Cloud Run allows 30 s for a request$/,
    ],
    ["load_balancer_timeout", "machines with the default of 30 s", machines, /^30 s$/],
    ["load_balancer_timeout", "machines with an hour", all(machines, of("backendService", "timeoutSec", 3600)), "ok"],
  ]);
});

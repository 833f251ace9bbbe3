import { describe } from "vitest";
import { all, checkTable, figure, of, settingOf } from "./checks.fixtures.ts";
import { cloudRunChecks } from "./cloud-run.ts";

describe("configuration checks: Cloud Run", () => {
  checkTable(cloudRunChecks, [
    [
      "cloud_run_ready",
      "failed",
      of("backend", "terminalCondition", {
        state: "CONDITION_FAILED",
        reason: "REVISION_FAILED",
        message: "it exited",
      }),
      /^CONDITION_FAILED \(REVISION_FAILED: it exited\)$/,
    ],
    [
      "cloud_run_ready",
      "a message that quotes a value",
      of("backend", "terminalCondition", {
        state: "CONDITION_FAILED",
        message: "cannot reach postgres://app:hunter2-c4n4ry@10.77.0.3/shop",
      }),
      /^CONDITION_FAILED \(cannot reach \*\*\*\)$/,
    ],
    [
      "cloud_run_ready",
      "a message that quotes a long value, and one that another one begins with",
      all(
        of("backend", "template.containers.0.env", [
          { name: "DATABASE_URL", value: "abc" },
          { name: "SESSION_KEY", value: `abc-${"long".repeat(100)}` },
        ]),
        of("backend", "terminalCondition", {
          state: "CONDITION_FAILED",
          message: `not abc-${"long".repeat(100)}, and not abc`,
        }),
      ),
      /^CONDITION_FAILED \(not \*\*\*, and not \*\*\*\)$/,
    ],
    ["cloud_run_ready", "no condition", of("backend", "terminalCondition", undefined), "unchecked"],
    [
      "cloud_run_revision",
      "a newer one that is not ready",
      of("backend", "latestCreatedRevision", "x/revisions/backend-00008-def"),
      /^backend-00008-def is the newest, backend-00007-abc is ready$/,
    ],
    ["cloud_run_revision", "none ready", of("backend", "latestReadyRevision", undefined), /none is ready$/],
    [
      "cloud_run_traffic",
      "held at an older one",
      of("backend", "trafficStatuses", [
        { type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", revision: "backend-00003-xyz", percent: 100 },
      ]),
      /^100 % to backend-00003-xyz$/,
    ],
    ["cloud_run_traffic", "no traffic said", of("backend", "trafficStatuses", []), "unchecked"],
    ["cloud_run_cpu", "less", of("backend", "template.containers.0.resources.limits.cpu", "500m"), /^0\.5 CPU$/],
    ["cloud_run_cpu", "not said", of("backend", "template.containers.0.resources", undefined), "unchecked"],
    ["cloud_run_memory", "less", of("backend", "template.containers.0.resources.limits.memory", "256Mi"), /^256 MiB$/],
    [
      "cloud_run_memory",
      "a size that is none",
      of("backend", "template.containers.0.resources.limits.memory", "plenty"),
      "unchecked",
    ],
    [
      "cloud_run_startup_probe",
      "impatient",
      of("backend", "template.containers.0.startupProbe.failureThreshold", 3),
      /^30 s to start$/,
    ],
    [
      "cloud_run_startup_probe",
      "none, so the default of 240 s",
      of("backend", "template.containers.0.startupProbe", undefined),
      "ok",
    ],
    [
      "cloud_run_startup_probe",
      "the defaults of a probe",
      of("backend", "template.containers.0.startupProbe", {}),
      /^30 s to start$/,
    ],
    [
      "cloud_run_startup_probe",
      "600 s wanted and the most configured",
      all(
        settingOf("services.0.startup", "600s"),
        of("backend", "template.containers.0.startupProbe.initialDelaySeconds", 240),
      ),
      "ok",
    ],
    ["cloud_run_startup_probe", "600 s wanted", settingOf("services.0.startup", "600s"), /^4 min to start$/],
    ["cloud_run_startup_ceiling", "600 s wanted", settingOf("services.0.startup", "600s"), /^10 min wanted$/],
    ["cloud_run_request_timeout", "less", of("backend", "template.timeout", "60s"), /^1 min for a request$/],
    ["cloud_run_request_timeout", "not said", of("backend", "template.timeout", undefined), "unchecked"],
    [
      "cloud_run_service_account",
      "another",
      of("backend", "template.serviceAccount", "x@shop-staging.iam.gserviceaccount.com"),
      /^x@/,
    ],
    [
      "cloud_run_service_account",
      "the default one",
      of("auth", "template.serviceAccount", "123-compute@developer.gserviceaccount.com"),
      /^123-compute/,
      "auth",
    ],
    [
      "cloud_run_env",
      "one missing",
      of("backend", "template.containers.0.env.1.name", "SESSION_KEYS"),
      /^not set: SESSION_KEY$/,
    ],
    [
      "cloud_run_env",
      "one without a value",
      of("backend", "template.containers.0.env.0.value", ""),
      /^not set: DATABASE_URL$/,
    ],
    [
      "cloud_run_env",
      "no list",
      of("backend", "template.containers.0.env", undefined),
      /^not set: DATABASE_URL, SESSION_KEY$/,
    ],
    [
      "cloud_run_ingress",
      "closed to the load balancer",
      of("backend", "ingress", "INGRESS_TRAFFIC_INTERNAL_ONLY"),
      /INTERNAL_ONLY/,
    ],
    [
      "cloud_run_ingress",
      "wider than meant",
      all(of("auth", "ingress", "INGRESS_TRAFFIC_ALL"), settingOf("services.1.ingress", "internal")),
      /ALL$/,
      "auth",
    ],
    ["cloud_run_vpc_access", "none", of("backend", "template.vpcAccess", undefined), /^no access to the VPC$/],
    [
      "cloud_run_vpc_access",
      "another connector",
      of("backend", "template.vpcAccess.connector", "other"),
      /^the connector other$/,
    ],
    [
      "cloud_run_vpc_access",
      "Direct VPC egress",
      of("backend", "template.vpcAccess", { networkInterfaces: [{ network: "default" }] }),
      /^Direct VPC egress$/,
    ],
    [
      "cloud_run_vpc_access",
      "none said, a private address, and a connector",
      all(settingOf("services.0.vpc_access", undefined), of("backend", "template.vpcAccess", {})),
      /^no access/,
    ],
    ["cloud_run_egress", "all traffic", of("backend", "template.vpcAccess.egress", "ALL_TRAFFIC"), /^all-traffic$/],
    [
      "cloud_run_egress",
      "not said, which is private ranges",
      of("backend", "template.vpcAccess.egress", undefined),
      "ok",
    ],
    [
      "cloud_run_egress",
      "no access to the VPC",
      of("backend", "template.vpcAccess", undefined),
      /^no access to the VPC$/,
    ],
    [
      "cloud_run_max_instances",
      "more",
      of("backend", "template.scaling.maxInstanceCount", 20),
      /^at most 20 instances$/,
    ],
    [
      "cloud_run_max_instances",
      "said of the whole service",
      all(of("backend", "template.scaling", undefined), of("backend", "scaling", { maxInstanceCount: 4 })),
      "ok",
    ],
    ["cloud_run_max_instances", "none", of("backend", "template.scaling", undefined), /^no maximum set$/],
    [
      "cloud_run_concurrency",
      "more",
      of("backend", "template.maxInstanceRequestConcurrency", 500),
      /^500 requests at once$/,
    ],

    [
      "cloud_run_instance_cap",
      "all in use",
      figure("instances", { int64Value: "4" }),
      /^4 of 4 instances in use$/,
      "backend",
    ],
    [
      "cloud_run_instance_cap",
      "one instance, which is always in use",
      all(figure("instances", { int64Value: "1" }), of("backend", "template.scaling.maxInstanceCount", 1)),
      "none",
      "backend",
    ],
    ["cloud_run_instance_cap", "no traffic", of("instances", "timeSeries", undefined), "ok"],
    ["cloud_run_instance_cap", "figures that are none", figure("instances", { stringValue: "many" }), "unchecked"],
  ]);
});

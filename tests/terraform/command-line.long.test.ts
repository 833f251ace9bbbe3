/** The module under the real Terraform: its format, its validity, and its plan for each example. */

import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readConfigurationFile } from "../../cli/configuration.ts";
import { deploymentOf } from "../../cli/deployment/deployment.ts";
import { matchesLog } from "../../cli/rehearse/log-filter.ts";
import { vocabulary } from "../../cli/vocabulary.ts";
import { loadConfiguration } from "../../shared/config/load.ts";
import type { Configuration } from "../../shared/config/model.ts";
import type { Deployment } from "../../shared/deployment/deployment.ts";
import { defaultExports, ownMetrics } from "../../shared/metrics/exported.ts";
import { dashboardProblems } from "./dashboards.ts";
import { moduleVariables } from "./examples.ts";
import { mutations } from "./mutations.ts";
import { type Planned, planned, writeBundles } from "./plan.ts";
import { moduleFiles } from "./static.ts";
import { openWorkspace, terraformCommand, type Workspace } from "./terraform.ts";

/** The targets are in one project, their data in a second, and their network in a third. */
const elsewhere = `environment: shop
google_cloud: { project: shop-staging, region: us-central1 }
components: { shop: { layer: application }, database: { layer: platform } }
probes:
  backend: { kind: cloud_run, component: shop, service: shop-backend, failed_startups: failed_starts }
  posture:
    kind: gcp_configuration
    component: shop
    schedule: every 15m
    services: [{ name: shop-backend }]
  orders:
    kind: postgres
    component: database
    vantage: inside
    connection: { instance: "shop-data:us-central1:orders", ip: private, user: watch@shop.iam, iam: true }
  stock:
    kind: postgres
    component: database
    vantage: inside
    connection: { host: 10.0.0.5, user: watch@shop.iam, iam: true }
  front: { kind: http, component: shop, schedule: every 15s, url: "https://shop.example.com/" }
`;

const examples = new URL("../../examples/", import.meta.url).pathname;

if (terraformCommand === undefined) {
  console.warn(
    "\n######## NOT TESTED: the Terraform module under terraform ########\n# Neither terraform nor tofu is on the PATH.\n",
  );
}

describe.skipIf(terraformCommand === undefined)("the module under terraform", { timeout: 180_000 }, () => {
  let workspace: Workspace;
  beforeAll(async () => {
    workspace = await openWorkspace();
  }, 180_000);
  afterAll(() => workspace.close());

  it("is formatted by `terraform fmt`", async () => {
    const { code, out } = await workspace.run("fmt", "-check", "-recursive", "-diff");
    expect(out).toBe("");
    expect(code).toBe(0);
  });

  it("is valid against the provider's schema", async () => {
    const { out } = await workspace.run("validate", "-json");
    expect((JSON.parse(out) as { diagnostics: unknown }).diagnostics).toEqual([]);
  });

  it("rejects invalid variables with a sentence, by its own tests", async () => {
    const file = join(examples, "netra-staging", "monitor.yaml");
    const { configuration, sha256 } = await example(file);
    // The tests use the layout of a user: the module beside the examples and the bundles.
    const above = dirname(workspace.folder);
    await writeBundles(join(above, "dist"), deploymentOf(configuration, sha256));
    await mkdir(join(above, "examples", "netra-staging"), { recursive: true });
    await copyFile(file, join(above, "examples", "netra-staging", "monitor.yaml"));
    const { code, out, err } = await workspace.run("test", "-no-color", "-filter=tests/variables.tftest.hcl");
    expect(`${out}${err}`).toMatch(/Success! \d+ passed, 0 failed/);
    expect(code).toBe(0);
  });

  it.each(mutations.filter(({ found }) => found === undefined))("finds $what", async ({ file, from, to }) => {
    const text = moduleFiles()[file] ?? "";
    expect(text.split(from)).toHaveLength(2);
    await writeFile(
      join(workspace.folder, file),
      text.replace(from, () => to),
    );
    try {
      const { out } = await workspace.run("validate", "-json");
      expect(JSON.parse(out)).toMatchObject({ valid: false });
    } finally {
      await writeFile(join(workspace.folder, file), text);
    }
  });

  describe("planned in a separate project from its targets", () => {
    let plan: Planned[];
    const of = (type: string, name: string): Planned[] =>
      plan.filter((planned) => planned.type === type && planned.name === name);

    beforeAll(async () => {
      const text = elsewhere;
      const loaded = loadConfiguration(text, "monitor.yaml", vocabulary);
      if (!("configuration" in loaded)) throw new Error(loaded.problems.map(({ message }) => message).join("\n"));
      const sha256 = createHash("sha256").update(text).digest("hex");
      await writeBundles(join(workspace.folder, "dist"), deploymentOf(loaded.configuration, sha256));
      await writeFile(join(workspace.folder, "monitor.yaml"), text);
      plan = await planned(
        workspace,
        `project_id = "watch-project"
        watched_project_id = "shop-staging"
        region      = "us-central1"
        bundles     = "dist"
        config_file = "./monitor.yaml"
        alarms      = { emails = ["ops@example.com"] }
        inside      = { connector = { name = "shop-connector", project_id = "shop-network" } }`,
      );
    }, 180_000);

    it("delivers requests of a group with several runs a minute by a separate subscription", () => {
      const pushes = of("google_pubsub_subscription", "push").filter(({ values }) =>
        String(values["name"]).startsWith("pathkeeper-probe-outside"),
      );
      const filter = 'attributes.vantage = "outside" AND attributes.trigger = "schedule"';
      expect(pushes.map(({ index, values }) => [index, values["filter"]]).sort()).toEqual([
        ["probe-outside", `${filter} AND NOT attributes:rounds`],
        ["probe-outside-15s", 'attributes.vantage = "outside" AND attributes.rounds = "outside-15s"'],
        ["probe-outside-asked", 'attributes.vantage = "outside" AND NOT attributes.trigger = "schedule"'],
      ]);
      const jobs = of("google_cloud_scheduler_job", "main").filter(({ index }) => index === "outside-15s");
      expect(jobs.map(({ values }) => values["pubsub_target"])).toMatchObject([
        [{ attributes: { trigger: "schedule", rounds: "outside-15s" } }],
      ]);
    });

    it("reads in the target project, with roles created there, and runs in its own", () => {
      const projects = (type: string, name: string): unknown[] => [
        ...new Set(of(type, name).map(({ values }) => values["project"])),
      ];
      expect(projects("google_project_iam_custom_role", "probe")).toEqual(["shop-staging"]);
      expect(projects("google_project_iam_member", "probe")).toEqual(["shop-staging"]);
      expect(projects("google_logging_metric", "failed_starts")).toEqual(["shop-staging"]);
      for (const type of ["google_cloudfunctions2_function", "google_pubsub_topic", "google_cloud_scheduler_job"])
        expect(projects(type, "main")).toEqual(["watch-project"]);
      const permissions = of("google_project_iam_custom_role", "probe").flatMap(({ values }) => values["permissions"]);
      expect(permissions).toEqual(expect.arrayContaining(["monitoring.timeSeries.list", "run.services.get"]));
    });

    it("enables the APIs that it calls in the target project, and those that it runs on in its own", () => {
      const there = of("google_project_service", "watched").map(({ values }) => [values["project"], values["service"]]);
      expect(there).toEqual(
        expect.arrayContaining([
          ["shop-staging", "monitoring.googleapis.com"],
          ["shop-staging", "sqladmin.googleapis.com"],
        ]),
      );
      const here = of("google_project_service", "main").map(({ values }) => values["service"]);
      expect(here).toEqual(expect.arrayContaining(["cloudresourcemanager.googleapis.com", "pubsub.googleapis.com"]));
      expect(here).not.toContain("sqladmin.googleapis.com");
    });

    it("shows the metrics of the target project in its dashboards", () => {
      const [scope, ...others] = of("google_monitoring_monitored_project", "watched");
      expect(others).toEqual([]);
      expect(scope?.values).toMatchObject({ metrics_scope: "watch-project", name: "shop-staging" });
    });

    it("grants the probes access to Cloud SQL by its connectors and by IAM, in the project of the instance", () => {
      const grants = of("google_project_iam_member", "cloud_sql").map(({ values }) => [
        values["project"],
        values["role"],
      ]);
      expect(grants.sort()).toEqual([
        ["shop-data", "roles/cloudsql.client"],
        ["shop-data", "roles/cloudsql.instanceUser"],
        ["shop-staging", "roles/cloudsql.instanceUser"],
      ]);
    });

    it("lets Google's agents use the connector of a third project", () => {
      const grants = of("google_project_iam_member", "connector");
      expect(grants.map(({ index, values }) => [index, values["project"], values["role"]]).sort()).toEqual([
        ["gcf-admin-robot", "shop-network", "roles/vpcaccess.user"],
        ["serverless-robot-prod", "shop-network", "roles/vpcaccess.user"],
      ]);
      const [inside] = of("google_cloudfunctions2_function", "main").filter(({ index }) => index === "probe-inside");
      expect(inside?.values["service_config"]).toMatchObject([
        { vpc_connector: "projects/shop-network/locations/us-central1/connectors/shop-connector" },
      ]);
    });
  });

  it.each<[string, string, object]>([
    ["every minute", "every 1m", { duration: "600s", alignment: "300s" }],
    ["hourly", "every 1h", { duration: "3900s", alignment: "300s" }],
    ["by day, with quiet nights", "*/10 8-17 * * *", { duration: "51300s", alignment: "300s" }],
    [
      "nightly",
      "0 2 * * *",
      { query: 'min(custom_googleapis_com:pathkeeper_report_age{project_id="watch-project",node_id="shop"}) > 87300' },
    ],
    [
      "weekly",
      "0 2 * * MON",
      { query: 'min(custom_googleapis_com:pathkeeper_report_age{project_id="watch-project",node_id="shop"}) > 605700' },
    ],
  ])("waits for measurements as long as probes that run %s are idle", async (_what, schedule, expected) => {
    const text = `environment: shop
components: { shop: { layer: application } }
probes: { front: { kind: http, component: shop, schedule: "${schedule}", url: "https://shop.example.com/" } }
`;
    const plan = await planOf(workspace, text);
    const alarms = plan.filter(({ type }) => type === "google_monitoring_alert_policy");
    const conditionsOf = (alarm: string): Readonly<Record<string, Readonly<Record<string, unknown>>[]>>[] => {
      const found = alarms.find(({ values }) => values["display_name"] === `pathkeeper: ${alarm}`);
      return (found?.values["conditions"] ?? []) as Readonly<Record<string, Readonly<Record<string, unknown>>[]>>[];
    };
    const [{ condition_threshold: thresholds = [], condition_prometheus_query_language: queries = [] } = {}] =
      conditionsOf("no measurements");
    const found = [
      ...thresholds.map(({ duration, aggregations }) => {
        const [aggregation] = aggregations as { alignment_period: string }[];
        return { duration, alignment: aggregation?.alignment_period };
      }),
      ...queries.map(({ query }) => ({ query })),
    ];
    expect(found).toEqual([expected]);
    // The subscription of the tick, which always comes each minute.
    expect(conditionsOf("the evaluator is silent")[0]).toMatchObject({
      condition_prometheus_query_language: [
        {
          query:
            'absent_over_time(custom_googleapis_com:pathkeeper_reports{project_id="watch-project",node_id="shop"}[300s])',
          duration: "600s",
        },
      ],
    });
    expect(
      conditionsOf("messages wait")
        .flatMap(({ condition_threshold: wait = [] }) => wait)
        .map(({ threshold_value, filter }) => [threshold_value, String(filter).includes("-notify-retries")]),
    ).toEqual([
      [600, false],
      [1200, true],
    ]);
  });

  it("waits for a second edge check at any interval", async () => {
    const text = `environment: shop
components: { shop: { layer: application } }
probes: { front: { kind: http, component: shop, url: "https://shop.example.com/" } }
`;
    for (const [period, duration] of [
      ["60s", "300s"],
      ["900s", "900s"],
    ]) {
      const plan = await planOf(
        workspace,
        text,
        `second_opinion = { uptime_url = "https://shop.example.com/", uptime_period = "${period}" }`,
      );
      const [edge] = plan.filter(({ address }) => address === "google_monitoring_alert_policy.edge[0]");
      expect(edge?.values["conditions"]).toMatchObject([{ condition_threshold: [{ duration }] }]);
    }
  });

  it("has no alert on measurements that are not collected", async () => {
    const plan = await planOf(
      workspace,
      `environment: shop
components: { shop: { layer: application } }
export: off
probes: { front: { kind: http, component: shop, schedule: "0 2 * * MON", url: "https://shop.example.com/" } }
`,
    );
    const names = plan.flatMap(({ type, values }) =>
      type === "google_monitoring_alert_policy" ? [values["display_name"]] : [],
    );
    expect(names.sort()).toEqual([
      "pathkeeper: a function fails",
      "pathkeeper: a schedule fails",
      "pathkeeper: dead letters",
      "pathkeeper: messages wait",
    ]);
  });

  describe.each(readdirSync(examples))("planned for %s", (name) => {
    let deployment: Deployment;
    let plan: Planned[];
    const of = (type: string): Planned[] => plan.filter((planned) => planned.type === type);
    const values = (type: string): Readonly<Record<string, unknown>>[] => of(type).map((planned) => planned.values);

    beforeAll(async () => {
      const file = join(examples, name, "monitor.yaml");
      const { configuration, sha256 } = await example(file);
      deployment = deploymentOf(configuration, sha256);
      await writeBundles(join(workspace.folder, "dist"), deployment);
      await copyFile(file, join(workspace.folder, "monitor.yaml"));
      plan = await planned(workspace, moduleVariables);
    }, 180_000);

    it("has exactly one job for each schedule, with the message that the functions understand", () => {
      const jobs = values("google_cloud_scheduler_job").map((job) => {
        const [target] = job["pubsub_target"] as { data: string; attributes: unknown }[];
        const data = JSON.parse(Buffer.from(target?.data ?? "", "base64").toString()) as unknown;
        return { cron: job["schedule"], zone: job["time_zone"], data, attributes: target?.attributes ?? undefined };
      });
      const expected = deployment.schedules.map(({ cron, message }) => ({ cron, zone: "Etc/UTC", ...message }));
      expect(jobs).toHaveLength(expected.length);
      expect(jobs).toEqual(expect.arrayContaining(expected.map((job) => expect.objectContaining(job))));
    });

    it("runs every function with its own identity, internal ingress, and a timeout that matches its subscription", () => {
      const functions = of("google_cloudfunctions2_function");
      expect(functions.map(({ index }) => index).sort()).toEqual(
        [
          ...deployment.vantages.map((vantage) => `probe-${vantage}`),
          "evaluate",
          "notify",
          "answers",
          "synthetic",
        ].sort(),
      );
      for (const { index, values } of functions) {
        const [service] = values["service_config"] as Readonly<Record<string, number | string>>[];
        const ingress = index === "answers" ? "ALLOW_ALL" : "ALLOW_INTERNAL_ONLY";
        expect(service).toMatchObject({ ingress_settings: ingress, available_cpu: "1" });
        const environment = service?.["environment_variables"] as unknown as Readonly<Record<string, string>>;
        const probes = /^(probe|synthetic)/.test(String(index));
        expect(environment["UV_THREADPOOL_SIZE"]).toBe(probes ? "16" : undefined);
        expect(Object.hasOwn(environment, "PATHKEEPER_VANTAGE")).toBe(probes);
        if (index === "synthetic" || index === "answers") continue;
        const waits = deployment.subscriptions
          .filter((each) => each.function === index)
          .map((each) => each.ackDeadlineSeconds);
        // A request with a held connection is answered after minutes; the probe function ends all other requests itself.
        const most = String(index).startsWith("probe-") ? Math.max(...waits) : Math.min(...waits);
        expect(service?.["timeout_seconds"]).toBe(most);
        expect(values["build_config"]).toMatchObject([{ runtime: "nodejs24" }]);
      }
      expect(of("google_service_account").map(({ index }) => index)).toEqual(
        expect.arrayContaining(functions.map(({ index }) => index)),
      );
    });

    it("pushes with an identity, retains messages, and dead-letters undeliverable ones", () => {
      const pushes = of("google_pubsub_subscription").filter((planned) => planned.name === "push");
      expect(pushes).toHaveLength(deployment.subscriptions.length);
      const grants = of("google_pubsub_subscription_iam_member").map(({ index }) => index);
      for (const { index, values } of pushes) {
        expect(values["expiration_policy"]).toEqual([{ ttl: "" }]);
        expect(values["retry_policy"]).toMatchObject([{ minimum_backoff: expect.stringMatching(/^\d+s$/) }]);
        const [push] = values["push_config"] as Readonly<Record<string, unknown>>[];
        expect(push?.["oidc_token"]).toHaveLength(1);
        const buries = index !== "notify-dead-letters";
        expect(values["dead_letter_policy"]).toHaveLength(buries ? 1 : 0);
        expect(grants.includes(index)).toBe(buries);
      }
      expect(plan.map(({ address }) => address)).toContain("google_pubsub_topic_iam_member.dead_letters");
    });

    it("grants least privilege", () => {
      const granted = plan.filter(({ type }) => /_iam_(member|binding|policy)$/.test(type));
      expect(granted.filter(({ type }) => !type.endsWith("_iam_member"))).toEqual([]);
      const roles = granted.map(({ values }) => String(values["role"]));
      expect(roles.filter((role) => /roles\/(owner|editor|viewer)$|admin/i.test(role))).toEqual([]);
      const everybody = granted.filter(({ values }) => /^all(Authenticated)?Users$/.test(String(values["member"])));
      // Everyone may call the service that takes answers, because each request is signed.
      expect(everybody).toMatchObject([{ type: "google_cloud_run_v2_service_iam_member", name: "answers" }]);
      const store = granted.filter(({ values }) => String(values["role"]).startsWith("roles/datastore."));
      expect(store.map(({ index }) => index).sort()).toEqual([...deployment.stores, ...deployment.readers].sort());
      for (const { values } of store) expect(values["condition"]).toHaveLength(1);
    });

    it("creates valid dashboards of existing metrics", () => {
      const dashboards = of("google_monitoring_dashboard");
      expect(dashboards.map(({ index }) => index).sort()).toEqual(["environment", "monitor"]);
      const charted: string[] = [];
      for (const { values } of dashboards) {
        const text = String(values["dashboard_json"]);
        const board = JSON.parse(text) as { mosaicLayout: { tiles: unknown[] } };
        expect(dashboardProblems(board)).toEqual([]);
        // Maximum that the API accepts.
        expect(board.mosaicLayout.tiles.length).toBeLessThanOrEqual(50);
        charted.push(
          ...[...text.matchAll(/custom\.googleapis\.com\/pathkeeper\/(\w+)/g)].map(([, metric = ""]) => metric),
        );
      }
      const exported = new Set<string>([...defaultExports, ...Object.keys(ownMetrics)]);
      expect(charted.filter((metric) => !exported.has(metric))).toEqual([]);
      for (const metric of exported) expect(charted).toContain(metric);
    });

    it("raises alerts on metrics that exist", () => {
      const text = JSON.stringify(values("google_monitoring_alert_policy"));
      const own = [...text.matchAll(/custom_googleapis_com:pathkeeper_(\w+)/g)].map(([, metric = ""]) => metric);
      expect(own.filter((metric) => !Object.hasOwn(ownMetrics, metric))).toEqual([]);
      expect(own.length).toBeGreaterThan(0);
      for (const policy of values("google_monitoring_alert_policy")) {
        expect(policy["notification_channels"]).not.toEqual([]);
        expect(policy["documentation"]).toHaveLength(1);
      }
    });

    /** Returns the filter of a log-based alarm. */
    const filterOf = (what: string): string => {
      const policy = values("google_monitoring_alert_policy").find(({ display_name }) => display_name === what);
      const [{ condition_matched_log: [log] = [] } = {}] = (policy?.["conditions"] ?? []) as {
        condition_matched_log?: { filter: string }[];
      }[];
      return log?.filter ?? "";
    };

    it.each<[string, string, string, boolean, string]>([
      ["a 503 that asks for the message once more", "evaluate", "ERROR", false, "requests"],
      ["a 500, which the function wrote of besides", "notify", "ERROR", false, "requests"],
      ["an error that a function wrote", "notify", "ERROR", true, "stdout"],
      ["an end that nobody caught", "probe-outside", "CRITICAL", true, "stderr"],
      ["an instance that ran out of memory", "evaluate", "ERROR", true, "varlog/system"],
      ["work that is not done yet", "notify", "INFO", false, "stdout"],
      ["a warning", "notify", "WARNING", false, "stdout"],
      ["an error of another service", "shop", "ERROR", false, "stdout"],
    ])("raises the alert on failing functions by their own errors: %s", (_what, service, severity, isOurs, log) => {
      const entry = {
        "resource.type": "cloud_run_revision",
        "resource.labels.service_name": service === "shop" ? service : `pathkeeper-${service}`,
        severity,
        logName: `projects/watch-project/logs/${encodeURIComponent(`run.googleapis.com/${log}`)}`,
      };
      expect(matchesLog(filterOf("pathkeeper: a function fails"), entry)).toBe(isOurs);
    });

    it("raises no alert for log entries about a revision by others, such as the audit log", () => {
      const entry = {
        "resource.type": "cloud_run_revision",
        "resource.labels.service_name": "pathkeeper-evaluate",
        severity: "ERROR",
        logName: "projects/watch-project/logs/cloudaudit.googleapis.com%2Fsystem_event",
      };
      expect(matchesLog(filterOf("pathkeeper: a function fails"), entry)).toBe(false);
    });

    it.each<[string, string, string, boolean]>([
      ["a topic that is gone", "pathkeeper-outside-1m", "NOT_FOUND", true],
      ["a right that is gone", "pathkeeper-tick", "PERMISSION_DENIED", true],
      ["a failure without a reason", "pathkeeper-inside-cron-0-6-x-x-x", "", true],
      ["an attempt that is made again", "pathkeeper-tick", "UNAVAILABLE", false],
      ["another monitor whose prefix begins alike", "pathkeeper-two-tick", "NOT_FOUND", false],
      ["another monitor whose prefix ends alike", "my-pathkeeper-tick", "NOT_FOUND", false],
      ["a job of somebody else", "ticketing", "NOT_FOUND", false],
    ])("raises the alert on failing schedules by our own jobs: %s", (_what, job, status, isOurs) => {
      const entry = {
        "resource.type": "cloud_scheduler_job",
        "resource.labels.job_id": job,
        severity: "ERROR",
        ...(status === "" ? {} : { "jsonPayload.status": status }),
      };
      expect(matchesLog(filterOf("pathkeeper: a schedule fails"), entry)).toBe(isOurs);
    });

    it("makes every metric from the log that a probe reads", () => {
      const metrics = of("google_logging_metric").map(({ index }) => index);
      expect(metrics.sort()).toEqual([...deployment.log_metrics].sort());
    });

    it("keeps a container for each secret, and no value of any", () => {
      const { key, secrets: own } = deployment.answers;
      const held = { ...deployment.secrets, notify: [...deployment.secrets.notify, key], answers: [key, ...own] };
      const secrets = new Set(Object.values(held).flat());
      expect(
        of("google_secret_manager_secret")
          .map(({ index }) => index)
          .sort(),
      ).toEqual([...secrets].sort());
      expect(of("google_secret_manager_secret_version")).toEqual([]);
      const readers = of("google_secret_manager_secret_iam_member")
        .map(({ index }) => index)
        .sort();
      const expected = Object.entries(held).flatMap(([name, each]) => each.map((secret) => `${name}/${secret}`));
      expect(readers.filter((reader) => !String(reader).startsWith("synthetic/"))).toEqual(expected.sort());
    });
  });
});

/** Returns Terraform's plan for a configuration. @param more variables */
async function planOf(workspace: Workspace, text: string, more: string = ""): Promise<Planned[]> {
  const loaded = loadConfiguration(text, "monitor.yaml", vocabulary);
  if (!("configuration" in loaded)) throw new Error(loaded.problems.map(({ message }) => message).join("\n"));
  const sha256 = createHash("sha256").update(text).digest("hex");
  await writeBundles(join(workspace.folder, "dist"), deploymentOf(loaded.configuration, sha256));
  await writeFile(join(workspace.folder, "monitor.yaml"), text);
  return planned(
    workspace,
    `project_id = "watch-project"\nregion = "us-central1"\nbundles = "dist"\nconfig_file = "./monitor.yaml"\nalarms = { emails = ["ops@example.com"] }\n${more}`,
  );
}

async function example(file: string): Promise<{ configuration: Configuration; sha256: string }> {
  const { text, loaded } = await readConfigurationFile(file);
  if (!("configuration" in loaded)) throw new Error(`${file} is not right`);
  return { configuration: loaded.configuration, sha256: createHash("sha256").update(text).digest("hex") };
}

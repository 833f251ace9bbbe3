import { describe } from "vitest";
import { all, checkTable, of, settingOf } from "./checks.fixtures.ts";
import { iamChecks } from "./iam.ts";

describe("configuration checks: IAM", () => {
  checkTable(iamChecks, [
    ["cloud_run_roles", "one missing", of("policy", "bindings.2.members", []), /lacks roles\/cloudsql\.instanceUser$/],
    [
      "cloud_run_roles",
      "a wider one",
      all(of("policy", "bindings.1.role", "roles/cloudsql.admin"), settingOf("services.0.database.iam_login", false)),
      "ok",
      "auth",
    ],
    [
      "cloud_run_roles",
      "under a condition",
      of("policy", "bindings.2.condition", { title: "until Friday", expression: "request.time < x" }),
      "unchecked",
    ],
    [
      "cloud_run_roles",
      "a custom role",
      of("policy", "bindings.2.role", "projects/shop-staging/roles/app"),
      "unchecked",
    ],
    ["cloud_run_roles", "no bindings", of("policy", "bindings", undefined), /lacks/, "backend"],
    ["cloud_run_roles", "the default account", all(of("backend", "template.serviceAccount", undefined)), "unchecked"],

    [
      "cloud_run_invokers",
      "a role taken away",
      of("invokers", "bindings.0.members", ["serviceAccount:backend@shop-staging.iam.gserviceaccount.com"]),
      /^the subscription orders-to-worker \(pusher@.*\) may not call it, the job nightly \(scheduler@.*\) may not call it$/,
    ],
    [
      "cloud_run_invokers",
      "a push without a token",
      of("subscription", "pushConfig.oidcToken", undefined),
      /^the subscription orders-to-worker sends no token$/,
    ],
    [
      "cloud_run_invokers",
      "a push without a token, where everyone may call",
      all(
        of("subscription", "pushConfig.oidcToken", undefined),
        of("invokers", "bindings", [{ role: "roles/run.invoker", members: ["allUsers"] }]),
      ),
      "ok",
    ],
    [
      "cloud_run_invokers",
      "everyone with a token, and one who has none",
      all(
        of("job", "httpTarget.oidcToken", undefined),
        of("invokers", "bindings", [{ role: "roles/run.invoker", members: ["allAuthenticatedUsers"] }]),
      ),
      /^the job nightly sends no token$/,
    ],
    [
      "cloud_run_invokers",
      "everyone wanted, and nobody named",
      settingOf("services.2.callers.everyone", true),
      /^not everyone may call it$/,
    ],
    ["cloud_run_invokers", "a service that checks nobody", of("worker", "invokerIamDisabled", true), "ok"],
    [
      "cloud_run_invokers",
      "another service without the role",
      of(
        "invokers",
        "bindings.0.members",
        ["pusher", "scheduler"].map((name) => `serviceAccount:${name}@shop-staging.iam.gserviceaccount.com`),
      ),
      /^the service backend \(backend@.*\) may not call it$/,
    ],
    [
      "cloud_run_invokers",
      "the role under a condition",
      of("invokers", "bindings.0.condition", { expression: "x" }),
      "unchecked",
    ],
    [
      "cloud_run_invokers",
      "a role of one's own making",
      of("invokers", "bindings.0.role", "projects/shop-staging/roles/caller"),
      "unchecked",
    ],
    ["cloud_run_invokers", "no bindings", of("invokers", "bindings", undefined), /may not call it/],
    ["cloud_run_invokers", "no callers named", settingOf("services.2.callers", undefined), "none"],
  ]);
});

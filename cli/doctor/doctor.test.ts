import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { googleApi } from "../../shared/adapters/google-api.ts";
import { loadConfiguration } from "../../shared/config/load.ts";
import type { Diagnosis } from "../../shared/doctor/doctor.ts";
import { scheduledCheck } from "../../shared/doctor/scheduled.ts";
import type { GoogleApi } from "../../shared/ports.ts";
import { deploymentOf } from "../deployment/deployment.ts";
import { vocabulary } from "../vocabulary.ts";
import { examine } from "./doctor.ts";
import { type Answers, checkingDrift, groupDocument, healthy, now, serve, shop } from "./stand-in.fixtures.ts";

const loaded = loadConfiguration(shop, "monitor.yaml", vocabulary);
if (!("configuration" in loaded)) throw new Error(JSON.stringify(loaded.problems));
const { configuration } = loaded;

let answers: Answers;
let server: Awaited<ReturnType<typeof serve>>;

beforeEach(async () => {
  answers = healthy();
  server = await serve(answers);
});
afterEach(() => server.close());

function look(): Promise<Diagnosis> {
  const patient = {
    project: "shop-watch",
    region: "europe-west1",
    prefix: "pathkeeper",
    database: "pathkeeper",
    configuration,
  };
  return examine(patient, googleApi(server.url), now);
}

/** Changes the answer whose path has this suffix. */
function change(end: string, with_: (answer: Record<string, unknown>) => unknown): void {
  const keys = [...answers.keys()].filter((key) => key.endsWith(end));
  expect(keys).toHaveLength(1);
  const [key = ""] = keys;
  const next = with_(answers.get(key) as Record<string, unknown>);
  if (next === undefined) answers.delete(key);
  else answers.set(key, next);
}

describe("a live deployment", () => {
  it("has no gaps when nothing is wrong", async () => {
    const made = await look();
    expect(made).toMatchObject({ gaps: [], unknown: [] });
    expect(made.examined).toBeGreaterThan(40);
  });

  it("takes the last report of a group from the end of its document", async () => {
    change("documents/state/outside-1m", () => groupDocument(now - 3_600_000, now - 1_800_000, now - 60_000));
    expect(await look()).toMatchObject({ gaps: [], unknown: [] });
  });

  it.each<[string, string, (answer: Record<string, unknown>) => unknown, string, RegExp]>([
    [
      "a role is gone",
      "services/pathkeeper-notify:getIamPolicy",
      () => ({ version: 1 }),
      "service pathkeeper-notify",
      /^gcloud run services add-iam-policy-binding pathkeeper-notify --region=europe-west1 --project=shop-watch --member=serviceAccount:pathkeeper-push@shop-watch\.iam\.gserviceaccount\.com --role=roles\/run\.invoker$/,
    ],
    [
      "a role is too many",
      "v3/projects/shop-watch:getIamPolicy",
      ({ bindings, ...rest }) => ({
        ...rest,
        bindings: [
          ...(bindings as object[]),
          { role: "roles/editor", members: ["serviceAccount:pathkeeper-notify@shop-watch.iam.gserviceaccount.com"] },
        ],
      }),
      "project shop-watch",
      /^gcloud projects remove-iam-policy-binding shop-watch --member=serviceAccount:pathkeeper-notify@shop-watch\.iam\.gserviceaccount\.com --role=roles\/editor$/,
    ],
    [
      "dead letters cannot be taken out",
      "subscriptions/pathkeeper-notify-pages:getIamPolicy",
      () => ({}),
      "subscription pathkeeper-notify-pages",
      /^gcloud pubsub subscriptions add-iam-policy-binding pathkeeper-notify-pages .* --role=roles\/pubsub\.subscriber$/,
    ],
    [
      "a secret has no value",
      "secrets/pathkeeper-hook-url/versions/latest",
      () => undefined,
      "secret pathkeeper-hook-url",
      /^gcloud secrets versions add pathkeeper-hook-url --project=shop-watch --data-file=-$/,
    ],
    [
      "a secret's newest version is disabled",
      "secrets/pathkeeper-hook-url/versions/latest",
      (answer) => ({ ...answer, state: "DISABLED" }),
      "secret pathkeeper-hook-url",
      /^gcloud secrets versions enable 3 --secret=pathkeeper-hook-url/,
    ],
    [
      "a subscription expires",
      "subscriptions/pathkeeper-evaluate-ticks",
      (answer) => ({ ...answer, expirationPolicy: { ttl: "2678400s" } }),
      "subscription pathkeeper-evaluate-ticks",
      /--expiration-period=never$/,
    ],
    [
      "a subscription pushes to another function",
      "subscriptions/pathkeeper-evaluate-ticks",
      (answer) => ({
        ...answer,
        pushConfig: {
          ...(answer["pushConfig"] as object),
          pushEndpoint: "https://pathkeeper-notify-abcdefghij-ew.a.run.app/ticks",
        },
      }),
      "subscription pathkeeper-evaluate-ticks",
      /--push-endpoint=/,
    ],
    [
      "a job is paused",
      "jobs/pathkeeper-tick",
      (answer) => ({ ...answer, state: "PAUSED" }),
      "job pathkeeper-tick",
      /^gcloud scheduler jobs resume pathkeeper-tick --location=europe-west1/,
    ],
    [
      "a job failed",
      "jobs/pathkeeper-outside-1m",
      (answer) => ({ ...answer, status: { code: 5, message: "NOT_FOUND" } }),
      "job pathkeeper-outside-1m",
      /^gcloud scheduler jobs run pathkeeper-outside-1m/,
    ],
    [
      "a function does not run",
      "functions/pathkeeper-evaluate",
      (answer) => ({
        ...answer,
        state: "FAILED",
        stateMessages: [{ severity: "ERROR", type: "CloudRunServiceNotFound", message: "Cloud Run service is gone." }],
      }),
      "function pathkeeper-evaluate",
      /^gcloud functions logs read pathkeeper-evaluate --gen2/,
    ],
    [
      "a function is open to the internet",
      "functions/pathkeeper-evaluate",
      (answer) => ({
        ...answer,
        serviceConfig: { ...(answer["serviceConfig"] as object), ingressSettings: "ALLOW_ALL" },
      }),
      "function pathkeeper-evaluate",
      /--ingress=internal$/,
    ],
    [
      "a function logged an error",
      "v2/entries:list",
      () => ({
        entries: [
          {
            timestamp: "2026-11-20T11:00:00Z",
            severity: "ERROR",
            resource: { type: "cloud_run_revision", labels: { service_name: "pathkeeper-notify" } },
            jsonPayload: { message: "no such host" },
          },
        ],
      }),
      "function pathkeeper-notify",
      /^gcloud functions logs read pathkeeper-notify/,
    ],
    [
      "an index is being built",
      "collectionGroups/-/indexes",
      ({ indexes }) => ({ indexes: (indexes as object[]).map((each) => ({ ...each, state: "CREATING" })) }),
      "index of incidents by status, opened_at",
      /^gcloud firestore indexes composite create --database=pathkeeper/,
    ],
    [
      "documents do not expire",
      "collectionGroups/state/fields/expires_at",
      () => ({ indexConfig: {} }),
      "collection state",
      /^gcloud firestore fields ttls update expires_at --collection-group=state .*--enable-ttl$/,
    ],
    [
      "the database can be deleted",
      "databases/pathkeeper",
      (answer) => ({ ...answer, deleteProtectionState: "DELETE_PROTECTION_DISABLED" }),
      "database pathkeeper",
      /--delete-protection$/,
    ],
    [
      "an alarm tells nobody",
      "alertPolicies",
      ({ alertPolicies }) => ({
        alertPolicies: (alertPolicies as object[]).map((each, at) =>
          at === 0 ? { ...each, notificationChannels: [] } : each,
        ),
      }),
      'alarm "pathkeeper: no measurements"',
      /--add-notification-channels/,
    ],
    [
      "a channel is not verified",
      "notificationChannels",
      ({ notificationChannels }) => ({
        notificationChannels: (notificationChannels as object[]).map((each) => ({
          ...each,
          verificationStatus: "UNVERIFIED",
        })),
      }),
      "notification channel ops",
      /^gcloud beta monitoring channels describe/,
    ],
    [
      "a group is silent",
      "documents/state/outside-1m",
      () => groupDocument(now - 3_600_000),
      "group outside-1m",
      /^gcloud scheduler jobs run pathkeeper-outside-1m/,
    ],
    [
      "a group has never reported",
      "documents/state/outside-1m",
      () => undefined,
      "group outside-1m",
      /^gcloud scheduler jobs run pathkeeper-outside-1m/,
    ],
  ])("prints the gcloud command that fixes it when %s", async (_what, end, with_, what, fix) => {
    change(end, with_);
    const { gaps } = await look();
    const own = gaps.filter((gap) => gap.what === what);
    expect(own.length).toBeGreaterThan(0);
    expect(gaps.every((gap) => gap.what === what || gap.what.startsWith("index of"))).toBe(true);
    expect(own[0]?.fix).toMatch(fix);
  });

  it("reports message backlogs and refused pushes", async () => {
    const series = (labels: object, subscription: string, value: string) => ({
      metric: { type: "…", labels },
      resource: { type: "pubsub_subscription", labels: { project_id: "shop-watch", subscription_id: subscription } },
      metricKind: "DELTA",
      valueType: "INT64",
      points: [{ interval: { endTime: "2026-11-20T12:00:00Z" }, value: { int64Value: value } }],
    });
    change("/timeSeries", () => ({
      timeSeries: [series({ response_code: "403" }, "pathkeeper-notify-notifications", "4000")],
    }));
    const { gaps } = await look();
    expect(gaps.map(({ what, says }) => `${what} ${says}`)).toEqual(
      expect.arrayContaining([
        "subscription pathkeeper-notify-notifications has a message that has waited for 1 h 6 min",
        "subscription pathkeeper-notify-notifications was answered 403 4000 times in the last hour",
      ]),
    );
    expect(gaps.map(({ fix }) => fix).join("\n")).toContain("--role=roles/run.invoker");
  });

  it("reports resources that it may not read, and then exits with 1", async () => {
    change("databases/pathkeeper", () => 403);
    const made = await look();
    expect(made.gaps).toEqual([]);
    expect(made.unknown).toEqual([expect.stringMatching(/^database pathkeeper could not be examined: refused/)]);
  });
});

describe("a deployment that checks itself for drift", () => {
  const roleOf = "roles/pathkeeper_drift";
  let folder: string;
  let asked: string[];
  beforeEach(async () => {
    checkingDrift(answers);
    asked = [];
    folder = await mkdtemp(join(tmpdir(), "pathkeeper-drift-"));
    await writeFile(join(folder, "deployment.json"), JSON.stringify(deploymentOf(configuration, "")));
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** Google's APIs, with a note of what they are asked. */
  function noted(): GoogleApi {
    const google = googleApi(server.url);
    const request: GoogleApi["request"] = (each) => {
      asked.push(each.url);
      return google.request(each);
    };
    return { ...google, request };
  }

  function environment(): Record<string, string> {
    return {
      PATHKEEPER_PROJECT: "shop-watch",
      PATHKEEPER_SECRET_PREFIX: "pathkeeper",
      PATHKEEPER_DATABASE: "pathkeeper",
      PATHKEEPER_CONFIGURATION: join(folder, "configuration.json"),
    };
  }

  /** The check as the function makes it from its environment. */
  function check(more: Record<string, string> = { PATHKEEPER_DRIFT_CHECK: "europe-west1" }) {
    return scheduledCheck({ ...environment(), ...more }, { google: noted(), configuration });
  }

  it("has no gaps when nothing is wrong, for the function and for the command", async () => {
    expect(await check()?.(AbortSignal.timeout(10_000))).toMatchObject({ gaps: [], unknown: [] });
    expect(await look()).toMatchObject({ gaps: [], unknown: [] });
  });

  it("finds what the command finds", async () => {
    change("jobs/pathkeeper-tick", (answer) => ({ ...answer, state: "PAUSED" }));
    change(roleOf, (answer) => ({ ...answer, includedPermissions: ["iam.roles.get"] }));
    const found = await check()?.(AbortSignal.timeout(10_000));
    expect(found?.gaps).toEqual((await look()).gaps);
    expect(found?.gaps.map(({ what }) => what)).toEqual(["role pathkeeper_drift", "job pathkeeper-tick"]);
  });

  it("asks for nothing but what its role allows: neither logs, nor documents, nor charts", async () => {
    await check()?.(AbortSignal.timeout(10_000));
    expect(asked.length).toBeGreaterThan(30);
    expect(asked.filter((url) => /logging|timeSeries|\/documents\/|:access|:pull/.test(url))).toEqual([]);
  });

  it("says what it may not read, which is no gap", async () => {
    change(roleOf, () => 403);
    const found = await check()?.(AbortSignal.timeout(10_000));
    expect(found?.gaps).toEqual([]);
    expect(found?.unknown).toEqual([expect.stringMatching(/^role pathkeeper_drift could not be examined: refused/)]);
  });

  it("ends in time, and does not know what was not answered", async () => {
    const google = noted();
    const never: GoogleApi["request"] = (each) =>
      each.url.includes("/jobs/")
        ? new Promise((_, reject) => {
            each.signal?.addEventListener("abort", () => reject(each.signal?.reason));
          })
        : google.request(each);
    const all = { ...environment(), PATHKEEPER_DRIFT_CHECK: "europe-west1" };
    const made = scheduledCheck(all, { google: { ...google, request: never }, configuration });
    const found = await made?.(AbortSignal.timeout(1_500));
    expect(found?.gaps).toEqual([]);
    expect(found?.unknown).toHaveLength(2);
  });

  it("is not checked by default, and nothing is asked", () => {
    expect(check({})).toBeUndefined();
    expect(asked).toEqual([]);
  });

  it("is told which variable is missing", () => {
    expect(() => scheduledCheck({ PATHKEEPER_DRIFT_CHECK: "x" }, { google: noted(), configuration })).toThrow(
      "PATHKEEPER_PROJECT is not set",
    );
  });
});

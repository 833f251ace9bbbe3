/** Derives the resource names of a monitor from its inputs. */

import { at } from "../runtime/entries.ts";
import type { DeployedFunction, Deployment } from "./deployment.ts";
import type { Inputs } from "./inputs.ts";

/** A function of the plan: the deployed ones, the one that takes answers, and the synthetic monitor's. */
export type FunctionName = DeployedFunction | "answers" | "synthetic";

/** Names and addresses of one monitor. */
export interface Names {
  readonly deployment: Deployment;
  readonly inputs: Inputs;
  readonly project: string;
  readonly region: string;
  readonly prefix: string;
  readonly database: string;
  /** The functions that Pub/Sub pushes to. */
  readonly pushed: readonly DeployedFunction[];
  /** All functions. */
  readonly functions: readonly FunctionName[];
  readonly pubsubAgent: string;
  name(suffix: string): string;
  /** Returns the known value of a planned resource at a path. */
  given(type: string, key: Readonly<Record<string, string>>, path: string): string | undefined;
  topicId(topic: string): string;
  email(account: string): string;
  member(account: string): string;
  /** The entry point of a function. */
  target(name: FunctionName): "probe" | "evaluate" | "notify";
  /** URL of the function that receives responses; `undefined` if there is none. */
  readonly answersUrl: string | undefined;
  /** The secrets that a function reads. */
  secretsOf(name: FunctionName): readonly string[];
}

/** A monitor to be named, with the resources of its plan where there is one. */
export interface Named {
  readonly deployment: Deployment;
  readonly inputs: Inputs;
  readonly resources?: readonly { readonly type: string; readonly known: Readonly<Record<string, unknown>> }[];
}

/** Works out the names of a monitor. */
export function namesOf({ deployment, inputs, resources = [] }: Named): Names {
  const { project_id: project, region, name_prefix: prefix } = inputs;
  const name = (suffix: string): string => `${prefix}-${suffix}`;
  const given = (type: string, key: Readonly<Record<string, string>>, path: string): string | undefined => {
    const planned = resources.find(
      (one) => one.type === type && Object.entries(key).every(([where, value]) => at(one.known, where) === value),
    );
    const value = at(planned?.known, path);
    return typeof value === "string" ? value : undefined;
  };
  const ofAccount = (account: string, path: string): string | undefined =>
    given("google_service_account", { account_id: name(account) }, path);
  const email = (account: string): string =>
    ofAccount(account, "email") ?? `${name(account)}@${project}.iam.gserviceaccount.com`;
  const member = (account: string): string => ofAccount(account, "member") ?? `serviceAccount:${email(account)}`;
  const pushed: DeployedFunction[] = [
    ...deployment.vantages.map((vantage) => `probe-${vantage}` as const),
    "evaluate",
    "notify",
  ];
  const journey = deployment.probes.find((probe) => probe.name === inputs.second_opinion.journey);
  return {
    deployment,
    inputs,
    project,
    region,
    prefix,
    database: inputs.database.name ?? prefix,
    pushed,
    functions: [
      ...pushed,
      ...(inputs.answers.enabled ? (["answers"] as const) : []),
      ...(inputs.second_opinion.journey === null ? [] : (["synthetic"] as const)),
    ],
    pubsubAgent: `serviceAccount:service-${inputs.project_number}@gcp-sa-pubsub.iam.gserviceaccount.com`,
    name,
    given,
    email,
    topicId: (topic) => `projects/${project}/topics/${name(topic)}`,
    member,
    target: (one) => (one === "answers" ? "notify" : one === "evaluate" || one === "notify" ? one : "probe"),
    secretsOf: (one) => {
      if (one === "synthetic") return journey?.secrets ?? [];
      const key = inputs.answers.enabled ? [deployment.answers.key] : [];
      if (one === "answers") return [...key, ...deployment.answers.secrets];
      return one === "notify" ? [...deployment.secrets.notify, ...key] : deployment.secrets[one];
    },
    answersUrl: inputs.answers.enabled
      ? (inputs.answers.url ?? `https://${name("answers")}-${inputs.project_number}.${region}.run.app`)
      : undefined,
  };
}

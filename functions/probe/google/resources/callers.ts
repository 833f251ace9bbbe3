/** Reads the permitted callers of a service, and the identities of its callers. */
import { at, textAt } from "../configuration/json.ts";
import type { Read, Reader } from "../configuration/read.ts";
import type { ConfigurationSettings } from "../configuration/settings.ts";
import { type Binding, takePolicy } from "./iam.ts";

/** A caller, with the fields that are checked: the service account of its token, or none. */
export interface Caller {
  readonly account: string | undefined;
}

/** Reads the IAM policies of the services with configured callers, by service. Source: Cloud Run Admin API v2, `services.getIamPolicy`. */
export async function readInvokers(
  reader: Reader,
  { project, region, services }: ConfigurationSettings,
): Promise<ReadonlyMap<string, Read<readonly Binding[]>>> {
  const called = services.filter(({ callers }) => callers !== undefined);
  return new Map(
    await Promise.all(
      called.map(async (one): Promise<[string, Read<readonly Binding[]>]> => {
        const place = `projects/${project}/locations/${one.region ?? region}`;
        const url = `https://run.googleapis.com/v2/${place}/services/${one.name}:getIamPolicy?options.requestedPolicyVersion=3`;
        const about = { resource: one.name, component: one.component, project, url };
        return [one.name, await reader.one({ read: "run_policy", ...about }, takePolicy)];
      }),
    ),
  );
}

/** Reads the push subscriptions and the jobs that call services, by `push/NAME` and `job/NAME`. */
export async function readCallers(
  reader: Reader,
  { project, region, services }: ConfigurationSettings,
): Promise<ReadonlyMap<string, Read<Caller>>> {
  const reads = services.flatMap(({ callers, component, region: own = region }) => [
    ...(callers?.push_subscriptions ?? []).map(async (name): Promise<[string, Read<Caller>]> => {
      const url = `https://pubsub.googleapis.com/v1/projects/${project}/subscriptions/${name}`;
      const about = { resource: name, component, project, url };
      return [`push/${name}`, await reader.one({ read: "push_subscription", ...about }, takePushCaller)];
    }),
    ...(callers?.scheduler_jobs ?? []).map(async (name): Promise<[string, Read<Caller>]> => {
      const url = `https://cloudscheduler.googleapis.com/v1/projects/${project}/locations/${own}/jobs/${name}`;
      const about = { resource: name, component, project, url };
      return [`job/${name}`, await reader.one({ read: "scheduler_job", ...about }, takeJobCaller)];
    }),
  ]);
  return new Map(await Promise.all(reads));
}

/** Returns the identity that a subscription pushes with. Source: Pub/Sub API v1, `projects.subscriptions`. */
export function takePushCaller(json: unknown): Caller {
  return { account: textAt(json, "pushConfig", "oidcToken", "serviceAccountEmail") };
}

/** Returns the identity that a job calls with. Source: Cloud Scheduler API v1, `projects.locations.jobs`. */
export function takeJobCaller(json: unknown): Caller {
  return { account: textAt(at(json, "httpTarget"), "oidcToken", "serviceAccountEmail") };
}

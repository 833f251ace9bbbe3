/** Pub/Sub subscriptions and Cloud Scheduler jobs that call an address. */
import { listAt, textAt } from "../../../../functions/probe/google/configuration/json.ts";
import type { FoundCaller } from "../found.ts";
import { hostOf, type Reading, resourceName } from "../reading.ts";

/** Source: Pub/Sub API v1, `projects.subscriptions`. */
export const pushSubscriptions: Reading<FoundCaller> = {
  what: "Pub/Sub subscriptions",
  api: "pubsub.googleapis.com",
  permission: "pubsub.subscriptions.list",
  role: "roles/pubsub.viewer",
  scope: "project",
  request: ({ project }) => ({
    url: `https://pubsub.googleapis.com/v1/projects/${project}/subscriptions?pageSize=500`,
  }),
  entries: (answer) => listAt(answer, "subscriptions"),
  take(entry) {
    const name = resourceName(textAt(entry, "name"));
    const host = hostOf(textAt(entry, "pushConfig", "pushEndpoint"));
    if (name === undefined || host === undefined) return undefined;
    return { kind: "push_subscription", name, region: undefined, host };
  },
};

/** Source: Cloud Scheduler API v1, `projects.locations.jobs`. */
export const schedulerJobs: Reading<FoundCaller> = {
  what: "Cloud Scheduler jobs",
  api: "cloudscheduler.googleapis.com",
  permission: "cloudscheduler.jobs.list",
  role: "roles/cloudscheduler.viewer",
  scope: "region",
  request: ({ project, region }) => ({
    url: `https://cloudscheduler.googleapis.com/v1/projects/${project}/locations/${region}/jobs?pageSize=500`,
  }),
  entries: (answer) => listAt(answer, "jobs"),
  take(entry, { region }) {
    const name = resourceName(textAt(entry, "name"));
    const host = hostOf(textAt(entry, "httpTarget", "uri"));
    if (name === undefined || host === undefined) return undefined;
    return { kind: "scheduler_job", name, region, host };
  },
};

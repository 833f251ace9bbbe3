/**
 * The APIs that an examination asks, and the permissions that its questions need: all of them read, and none reads messages or values of secrets.
 * @see https://cloud.google.com/iam/docs/permissions-reference
 */
const permissions = {
  cloudfunctions: ["cloudfunctions.functions.get"],
  cloudresourcemanager: ["resourcemanager.projects.get", "resourcemanager.projects.getIamPolicy"],
  cloudscheduler: ["cloudscheduler.jobs.get"],
  firestore: ["datastore.databases.getMetadata", "datastore.indexes.get", "datastore.indexes.list"],
  iam: ["iam.roles.get", "iam.serviceAccounts.getIamPolicy"],
  monitoring: ["monitoring.alertPolicies.list", "monitoring.notificationChannels.list"],
  pubsub: ["pubsub.subscriptions.get", "pubsub.subscriptions.getIamPolicy", "pubsub.topics.getIamPolicy"],
  run: ["run.services.getIamPolicy"],
  secretmanager: ["secretmanager.secrets.getIamPolicy", "secretmanager.versions.get"],
  storage: ["storage.buckets.getIamPolicy"],
} as const;

/** An API that is asked, as its host is called. */
export type ExaminedApi = keyof typeof permissions;

/** The URL of a resource of an API. @param path with its version: `v1/projects/my-project` */
export function urlOf(api: ExaminedApi, path: string): string {
  return `https://${api}.googleapis.com/${path}`;
}

/** All permissions of an examination, in order. @param buckets whether there are status pages, whose buckets it looks at */
export function examinationPermissions(buckets: boolean): string[] {
  return Object.entries(permissions)
    .flatMap(([api, own]) => (api === "storage" && !buckets ? [] : own))
    .sort();
}

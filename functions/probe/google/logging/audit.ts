/**
 * Describes changes from Cloud Audit Logs in plain words. The form of an entry is the same for every service. The names of its method and
 * resource are derived from their parts, so that methods outside the table are described as well. Sources:
 * https://docs.cloud.google.com/logging/docs/reference/audit/auditlog/rest/Shared.Types/AuditLog ·
 * https://docs.cloud.google.com/run/docs/audit-logging · https://docs.cloud.google.com/sql/docs/postgres/audit-logging ·
 * https://docs.cloud.google.com/compute/docs/logging/audit-logging ·
 * https://docs.cloud.google.com/iam/docs/audit-logging/examples-service-accounts
 */
import type { ChangeKind } from "../../../../shared/messages/report.ts";
import { ownEntry } from "../../../../shared/runtime/entries.ts";
import { list } from "../../../../shared/text/sentences.ts";
import { at, flagAt, listAt, nameIn, numberAt, textAt } from "../configuration/json.ts";
import { type LogEntry, quoted } from "./entries.ts";

/** A change as described by an entry, before it is attributed. */
export interface AuditChange {
  readonly id: string;
  readonly at: number;
  readonly kind: ChangeKind;
  readonly what: string;
  readonly resource: string;
  /** Parts of the environment that it names, each with API, collection and name. */
  readonly names: readonly { readonly api: string; readonly collection: string; readonly name: string }[];
  /** Email addresses of the accounts that it changes, or whose roles it changes. */
  readonly accounts: readonly string[];
  /** The author of the change. */
  readonly principal?: string | undefined;
  readonly revert?: string | undefined;
  /** An ID shared by all entries about one change. */
  readonly operation?: string | undefined;
}

const system = "cloudaudit.googleapis.com%2Fsystem_event";

/** Names of the resource types, and the kind of change that each belongs to. */
const things: Readonly<Record<string, Readonly<Record<string, readonly [title: string, kind: ChangeKind]>>>> = {
  "run.googleapis.com": { services: ["Cloud Run service", "deployment"] },
  "cloudsql.googleapis.com": { instances: ["Cloud SQL instance", "settings"] },
  "vpcaccess.googleapis.com": { connectors: ["VPC connector", "network"] },
  "compute.googleapis.com": {
    firewalls: ["firewall rule", "firewall"],
    firewallPolicies: ["firewall policy", "firewall"],
    securityPolicies: ["Cloud Armor policy", "firewall"],
    networks: ["VPC network", "network"],
    subnetworks: ["subnet", "network"],
    routes: ["route", "network"],
    routers: ["Cloud Router", "network"],
    urlMaps: ["URL map", "settings"],
    backendServices: ["backend service", "settings"],
    forwardingRules: ["forwarding rule", "settings"],
    targetHttpsProxies: ["HTTPS proxy", "settings"],
    networkEndpointGroups: ["network endpoint group", "settings"],
    sslCertificates: ["certificate", "certificate"],
  },
  "secretmanager.googleapis.com": { secrets: ["secret", "secret"] },
  "certificatemanager.googleapis.com": {
    certificates: ["certificate", "certificate"],
    certificateMaps: ["certificate map", "certificate"],
    certificateMapEntries: ["certificate map entry", "certificate"],
    dnsAuthorizations: ["DNS authorization", "certificate"],
  },
  "dns.googleapis.com": { managedZones: ["DNS zone", "dns"] },
  "redis.googleapis.com": { instances: ["Redis instance", "settings"] },
  "servicenetworking.googleapis.com": { services: ["private services access", "network"] },
  "iam.googleapis.com": { serviceAccounts: ["service account", "iam"], roles: ["role", "iam"] },
  "cloudresourcemanager.googleapis.com": { projects: ["project", "iam"] },
  "serviceusage.googleapis.com": { services: ["API", "policy"], limits: ["quota", "quota"] },
  "cloudquotas.googleapis.com": { quotaPreferences: ["quota", "quota"] },
  "orgpolicy.googleapis.com": { policies: ["organization policy", "policy"] },
};

/** Methods that change nothing about how things run, and may be logged every minute. */
const quiet = [
  "cloudsql.sslCerts.createEphemeral",
  "cloudsql.instances.connect",
  "cloudsql.instances.generateEphemeralCert",
  "cloudsql.instances.export",
  "cloudsql.backupRuns.create",
  "cloudsql.backupRuns.delete",
  "google.iam.admin.v1.CreateServiceAccountKey",
];

/** Returns the filter for the entries since an instant, in milliseconds since the epoch. */
export function auditFilter(project: string, from: number, until: number): string {
  const logs = ["cloudaudit.googleapis.com%2Factivity", system].map((log) => quoted(`projects/${project}/logs/${log}`));
  return [
    `logName=(${logs.join(" OR ")})`,
    `timestamp>=${quoted(new Date(from).toISOString())}`,
    `timestamp<=${quoted(new Date(until).toISOString())}`,
    `protoPayload.serviceName=(${Object.keys(things).map(quoted).join(" OR ")})`,
    `NOT protoPayload.methodName=(${quiet.map(quoted).join(" OR ")})`,
  ].join("\n");
}

/** Returns the changes in the entries, newest first, each once. */
export function changesIn(entries: readonly LogEntry[]): AuditChange[] {
  const found = [...entries].sort((a, b) => a.at - b.at).flatMap(changeIn);
  // A long-running operation is logged when it begins and when it ends; only the first entry contains its request.
  const once = new Map(found.map((change) => [change.operation ?? change.id, change] as const).reverse());
  return withRevisions([...once.values()]).sort((a, b) => b.at - a.at || (a.id < b.id ? -1 : 1));
}

/**
 * Merges the two entries of a deployment: one by its author, and one by Cloud Run when the revision is ready, which may be the only one to
 * contain the revision's name.
 */
function withRevisions(changes: readonly AuditChange[]): AuditChange[] {
  const isDeployment = ({ kind }: AuditChange): boolean => kind === "deployment";
  return changes.flatMap((change) => {
    if (!isDeployment(change)) return [change];
    const same = changes.filter((other) => isDeployment(other) && other.resource === change.resource);
    if (change.id.startsWith(revisionMark)) {
      return same.some((other) => isOf(other, change)) ? [] : [{ ...change, id: change.id.slice(revisionMark.length) }];
    }
    const revision = same.find((other) => isOf(change, other));
    return [revision === undefined ? change : { ...change, what: revision.what }];
  });
}

const revisionMark = "revision/";
/** Maximum time until a revision is ready, in milliseconds. */
const rollout = 600_000;

function isOf(deployment: AuditChange, revision: AuditChange): boolean {
  if (deployment.id.startsWith(revisionMark) || !revision.id.startsWith(revisionMark)) return false;
  return revision.at >= deployment.at && revision.at - deployment.at <= rollout;
}

function changeIn(entry: LogEntry): AuditChange[] {
  const payload = at(entry.json, "protoPayload");
  const [api = "", method = "", path = ""] = ["serviceName", "methodName", "resourceName"].map((field) =>
    textAt(payload, field),
  );
  const own = ownEntry(things, api);
  if (own === undefined) return [];
  const isSystem = entry.logName.endsWith(system);
  const failed = (numberAt(payload, "status", "code") ?? 0) !== 0;
  // A refused attempt changed nothing. For a revision, the failure to start is the news.
  if (failed && !isSystem) return [];
  const names = namesIn(path, api, entry.json);
  const named = names.findLast(({ collection }) => ownEntry(own, collection) !== undefined);
  if (named === undefined) return [];
  const [title, kind] = ownEntry(own, named.collection) ?? ["", "other"];
  const deltas = listAt(payload, "serviceData", "policyDelta", "bindingDeltas");
  const network = textAt(payload, "request", "network");
  const base = {
    id: entry.id,
    at: entry.at,
    kind,
    resource: `${title} ${named.name}`,
    names: network === undefined ? names : [...names, { api, collection: "networks", name: nameIn(network) }],
    accounts: named.collection === "serviceAccounts" ? [named.name] : [],
    principal: textAt(payload, "authenticationInfo", "principalEmail"),
    operation: textAt(entry.json, "operation", "id"),
  };
  if (deltas.length > 0) return [{ ...base, ...rolesChanged(deltas, named) }];
  if (api === "run.googleapis.com") return [{ ...base, ...deployed(entry, named.name, isSystem, failed) }];
  if (isSystem) return [{ ...base, ...byGoogle(method, title, named.name) }];
  const failover = /failover/i.test(nameOf(method)) ? { kind: "failover" as const } : {};
  return [
    {
      ...base,
      ...failover,
      what: `${verbOf(method)} ${title} ${named.name}${detailOf(payload)}`,
      ...undoing(method, named, path),
    },
  ];
}

/** Returns every collection and name in a path, and those in the labels of the resource. */
function namesIn(path: string, api: string, json: unknown): AuditChange["names"] {
  const parts = path.split("/");
  const pairs = parts.flatMap((collection, index) => {
    const name = parts[index + 1];
    // Some segments of a path have no name, such as `global`.
    return name === undefined || name === "" ? [] : [{ api, collection, name }];
  });
  const service = textAt(json, "resource", "labels", "service_name");
  const isNamed = pairs.some(({ collection }) => collection === "services");
  return api === "run.googleapis.com" && service !== undefined && !isNamed
    ? [...pairs, { api, collection: "services", name: service }]
    : pairs;
}

/** Describes a deployment, a change of traffic, or a ready revision. */
function deployed(
  entry: LogEntry,
  service: string,
  isSystem: boolean,
  failed: boolean,
): Pick<AuditChange, "kind" | "what" | "revert"> & Partial<AuditChange> {
  const payload = at(entry.json, "protoPayload");
  const method = textAt(payload, "methodName") ?? "";
  const back = `Send its traffic to the previous revision: \`gcloud run services update-traffic ${service} --to-revisions REVISION=100\`; \`gcloud run revisions list --service ${service}\` lists them.`;
  const revision = nameIn(
    textAt(payload, "request", "service", "spec", "template", "metadata", "name") ??
      textAt(payload, "response", "status", "latestCreatedRevisionName") ??
      textAt(payload, "response", "latestCreatedRevision") ??
      (nameIn(textAt(payload, "resourceName") ?? "") === service ? "" : nameIn(textAt(payload, "resourceName") ?? "")),
  );
  const which = revision === "" ? "a revision" : `revision ${revision}`;
  if (isSystem) {
    const id = `${revisionMark}${entry.id}`;
    return {
      id,
      kind: "deployment",
      what: failed ? `deployed ${which}, which did not become ready` : `deployed ${which}`,
      revert: back,
    };
  }
  if (/delete/i.test(method))
    return {
      kind: "deployment",
      what: `deleted ${revision === "" ? `Cloud Run service ${service}` : which}`,
      revert: undefined,
    };
  const traffic = [
    ...listAt(payload, "request", "service", "spec", "traffic"),
    ...listAt(payload, "request", "service", "traffic"),
  ];
  const pinned = traffic.flatMap((one) => {
    const name = textAt(one, "revisionName") ?? textAt(one, "revision");
    const percent = numberAt(one, "percent");
    return name === undefined || percent === undefined || flagAt(one, "latestRevision") === true
      ? []
      : [`${percent}% to ${nameIn(name)}`];
  });
  if (pinned.length > 0) return { kind: "traffic", what: `sent traffic: ${list(pinned)}`, revert: back };
  return { kind: "deployment", what: `deployed ${which}`, revert: back };
}

/** Describes an action that Google performed by itself. */
function byGoogle(method: string, title: string, name: string): Pick<AuditChange, "kind" | "what"> {
  if (/failover/i.test(method)) return { kind: "failover", what: `failed over ${title} ${name}` };
  return { kind: "maintenance", what: `maintenance by Google of ${title} ${name} (${nameOf(method)})` };
}

/** Describes granted and revoked roles. */
function rolesChanged(
  deltas: readonly unknown[],
  { collection, name }: AuditChange["names"][number],
): Pick<AuditChange, "kind" | "what" | "accounts" | "revert"> {
  const all = deltas.flatMap((delta) => {
    const [action, role, member] = ["action", "role", "member"].map((field) => textAt(delta, field));
    return action === undefined || role === undefined || member === undefined
      ? []
      : [{ isAdded: action === "ADD", role, member }];
  });
  // Removals break things, so they come first.
  const inOrder = all.toSorted((a, b) => Number(a.isAdded) - Number(b.isAdded));
  const descriptions = inOrder.map(
    ({ isAdded, role, member }) =>
      `${isAdded ? "added" : "removed"} ${role} ${isAdded ? "to" : "from"} ${memberName(member)}`,
  );
  const [first] = inOrder;
  const accounts = all.flatMap(({ member }) => accountIn(member) ?? []);
  const on = collection === "projects" ? "" : ` on ${name}`;
  const account = accountIn(first?.member ?? "");
  const revert =
    first === undefined || account === undefined || collection !== "projects"
      ? undefined
      : `\`gcloud projects ${first.isAdded ? "remove" : "add"}-iam-policy-binding ${name} --role ${first.role} --member serviceAccount:${account}\``;
  return {
    kind: "iam",
    what: descriptions.length === 0 ? `changed the IAM policy of ${name}` : `${list(descriptions, 3)}${on}`,
    accounts,
    revert,
  };
}

/** Returns an account by the part before its domain; people are not named. */
function memberName(member: string): string {
  const account = accountIn(member);
  if (account !== undefined) return `${account.split("@")[0]}@…`;
  return member.includes(":") ? `a ${member.split(":")[0]}` : member;
}

function accountIn(member: string): string | undefined {
  return /^serviceAccount:(.+)$/.exec(member)?.[1];
}

/** Past tense of a method's verb, by its prefix. */
const verbs: readonly (readonly [RegExp, string])[] = [
  [/^(create|insert)/i, "created"],
  [/^AddSecretVersion/i, "added a version to"],
  [/^add/i, "added to"],
  [/^destroy/i, "destroyed a version of"],
  [/^(delete|remove)/i, "deleted"],
  [/^disable/i, "disabled"],
  [/^(enable|undelete)/i, "enabled"],
  [/^restart/i, "restarted"],
  [/^failover/i, "failed over"],
  [/^stop/i, "stopped"],
  [/^start/i, "started"],
  [/^(restore|clone|promote|demote)/i, "restored or promoted"],
];

function verbOf(method: string): string {
  const word = nameOf(method);
  return verbs.find(([begins]) => begins.test(word))?.[1] ?? "changed";
}

/** Returns the last part of the name of a method. */
function nameOf(method: string): string {
  return method.slice(Math.max(method.lastIndexOf("."), method.lastIndexOf("/")) + 1);
}

/** Returns the changed settings, as far as the request contains them: their names, and never their values. */
function detailOf(payload: unknown): string {
  const denied = [...listAt(payload, "request", "denieds"), ...listAt(payload, "request", "denied")];
  if (denied.length > 0)
    return `, which denies ${textAt(payload, "request", "direction") === "EGRESS" ? "egress" : "ingress"}`;
  const version = /\/secrets\/[^/]+\/versions\/([^/:]+)/.exec(textAt(payload, "resourceName") ?? "")?.[1];
  if (version !== undefined) return ` (version ${version})`;
  const settings = at(payload, "request", "body", "settings") ?? at(payload, "request", "settings");
  const mask = textAt(payload, "request", "updateMask") ?? "";
  const fields =
    mask !== "" ? mask.split(",") : typeof settings === "object" && settings !== null ? Object.keys(settings) : [];
  const told = fields
    .map((field) => field.trim())
    .filter((field) => field !== "" && field !== "settingsVersion" && field !== "@type");
  return told.length === 0 ? "" : `: ${list(told.map((field) => field.slice(0, 40)))}`;
}

/** Returns the command that reverts the change, if there is a single one. */
function undoing(
  method: string,
  { collection, name }: AuditChange["names"][number],
  path: string,
): { revert?: string } {
  const verb = verbOf(method);
  const version = /\/versions\/([^/:]+)/.exec(path)?.[1] ?? "VERSION";
  if (collection === "firewalls" && verb === "created")
    return { revert: `\`gcloud compute firewall-rules update ${name} --disabled\` disables the rule.` };
  if (collection === "secrets" && /^destroy/i.test(nameOf(method)))
    return {
      revert: `A destroyed version cannot be restored: add the value again with \`gcloud secrets versions add ${name} --data-file=-\`.`,
    };
  if (collection === "secrets" && verb === "disabled")
    return { revert: `\`gcloud secrets versions enable ${version} --secret ${name}\`` };
  if (collection === "serviceAccounts" && verb === "disabled")
    return { revert: `\`gcloud iam service-accounts enable ${name}\`` };
  return {};
}

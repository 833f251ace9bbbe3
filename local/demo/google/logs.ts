/**
 * Cloud Logging, as it would have recorded what is played: audit logs of the change that begins an outage and of one elsewhere, and the errors that
 * services write while it lasts, in the shapes of the real entries.
 *
 * Sources: https://docs.cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry · https://docs.cloud.google.com/logging/docs/reference/audit/auditlog/rest/Shared.Types/AuditLog
 */
import { ownEntry } from "../../../shared/runtime/entries.ts";
import type { DemoChange } from "../faults.ts";
import type { ApiHandler } from "./api.ts";
import { googleNames } from "./record.ts";
import { refused } from "./series.ts";

/** A change that is played, and since when, in milliseconds since the epoch. */
export interface PlayedChange {
  readonly change: DemoChange;
  readonly at: number;
  /** When it was put right; absent while it lasts. */
  readonly until?: number;
}

/** One entry, with the instant at which it was written. */
interface Entry {
  readonly at: number;
  readonly json: Readonly<Record<string, unknown>>;
}

/** Cloud Logging over what has been played so far. */
export function loggingApi(played: () => readonly PlayedChange[], project: string): ApiHandler {
  return ({ method, path, body }) => {
    if (path !== "/v2/entries:list" || method !== "POST") return undefined;
    const { filter = "", pageSize = 50, orderBy = "", resourceNames = [] } = body as Partial<ListRequest>;
    if (!resourceNames.includes(`projects/${project}`))
      return refused(403, "PERMISSION_DENIED", "Permission denied for all log views");
    const all = played().flatMap((one) => [...auditEntries(one, project), ...errorEntries(one, Date.now(), project)]);
    const found = all.filter((entry) => isWanted(entry, filter)).sort((a, b) => a.at - b.at);
    const inOrder = orderBy.endsWith("desc") ? found.reverse() : found;
    const entries = inOrder.slice(0, pageSize).map(({ json }) => json);
    const more = inOrder.length > pageSize ? { nextPageToken: "more" } : {};
    return { status: 200, body: { ...(entries.length === 0 ? {} : { entries }), ...more } };
  };
}

interface ListRequest {
  readonly filter: string;
  readonly pageSize: number;
  readonly orderBy: string;
  readonly resourceNames: readonly string[];
}

/** As much of the language of filters as the probes use: times, whether audit logs are wanted, and labels of resources. */
function isWanted({ at, json }: Entry, filter: string): boolean {
  for (const [, sign, time = ""] of filter.matchAll(/timestamp([<>]=?)"([^"]+)"/g)) {
    const limit = Date.parse(time);
    if (sign === ">=" ? at < limit : sign === "<=" ? at > limit : at >= limit) return false;
  }
  const isAudit = String(json["logName"]).includes("cloudaudit");
  if (isAudit !== filter.includes("cloudaudit")) return false;
  const labels = [...filter.matchAll(/resource\.labels\.(\w+)="([^"]+)"/g)];
  const { labels: own } = json["resource"] as { labels: Readonly<Record<string, string>> };
  return isAudit || labels.length === 0 || labels.some(([, name = "", value]) => ownEntry(own, name) === value);
}

/** Time of the unrelated change before the change itself, in milliseconds. */
const apart = 700;

function auditEntries({ change, at }: PlayedChange, project: string): Entry[] {
  const { own, other } = recorded[change];
  return [
    audited(`${change}-${at}`, at, own(project), project),
    audited(`other-${at}`, at - apart, other(project), project),
  ];
}

/** Maximum number of errors that a fault logs, one per second. */
const maxErrors = 100;

function errorEntries({ change, at, until }: PlayedChange, now: number, project: string): Entry[] {
  const { type, labels, message } = recorded[change].error;
  const count = Math.min(maxErrors, Math.max(0, Math.floor(((until ?? now) - at) / 1_000)));
  return Array.from({ length: count }, (_, second) => {
    const instant = at + 1_000 * (second + 1);
    const json = {
      insertId: `error-${instant}`,
      timestamp: new Date(instant).toISOString(),
      logName: `projects/${project}/logs/run.googleapis.com%2Fstderr`,
      severity: "ERROR",
      resource: { type, labels: { project_id: project, ...labels(project) } },
      textPayload: message(project, second),
    };
    return { at: instant, json };
  });
}

/** Audit log entry of a change. */
interface Audited {
  readonly service: string;
  readonly method: string;
  readonly resource: string;
  readonly type: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly system?: true;
  readonly payload?: Readonly<Record<string, unknown>>;
}

function audited(insertId: string, at: number, said: Audited, project: string): Entry {
  const { service, method, resource, type, labels = {}, system, payload } = said;
  const log = system ? "system_event" : "activity";
  const json = {
    insertId,
    timestamp: new Date(at).toISOString(),
    receiveTimestamp: new Date(at + 300).toISOString(),
    logName: `projects/${project}/logs/cloudaudit.googleapis.com%2F${log}`,
    severity: "NOTICE",
    resource: { type, labels: { project_id: project, ...labels } },
    protoPayload: {
      "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
      serviceName: service,
      methodName: method,
      resourceName: resource,
      authenticationInfo: { principalEmail: system ? "system@google.com" : "somebody@demo.localhost" },
      status: {},
      ...payload,
    },
  };
  return { at, json };
}

const run = "run.googleapis.com";

/** A deployment of a Cloud Run service. */
function deployment(service: string, revision: string, project: string): Audited {
  return {
    service: run,
    method: "google.cloud.run.v1.Services.ReplaceService",
    resource: `namespaces/${project}/services/${service}`,
    type: "cloud_run_revision",
    labels: { service_name: service, location: googleNames.region },
    payload: {
      request: {
        "@type": "type.googleapis.com/google.cloud.run.v1.ReplaceServiceRequest",
        name: `projects/${project}/locations/${googleNames.region}/services/${service}`,
        service: {
          spec: { template: { metadata: { name: revision } }, traffic: [{ latestRevision: true, percent: 100 }] },
        },
      },
    },
  };
}

const onService = (name: string) => () => ({ service_name: name, location: googleNames.region });

/** Log entries for each change: the change itself, an unrelated change, and the errors logged during the outage. */
const recorded: Readonly<
  Record<
    DemoChange,
    {
      readonly own: (project: string) => Audited;
      readonly other: (project: string) => Audited;
      readonly error: {
        readonly type: string;
        readonly labels: (project: string) => Readonly<Record<string, string>>;
        readonly message: (project: string, second: number) => string;
      };
    }
  >
> = {
  deploy: {
    own: (project) => deployment("backend", "backend-00008-xlt", project),
    other: (project) => deployment("auth", "auth-00012-qcr", project),
    error: {
      type: "cloud_run_revision",
      labels: onService("backend"),
      message: (_, second) =>
        `TypeError: agents is not iterable (request ${4000 + second})\n    at handle (/app/chat.js:41:13)`,
    },
  },
  role: {
    own: (project) => ({
      service: "cloudresourcemanager.googleapis.com",
      method: "SetIamPolicy",
      resource: `projects/${project}`,
      type: "project",
      payload: {
        serviceData: {
          "@type": "type.googleapis.com/google.iam.v1.logging.AuditData",
          policyDelta: {
            bindingDeltas: [
              {
                action: "REMOVE",
                role: "roles/cloudsql.client",
                member: `serviceAccount:backend@${project}.iam.gserviceaccount.com`,
              },
            ],
          },
        },
      },
    }),
    other: (project) => deployment("auth", "auth-00012-qcr", project),
    error: {
      type: "cloud_run_revision",
      labels: onService("backend"),
      message: (project) =>
        `Cloud SQL connection failed: ensure that the account has access to "${project}:${googleNames.region}:${googleNames.instance}". googleapi: Error 403: The client is not authorized to make this request., notAuthorized (cloudsql.instances.get)`,
    },
  },
  firewall: {
    own: (project) => ({
      service: "compute.googleapis.com",
      method: "v1.compute.firewalls.insert",
      resource: `projects/${project}/global/firewalls/lock-down`,
      type: "gce_firewall_rule",
      payload: {
        request: {
          "@type": "type.googleapis.com/compute.firewalls.insert",
          name: "lock-down",
          network: `https://compute.googleapis.com/compute/v1/projects/${project}/global/networks/default`,
          direction: "EGRESS",
          priority: "900",
          denieds: [{ IPProtocol: "all" }],
        },
      },
    }),
    other: (project) => deployment("auth", "auth-00012-qcr", project),
    error: {
      type: "cloud_run_revision",
      labels: onService("backend"),
      message: (_, second) => `connect ETIMEDOUT 10.77.0.3:5432 after ${1200 + second} ms`,
    },
  },
  maintenance: {
    own: (project) => ({
      service: "cloudsql.googleapis.com",
      method: "cloudsql.instances.maintenance",
      resource: `projects/${project}/instances/${googleNames.instance}`,
      type: "cloudsql_database",
      labels: { database_id: `${project}:${googleNames.instance}`, region: googleNames.region },
      system: true,
    }),
    other: (project) => deployment("backend", "backend-00008-xlt", project),
    error: {
      type: "cloudsql_database",
      labels: (project) => ({ database_id: `${project}:${googleNames.instance}`, region: googleNames.region }),
      message: (_, second) =>
        `2025-09-16 12:00:${String(second % 60).padStart(2, "0")}.000 UTC [${300 + second}]: FATAL: the database system is shutting down`,
    },
  },
  secret: {
    own: (project) => ({
      service: "secretmanager.googleapis.com",
      method: "google.cloud.secretmanager.v1.SecretManagerService.DestroySecretVersion",
      resource: `projects/${project}/secrets/demo-token-key/versions/2`,
      type: "audited_resource",
      labels: {
        service: "secretmanager.googleapis.com",
        method: "google.cloud.secretmanager.v1.SecretManagerService.DestroySecretVersion",
      },
    }),
    other: (project) => deployment("backend", "backend-00008-xlt", project),
    error: {
      type: "cloud_run_revision",
      labels: onService("auth"),
      message: (project) =>
        `Secret Version [projects/${project}/secrets/demo-token-key/versions/2] is in DESTROYED state.`,
    },
  },
};

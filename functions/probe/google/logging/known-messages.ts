/**
 * Known log messages of Google Cloud: the meaning of each, the responsible part, and the remedy. One table; each row names its source. The
 * first matching row counts, so specific rows come before general ones.
 */
import type { ReportedLogPattern } from "../../../../shared/messages/report.ts";

/** The log that a message comes from. */
export interface LogSource {
  /** The resource that the log belongs to: `Cloud Run service backend`, and its name alone. */
  readonly resource: string;
  readonly name: string;
}

/** One row of the table. */
interface KnownMessage {
  readonly name: string;
  readonly matches: RegExp;
  /** An example message, for the documentation and the test. */
  readonly example: string;
  /** Roles of the components to blame. Absent: the component that the log belongs to. */
  readonly blames?: readonly string[];
  /** Whether it may be a consequence of a failure elsewhere. */
  readonly isSymptom?: true;
  readonly says: (source: LogSource, found: RegExpExecArray) => string;
  /** One sentence with the command that fixes it. */
  readonly remedy: (source: LogSource, found: RegExpExecArray) => string;
  readonly source: string;
}

const troubleshooting = "https://docs.cloud.google.com/run/docs/troubleshooting";
const balancing = "https://docs.cloud.google.com/load-balancing/docs/https/https-logging-monitoring";

/** Every row. */
export const knownMessages: readonly KnownMessage[] = [
  {
    name: "secret version destroyed",
    matches: /secrets?\/([\w-]+)\/versions?\/(\w+)\W+is in (DESTROYED|DISABLED) state/i,
    example: "Secret Version [projects/123456789012/secrets/agents-key/versions/3] is in DESTROYED state.",
    says: ({ resource }, [, secret, version, state]) =>
      `${resource} needs version ${version} of the secret ${secret}, which is ${state?.toLowerCase()}.`,
    remedy: (_, [, secret, version, state]) =>
      state?.toUpperCase() === "DISABLED"
        ? `Enable it: \`gcloud secrets versions enable ${version} --secret ${secret}\`.`
        : `Add the value again with \`gcloud secrets versions add ${secret} --data-file=-\`: a destroyed version cannot be restored.`,
    source: "https://docs.cloud.google.com/secret-manager/docs/troubleshooting",
  },
  {
    name: "secret denied",
    matches:
      /permission '?secretmanager\.versions\.access'? denied|Permission denied on secret: \S*?secrets\/([\w-]+)/i,
    example:
      "Permission 'secretmanager.versions.access' denied for resource 'projects/shop/secrets/agents-key/versions/3' (or it may not exist).",
    says: ({ resource }) => `The service account of ${resource} may not read a secret that it needs.`,
    remedy: ({ name }) =>
      `Give the account of ${name} the role: \`gcloud secrets add-iam-policy-binding SECRET --role roles/secretmanager.secretAccessor --member serviceAccount:ACCOUNT\`.`,
    source: "https://docs.cloud.google.com/run/docs/configuring/services/secrets",
  },
  {
    name: "memory limit",
    matches: /Memory limit of (\S+ ?[KMG]i?B?) exceeded/i,
    example: "Memory limit of 512 MiB exceeded with 515 MiB used. Consider increasing the memory limit.",
    says: ({ resource }, [, limit]) =>
      `Instances of ${resource} exceed their memory limit of ${limit} and are terminated.`,
    remedy: ({ name }) =>
      `Give it more memory, then find out what uses it: \`gcloud run services update ${name} --memory\`.`,
    source: `${troubleshooting} and https://docs.cloud.google.com/run/docs/configuring/services/memory-limits`,
  },
  {
    name: "no instance",
    isSymptom: true,
    matches: /no available instance/i,
    example: "The request was aborted because there was no available instance.",
    says: ({ resource }) => `${resource} has no instance free for further requests.`,
    remedy: ({ name }) =>
      `Raise its maximum number of instances (\`gcloud run services update ${name} --max-instances\`) or its requests per instance (\`--concurrency\`), and check whether instances start at all.`,
    source: troubleshooting,
  },
  {
    name: "rate exceeded",
    isSymptom: true,
    matches: /\bRate exceeded\b/i,
    example: "Rate exceeded.",
    says: ({ resource }) => `${resource} is at its maximum number of instances and refuses requests.`,
    remedy: ({ name }) =>
      `Raise its maximum number of instances: \`gcloud run services update ${name} --max-instances\`.`,
    source: troubleshooting,
  },
  {
    name: "no free addresses",
    matches: /(insufficient|not enough|no) (free |available )?IP address(es)?/i,
    example:
      "Instance failed to start because of insufficient free IP addresses in the subnetwork shop-run when attempting to create an address.",
    blames: ["subnet"],
    says: () => "The subnet has no free addresses, so new instances cannot start.",
    remedy: () =>
      "Give the subnet a larger range: `gcloud compute networks subnets expand-ip-range SUBNET --prefix-length`; Direct VPC egress takes two addresses for each instance.",
    source: "https://docs.cloud.google.com/run/docs/configuring/vpc-direct-vpc",
  },
  {
    name: "IAM login refused",
    matches: /Cloud SQL IAM (service account|user|group) authentication failed/i,
    example: 'FATAL: Cloud SQL IAM service account authentication failed for user "backend@shop.iam"',
    says: ({ resource }) => `Cloud SQL refuses the IAM login of ${resource}.`,
    remedy: () =>
      "Give the account `roles/cloudsql.instanceUser` and `roles/cloudsql.client`, and make sure that it is a user of the instance: `gcloud sql users list --instance INSTANCE`.",
    source: "https://docs.cloud.google.com/sql/docs/postgres/iam-logins",
  },
  {
    name: "Cloud SQL denied",
    matches:
      /(cloudsql\.instances\.(connect|get)|Cloud SQL Admin API|createEphemeral|NOT_AUTHORIZED|sqladmin)[\s\S]{0,400}?\b(403|forbidden|notAuthorized|PERMISSION_DENIED|not authorized)\b|\b(403|PERMISSION_DENIED)\b[\s\S]{0,400}?(cloudsql\.instances|Cloud SQL Admin API|sqladmin)/i,
    example:
      'Cloud SQL connection failed: ensure that the account has access to "shop:us-central1:shop-postgres". googleapi: Error 403: The client is not authorized to make this request., notAuthorized (cloudsql.instances.get)',
    says: ({ resource }) => `The service account of ${resource} may not connect to Cloud SQL.`,
    remedy: () =>
      "Grant it the role again: `gcloud projects add-iam-policy-binding PROJECT --role roles/cloudsql.client --member serviceAccount:ACCOUNT`.",
    source: "https://docs.cloud.google.com/sql/docs/postgres/connect-run",
  },
  {
    name: "too many connections",
    matches: /too many clients already|remaining connection slots are reserved/i,
    example: "FATAL: sorry, too many clients already",
    blames: ["database"],
    says: () => "The database has no free connection.",
    remedy: () =>
      "Find out who holds its connections: `select usename, state, count(*) from pg_stat_activity group by 1, 2`. Keep instances x pool size below max_connections.",
    source: "https://www.postgresql.org/docs/current/errcodes-appendix.html",
  },
  {
    name: "startup phase failed",
    isSymptom: true,
    matches:
      /\bphase[ _:#-]*([1-7])\b[^\n]{0,80}?(fail|error|timed? ?out|exceeded|abort)|(fail|error|timed? ?out)[^\n]{0,40}\bphase[ _:#-]*([1-7])\b/i,
    example: "startup: phase 3 (database) failed after 25.0 s",
    says: ({ resource }, [, one, , , other]) => {
      const phase = one ?? other;
      return `The startup of ${resource} fails in phase ${phase}${phase === "3" ? ", the database phase" : ""}.`;
    },
    remedy: ({ name }, [, one, , , other]) =>
      (one ?? other) === "3"
        ? `Check whether ${name} can reach the database, then restart it: \`gcloud run services update ${name} --update-labels restarted=now\`.`
        : `Read what ${name} logs in that phase: \`gcloud run services logs read ${name}\`.`,
    source: "the startup sequence of the application: seven phases, of which the third is the database",
  },
  {
    name: "failed startup",
    isSymptom: true,
    matches:
      /STARTUP (TCP|HTTP|GRPC|gRPC) probe failed|The user-provided container failed to start|Container failed to start|could not start successfully|Container called exit\((?!0\))/i,
    example:
      'Default STARTUP TCP probe failed 1 time consecutively for container "backend-1" on port 8080. The instance was not started.',
    says: ({ resource }) => `Instances of ${resource} do not start.`,
    remedy: ({ name }) =>
      `Find out why: \`gcloud run services logs read ${name}\`. Roll back to the last revision that started: \`gcloud run services update-traffic ${name} --to-revisions REVISION=100\`.`,
    source: troubleshooting,
  },
  {
    name: "readiness check failed",
    isSymptom: true,
    matches: /instance failed the readiness check/i,
    example: "The request failed because the instance failed the readiness check.",
    says: ({ resource }) => `Instances of ${resource} start, but do not become ready in time.`,
    remedy: ({ name }) =>
      `Find out what they wait for (\`gcloud run services logs read ${name}\`), and give them time with a startup probe.`,
    source: troubleshooting,
  },
  {
    name: "denied by Cloud Armor",
    matches: /denied_by_security_policy/,
    example: "denied_by_security_policy",
    blames: ["edge"],
    says: () => "A rule of the Cloud Armor policy denies requests.",
    remedy: () =>
      "Find the rule in `jsonPayload.enforcedSecurityPolicy`, and switch it to preview mode: `gcloud compute security-policies rules update PRIORITY --security-policy POLICY --preview`.",
    source: balancing,
  },
  {
    name: "backend unreachable",
    isSymptom: true,
    matches: /failed_to_connect_to_backend|failed_to_pick_backend/,
    example: "failed_to_connect_to_backend",
    says: () => "The load balancer cannot reach the service behind it.",
    remedy: () =>
      "Check the health of its backends (`gcloud compute backend-services get-health BACKEND --global`), and whether the service is ready.",
    source: balancing,
  },
  {
    name: "quota exceeded",
    matches:
      /Quota exceeded for quota (metric|group)? ?'?([^'"]{0,60})|\bRESOURCE_EXHAUSTED\b[\s\S]{0,400}?quota|quotaExceeded/i,
    example:
      "Quota exceeded for quota metric 'Connect Queries' and limit 'Connect Queries per minute per user per region'",
    says: ({ resource }, [, , quota]) =>
      `Calls from ${resource} are refused because a quota is exhausted${quota ? `: ${quota.trim()}` : ""}.`,
    remedy: () =>
      "Find out what uses the quota and whether it retries without backoff, and request a higher quota under IAM & Admin, Quotas.",
    source: "https://docs.cloud.google.com/docs/quotas/view-manage",
  },
  {
    name: "API disabled",
    matches: /API has not been used in project \S+ before or it is disabled|SERVICE_DISABLED/,
    example: "Cloud SQL Admin API has not been used in project 123456789012 before or it is disabled.",
    says: ({ resource }) => `${resource} calls an API that is not enabled.`,
    remedy: () => "Enable it: `gcloud services enable API`.",
    source: "https://docs.cloud.google.com/service-usage/docs/enable-disable",
  },
];

/** Returns the meaning of a message; `undefined` if it is not known. */
export function meaningOf(message: string, source: LogSource): ReportedLogPattern["means"] {
  for (const { name, matches, blames, isSymptom, says, remedy } of knownMessages) {
    const found = matches.exec(message);
    if (found === null) continue;
    return {
      name,
      says: says(source, found),
      remedy: remedy(source, found),
      ...(isSymptom ? { is_symptom: true as const } : {}),
      ...(blames === undefined ? {} : { blames: [...blames] }),
    };
  }
  return undefined;
}

/** Phrases that are queried at every severity, because their entries may be below ERROR. */
export const queriedPhrases: readonly string[] = [
  "no available instance",
  "Memory limit of",
  "Rate exceeded",
  "STARTUP",
  "failed the readiness check",
];

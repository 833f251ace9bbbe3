/** The prober `audit_logs`: changes in the environment, as recorded by Cloud Audit Logs. */
import { z } from "zod";
import { duration, googleProject } from "../../../shared/config/fields.ts";
import type { ReportedChange } from "../../../shared/messages/report.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { attributed, needsUsage, noUsage, readUsage, type Usage } from "../google/logging/attribution.ts";
import { type AuditChange, auditFilter, changesIn } from "../google/logging/audit.ts";
import { entryLink, readEntries, unreadLogs } from "../google/logging/entries.ts";
import { assessUnread, type LogAccess, logProberFacts } from "../google/logging/log-prober.ts";
import type { WatchedResource } from "../google/watched.ts";
import type { Prober } from "../prober.ts";
import { always } from "../yields.ts";

const settings = lazily(() =>
  z.strictObject({
    project: googleProject(),
    lookback: duration()
      .prefault("1h")
      .describe("The lookback for changes: before the first failure in a diagnosis, otherwise before now."),
    show_principals: z
      .boolean()
      .default(false)
      .describe("Whether to include the email address of the person who made a change."),
  }),
);

/** Settings of an `audit_logs` probe; durations in milliseconds. */
export type AuditLogsSettings = z.output<ReturnType<typeof settings>>;

/** The changes read from the logs. */
export interface AuditLogsObservation extends LogAccess {
  readonly changes: readonly AuditChange[];
  readonly resources: readonly WatchedResource[];
  readonly usage: Usage;
}

/** Maximum number of entries of the single page that is read. */
const pageSize = 100;
/** Maximum number of changes in a report. */
const maxChanges = 30;

/** The prober `audit_logs`. */
export const auditLogs: Prober<AuditLogsSettings, AuditLogsObservation> = {
  kind: "audit_logs",
  title:
    "Reads recent changes in the environment from Cloud Audit Logs, and adds them to the diagnosis of an incident.",
  ...logProberFacts,
  get settings() {
    return settings();
  },
  example: `schedule: "*/15 * * * *"
timeout: 20s
project: shop-staging
`,
  notes: `## What it finds

When an incident opens, and again ten minutes later because entries arrive late, the probe reads the Admin Activity and System Event logs, starting
an hour before the first failure: deployments and traffic, settings, maintenance and failover of Cloud SQL, connectors, networks, firewall rules, IAM, secrets,
certificates, DNS, quotas, organization policies. Each change is listed in \`changes\` of the [incident](../incidents.md) with its time, a
plain description, and a link to the entry. A change to the cause within half an hour before its first failure is evidence. Engineers get a
status update about it, and every later notification to them contains it, with a proposal to revert it. Nothing is ever reverted automatically. The
command \`changes\` shows the same at any time.

## Attribution of changes

The other probes determine which resources belong to which component: the service of a \`cloud_run\` probe, the instance of \`cloud_sql\` or \`postgres\`, the
connector, and everything that \`gcp_configuration\` names. If a role or a secret was changed, the Cloud Run services among them are read once, to
find those that run as that account or use that secret. A change to a resource that no probe names is listed without a component, or omitted if the
resource is known to be unrelated.

The author of a change is omitted unless \`show_principals\` is set. Refused attempts are not changes.

## Permissions and cost

The probe requires \`logging.logEntries.list\` in the project, which \`roles/logging.viewer\` includes, and \`run.services.get\` for the services.
Data Access logs are not read. Each run reads one page of at most ${pageSize} entries; reading entries is free, up to 60 requests per minute and
project. Without the permission, the probe reports it under \`unchecked\` and does not fail: a diagnosis continues without it. The scheduled runs
only verify the permission. Use the schedule of another probe, because a separate schedule requires another Cloud Scheduler job.
`,
  reads: ["log_entries", "cloud_run"],
  yields: () => always("recent_changes"),

  async observe({ project, lookback }, world) {
    const { resources } = world;
    const none = { changes: [], resources, usage: noUsage };
    const now = world.now();
    const filter = auditFilter(project, (world.diagnosis?.since ?? now) - lookback, now);
    try {
      const { entries } = await readEntries({ project, filter, pageSize }, world);
      const changes = changesIn(entries);
      return { changes, resources, usage: changes.some(needsUsage) ? await readUsage(resources, world) : noUsage };
    } catch (error) {
      return { ...none, ...unreadLogs(error, project, world.signal) };
    }
  },

  assess({ project, show_principals }, seen) {
    const unread = assessUnread(seen, "changes", `audit logs of ${project}`);
    if (unread !== undefined) return unread;
    const { changes, resources, usage } = seen;
    const told = changes.map((change): ReportedChange => {
      const { id, at, kind, what, resource, principal, revert } = change;
      return {
        id,
        at: new Date(at).toISOString(),
        kind,
        what,
        resource,
        ...attributed(change, resources, usage),
        ...(show_principals && principal !== undefined ? { by: principal } : {}),
        link: entryLink(project, change),
        ...(revert === undefined ? {} : { revert }),
      };
    });
    // Changes to the environment come before others, so that a busy project does not crowd them out.
    const ours = told.filter(({ elsewhere }) => elsewhere !== true);
    const others = told.filter(({ elsewhere }) => elsewhere === true);
    return {
      measurements: [{ metric: "recent_changes", value: ours.length }],
      changes: [...ours, ...others].slice(0, maxChanges),
    };
  },
};

/**
 * Proposals that could prevent an outage or shorten the next one, each with its reason in the record. The table has remedies for each
 * pattern; the rest follows from findings, detection and notification.
 */
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { list } from "../../../shared/text/sentences.ts";
import { clockSpan, spokenDuration } from "../../../shared/text/units.ts";
import { intermittentName } from "../rules/built-in.ts";
import type { Account } from "./account.ts";
import { causeIn, titleOf } from "./format.ts";
import { falseRecoveries } from "./recovery.ts";

/** A proposal and its reason. */
export interface Proposal {
  readonly text: string;
  readonly because: string;
}

/** Remedies for a failure pattern, by its name in cause/patterns.ts. */
export const remedies: Readonly<Record<string, readonly ((title: string, change: string | null) => string)[]>> = {
  "connector loses handshakes": [
    (title) =>
      `Move the services from ${title} to Direct VPC egress, which has no connector instances to exhaust, or give it a larger machine type and more instances than its load requires.`,
    () =>
      "Keep database connections open (a pool with a minimum size), and open new ones with a short timeout and a retry, so that a lost handshake does not fail a request.",
    () =>
      "Keep an alert on `database_connect_burst_success`: such a connector loses bursts of new connections first, while its load looks normal.",
  ],
  "connector at its ceiling": [
    (title) =>
      `Raise the maximum number of instances or the machine type of ${title}, or move its busiest service to Direct VPC egress.`,
    () =>
      "Limit the connections of every service (instances x pool), so that a burst of new instances cannot saturate the connector.",
    () => "Alert before it is saturated, with a rule such as `forecast(vpc_connector_utilization, 1h) > 90%`.",
  ],
  "path missing": [
    (title) =>
      `Manage the network of ${title} (peering, routes, firewall) only in Terraform, and require a second approval for plans that remove any of it.`,
    () => "Run the configuration checks of Pathkeeper after each deployment, to detect a missing path before users do.",
  ],
  "database out of connections": [
    (title) =>
      `Keep instances x pool of all services below \`max_connections\` of ${title}, with room for deployments in which old and new instances run side by side.`,
    () => "Put a connection pooler in front of the database, or shorten the idle timeout of the pools.",
    () => "Alert before connections run out, with a rule such as `forecast(cloud_sql_pool_utilization, 1h) > 90%`.",
  ],
  "database slow": [
    (title) =>
      `Find the slow queries on ${title}, and set \`statement_timeout\` so that one query cannot block the others.`,
    () => "Set database timeouts shorter than those of the callers, and degrade gracefully without the database.",
  ],
  "database near a limit": [(title) => `Size ${title} for peak load, and alert at 80% of each of its limits.`],
  "database down or failing over": [
    (title) =>
      `Enable high availability for ${title} (a standby in another zone), and set its maintenance window to off-peak hours.`,
    () => "Make services reconnect automatically, with exponential backoff, and rehearse a failover in a drill.",
  ],
  "login to the database refused": [
    (title) =>
      `Rotate the passwords of ${title} with two alternating roles: move every service to the new role before locking the old one.`,
    () => "Test the login with the new secret before routing traffic to the revision that uses it.",
  ],
  "certificate wrong or expired": [
    (title) =>
      `Use managed certificates with DNS authorization for ${title}, which match its names and renew automatically, and alert on \`tls_certificate_expiry\` 21 days ahead.`,
  ],
  "names not resolved": [
    () => "Lock the domain at the registrar, enable automatic renewal, and require review for changes to records.",
    () => "Lower the TTL of critical records, so that a mistake can be reverted within minutes.",
  ],
  "load balancer fails": [
    (title) =>
      `Change the URL map and backends of ${title} only through Terraform, with a reviewed plan, and test them on a staging host first.`,
    () =>
      "Keep a probe that bypasses the load balancer, to the run.app address, to distinguish failures of the load balancer from those of the service.",
  ],
  "time-out set too short": [
    (title) =>
      `Set each timeout of ${title} slightly longer than the one behind it, from the outside in, and enforce them with a configuration check.`,
    () => "Send a keepalive over idle WebSockets at least every 30 s, so that no idle timeout closes them.",
  ],
  "instances fail to start": [
    (title) => `Deploy ${title} with a startup probe and without traffic first, then shift traffic gradually.`,
    () => "Log what each startup phase waits for, and make that the first line logged when it fails.",
  ],
  "no way into the network": [
    (title) =>
      `Define the connector and egress of ${title} in the Terraform of the service, so that no deployment can omit them.`,
  ],
  "fails by itself": [
    (title, change) =>
      `${change === null ? `Find out what changed at ${title} before the outage, and roll` : "Roll"} out such changes gradually, with a rehearsed rollback.`,
    () => "Add a test or a probe for this failure, to detect it before users do.",
  ],
  "NAT out of ports": [
    (title) => `Enable dynamic port allocation for ${title}, with enough addresses for peak load.`,
    () => "Reuse connections to the same address instead of opening one for each request.",
  ],
  "no free addresses": [
    (title) =>
      `Give ${title} twice as many addresses as all instances together can use, and alert when half are in use.`,
  ],
  "quota used up": [
    (title) => `Request a higher limit for ${title} before the next peak, and alert at 80% of it.`,
    () => "Retry rejected requests with exponential backoff, so that retries do not add to the load.",
  ],
  "cache full": [
    (title) => `Set a TTL on every key in ${title}, set an eviction policy, and alert at 80% of its memory.`,
    () => "Make services work without the cache, more slowly, instead of failing.",
  ],
  "queue grows": [
    (title) => `Alert on the age of the oldest message of ${title}, and scale its consumers with it.`,
    () => "Send messages that fail repeatedly to a dead-letter topic.",
  ],
  "rate limit reached": [
    (title) => `Cache responses of ${title}, and retry with exponential backoff, so that peaks stay below its limit.`,
  ],
  "pool used up": [
    (title) =>
      `Limit how long ${title} holds a connection: make no remote calls within transactions, and set a timeout.`,
    () => "Alert on the time that requests wait for a pooled connection, before the pool is exhausted.",
  ],
  "disk full": [
    (title) => `Enable automatic storage increase for ${title}, and alert at 80% of its disk.`,
    () => "Find out what grows: transaction logs retained for a replica or a slot, temporary files, or tables.",
  ],
  "callers refused": [
    (title) =>
      `Test a call to ${title} with a real token in the pipeline, after each deployment and each change of roles or keys.`,
  ],
  "turned away for load": [
    (title) => `Raise the instance limit of ${title} to match its peak load, and load-test it.`,
    () =>
      "Alert when `cloud_run_instances` approaches the limit, and retry rejected requests with exponential backoff.",
  ],
  "logins fail": [
    (title) => `When rotating the keys of ${title}, accept the old key until every token that it signed has expired.`,
    () => "Test a login from outside in the pipeline, after each deployment.",
  ],
  "sockets fail, requests work": [
    (title) =>
      `Add a WebSocket handshake with ${title} to the deployment checks: a health URL does not detect socket failures.`,
  ],
  "journey breaks while its parts work": [
    (title) => `Run ${title} as a check after each deployment: all its parts were healthy.`,
    () =>
      "Measure its dependencies as separate steps (agents, model provider), so that the next cause can be identified.",
  ],
  "event in the region": [
    () => "Decide in advance what can fail over to another region and who decides, and rehearse it.",
    () => "Subscribe to Google's Service Health for the region, and keep a second region ready for critical services.",
  ],
  "the monitor's own trouble": [
    () => "Monitor the egress of this vantage point (NAT, DNS) with a control probe to a target known to be healthy.",
  ],
  "platform-wide": [
    () => "Compare the times with the provider's incident history, and link it in the runbook.",
    () => "Decide what can fail over to another region when Cloud Run itself fails.",
  ],
};

/** Confidence below which more measurements are proposed. */
const sure = 0.8;
/** Longest acceptable delay, in milliseconds. */
const slowToDetect = 300_000;
const slowToAcknowledge = 900_000;
/** Maximum number of findings that become proposals. */
const maxFindings = 5;

/** Returns every proposal, those against the cause first. */
export function proposalsFor(account: Account): Proposal[] {
  return [
    ...againstTheCause(account),
    ...fromFindings(account),
    ...forMeasuring(account),
    ...forNoticing(account),
    ...forNotifying(account),
    ...forRecovering(account),
  ];
}

function againstTheCause({ incident }: Account): Proposal[] {
  const { pattern, root_cause, suspected_change } = incident;
  const because = causeIn(incident);
  const title = titleOf(incident, root_cause);
  const own = ownEntry(remedies, pattern ?? "") ?? [];
  return own.map((remedy) => ({ text: remedy(title, suspected_change), because }));
}

/** Findings of configuration checks, except events reported by Google, which users cannot fix. */
function fromFindings({ incident }: Account): Proposal[] {
  const ours = incident.findings.filter(({ severity, check }) => severity !== "info" && !check.startsWith("google_"));
  return ours.slice(0, maxFindings).map(({ check, component, says, came_with_it }) => {
    const of = `\`${check}\` of ${titleOf(incident, component)}`;
    return came_with_it
      ? {
          text: `Prevent ${of} from failing again: run the configuration checks of Pathkeeper after each deployment.`,
          because: sentence(`A configuration check started failing with the outage: ${says}`),
        }
      : { text: `Fix ${of}.`, because: sentence(`A configuration check was failing before the outage: ${says}`) };
  });
}

function forMeasuring({ incident: { next_steps, confidence, root_cause } }: Account): Proposal[] {
  const unmeasured = next_steps.flatMap((step) => {
    const [, gap, what] = /^(Nothing was measured of .+? meanwhile): (add .+)$/.exec(step) ?? [];
    return gap === undefined || what === undefined ? [] : [{ text: sentence(what), because: `${gap}.` }];
  });
  if (unmeasured.length > 0 || (root_cause !== "unknown" && confidence >= sure)) return unmeasured;
  return [
    {
      text: "Add a probe of the failed component from the other vantage point, and record this outage as a test (`npx --no pathkeeper test`) with the confirmed cause.",
      because:
        root_cause === "unknown"
          ? "The cause was not found."
          : `Confidence in the cause was only ${Math.round(100 * confidence)}%.`,
    },
  ];
}

function forNoticing({ incident }: Account): Proposal[] {
  const { first_failure_at: from, opened_at: opened, opened_by: rule, symptoms } = incident;
  if (from === null || opened === null || opened.getTime() - from.getTime() < slowToDetect) return [];
  const counting = symptoms.find(({ check }) => rule === intermittentName(check));
  return [
    {
      text:
        counting === undefined
          ? `Shorten the delay of "${rule ?? "the rule"}" (\`alert_after\` of its probe, or its \`alert_duration\`), or the interval of the probe.`
          : `Raise the \`availability\` target of ${counting.component}, which sets how many failed runs are tolerated, or shorten the interval of \`${counting.check}\`.`,
      because: `The incident was opened ${spokenDuration(clockSpan(from.getTime(), opened.getTime()))} after the first failure.`,
    },
  ];
}

function forNotifying({ incident, deliveries }: Account): Proposal[] {
  const { opened_at: opened, acknowledged_at: taken, severity } = incident;
  const proposals: Proposal[] = [];
  const waited = opened !== null && taken !== null ? taken.getTime() - opened.getTime() : undefined;
  if (severity === "critical" && (waited ?? slowToAcknowledge) >= slowToAcknowledge) {
    proposals.push({
      text: "Set `escalate_after` on a route to the on-call engineer, and agree on who acknowledges.",
      because:
        waited === undefined
          ? "Nobody acknowledged the incident."
          : `It took ${spokenDuration(waited)} to acknowledge the incident.`,
    });
  }
  const lost = deliveries.filter(({ status }) => status === "rejected");
  const channels = [...new Set(lost.map(({ channel }) => channel))];
  for (const channel of channels) {
    const reason = lost.find((one) => one.channel === channel)?.reason ?? "";
    proposals.push({
      text: `Fix the channel \`${channel}\`, and test it with \`npx --no pathkeeper preview --channel ${channel}\`.`,
      because: sentence(`a notification was not delivered: ${reason}`),
    });
  }
  if (deliveries.length > 0 && !deliveries.some(({ status }) => status === "delivered")) {
    proposals.push({
      text: "Add a route that notifies somebody of such incidents.",
      because: "No notification of this incident was delivered.",
    });
  }
  return proposals;
}

function forRecovering({ incident }: Account): Proposal[] {
  const { recovery } = incident;
  const regressed = falseRecoveries(incident);
  const silent = (recovery?.stages ?? []).filter(({ unanswered }) => unanswered > 0).map(({ name }) => name);
  return [
    ...(regressed === 0
      ? []
      : [
          {
            text: "Lengthen `clear_duration` of the rules that fired again.",
            because: `Recovery was declared too early ${regressed === 1 ? "once" : `${regressed} times`}.`,
          },
        ]),
    ...(silent.length === 0
      ? []
      : [
          {
            text: "Check the logs of the probe functions at the time of the validation.",
            because: `Validations of ${list(silent)} got no response.`,
          },
        ]),
  ];
}

function sentence(text: string): string {
  const begun = `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

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

/** A proposal, and why it is made. */
export interface Proposal {
  readonly text: string;
  readonly because: string;
}

/** Remedies for a failure pattern, by its name in cause/patterns.ts. */
export const remedies: Readonly<Record<string, readonly ((title: string, change: string | null) => string)[]>> = {
  "connector loses handshakes": [
    (title) =>
      `Move the services from ${title} to Direct VPC egress, which has no instances that can be short of anything; or give it a larger machine type and more instances than its load asks for.`,
    () =>
      "Let services keep their database connections (a pool with a minimum) and open new ones with a short time-out and a second try, so that lost handshakes cost a moment and not a request.",
    () =>
      "Keep a rule on `database_connect_burst_success`: bursts of new connections are what such a connector loses first, while its load looks as always.",
  ],
  "connector at its ceiling": [
    (title) =>
      `Raise the maximum of instances or the machine type of ${title}, or move its busiest service to Direct VPC egress.`,
    () =>
      "Bound the connections of every service (instances x pool), so that a rush of instances cannot fill the connector.",
    () => "Warn before it is full: a rule such as `forecast(vpc_connector_utilization, 1h) > 90%`.",
  ],
  "path missing": [
    (title) =>
      `Keep the network of ${title} (peering, routes, firewall) in Terraform alone, and let a plan that removes any of it be approved by a second person.`,
    () =>
      "Run the configuration checks of the monitor right after each deployment: a missing path shows before a user does.",
  ],
  "database out of connections": [
    (title) =>
      `Bound instances x pool of all services below \`max_connections\` of ${title}, with room for a deployment in which old and new instances stand side by side.`,
    () => "Put a pooler in front of the database, or lower the idle time after which a pool gives connections back.",
    () => "Warn before they are used up: a rule such as `forecast(cloud_sql_pool_utilization, 1h) > 90%`.",
  ],
  "database slow": [
    (title) =>
      `Find the statements that kept ${title} busy, and set \`statement_timeout\` so that one cannot hold up the rest.`,
    () =>
      "Let services give up on the database before their callers give up on them, and answer what they can without it.",
  ],
  "database near a limit": [
    (title) => `Give ${title} room for its busiest hour, and warn at 80 % of each of its limits.`,
  ],
  "database down or failing over": [
    (title) =>
      `Give ${title} high availability (a standby in another zone), if it has none, and set its maintenance window to quiet hours.`,
    () => "Let services reconnect by themselves, with growing pauses, and rehearse a failover in a drill.",
  ],
  "login to the database refused": [
    (title) =>
      `Rotate the passwords of ${title} with two roles that take turns: the new one is in use everywhere before the old one is locked.`,
    () => "Check the login with the new secret before traffic goes to the revision that uses it.",
  ],
  "certificate wrong or expired": [
    (title) =>
      `Let managed certificates with DNS authorization serve ${title}: they are for its names and renew themselves; and let a rule on \`tls_certificate_expiry\` warn 21 days ahead.`,
  ],
  "names not resolved": [
    () => "Lock the zone at the registrar, have it renewed by itself, and change records through review only.",
    () => "Lower the time to live of the records that matter, so that a mistake is taken back within minutes.",
  ],
  "load balancer fails": [
    (title) =>
      `Change URL map and backends of ${title} through Terraform with a plan that is read by two, and try them on a test host first.`,
    () =>
      "Keep a probe that goes past the load balancer, to the run.app address: it tells the load balancer from the service in one look.",
  ],
  "time-out set too short": [
    (title) =>
      `Set the time-outs of ${title} from the outside in, each a little longer than the one behind it, and let a configuration check hold them.`,
    () => "Send something over a quiet WebSocket at least every 30 s, so that no idle timeout cuts it.",
  ],
  "instances fail to start": [
    (title) => `Deploy ${title} with a start-up probe and without traffic first, and move traffic step by step.`,
    () =>
      "Let start-up phases report by themselves what they wait for, and fail with that in their first line of the log.",
  ],
  "no way into the network": [
    (title) =>
      `Write connector and egress of ${title} into the Terraform of the service, so that no deployment can leave them out.`,
  ],
  "fails by itself": [
    (title, change) =>
      `${change === null ? `Find out what changed at ${title} before it began, and let` : "Let"} such a change go out step by step, with a way back that is rehearsed.`,
    () => "Add a test or a probe of what broke, so that it shows before users see it.",
  ],
  "NAT out of ports": [
    (title) => `Give ${title} dynamic port allocation and enough addresses for its busiest hour.`,
    () => "Let services keep connections to the same address open instead of opening one for each request.",
  ],
  "no free addresses": [
    (title) => `Give ${title} twice the addresses that all instances together can take, and warn when half are in use.`,
  ],
  "quota used up": [
    (title) => `Ask for more of ${title} before the next peak, and warn at 80 % of it.`,
    () => "Retry what is refused with growing pauses, so that refusals do not multiply.",
  ],
  "cache full": [
    (title) => `Give every key in ${title} a lifetime, set an eviction policy, and warn at 80 % of its memory.`,
    () => "Let services work without the cache, slowly, instead of failing.",
  ],
  "queue grows": [
    (title) => `Warn on the age of the oldest message of ${title}, and let its consumers scale with it.`,
    () => "Send a message that fails again and again to a dead letter topic.",
  ],
  "rate limit reached": [
    (title) => `Keep what ${title} has answered, and retry with growing pauses, so that a peak stays below its limit.`,
  ],
  "pool used up": [
    (title) =>
      `Bound how long ${title} holds a connection: transactions without calls to others in them, and a time-out.`,
    () => "Warn on the time that requests wait for a connection of the pool, before it has run out.",
  ],
  "disk full": [
    (title) => `Let the disk of ${title} grow by itself, and warn at 80 % of it.`,
    () => "Look at what grows: logs of transactions that a replica or a slot holds back, temporary files, tables.",
  ],
  "callers refused": [
    (title) =>
      `Test a call to ${title} with a real token in the pipeline, right after each deployment and each change of roles or keys.`,
  ],
  "turned away for load": [
    (title) => `Raise the cap of ${title} to what its busiest hour asks for, and test it under that load.`,
    () => "Warn when `cloud_run_instances` comes near the cap, and retry what is turned away with growing pauses.",
  ],
  "logins fail": [
    (title) => `Rotate the keys of ${title} with the old one accepted until every token that it signed has run out.`,
    () => "Test a login from outside in the pipeline, right after each deployment.",
  ],
  "sockets fail, requests work": [
    (title) =>
      `Put a handshake of ${title} into the checks of each deployment: a health URL does not notice that sockets fail.`,
  ],
  "journey breaks while its parts work": [
    (title) => `Walk ${title} as a check of each deployment: all its parts were green.`,
    () =>
      "Measure what it waits for as steps of their own (agents, model provider), so that the next cause has a name.",
  ],
  "event in the region": [
    () => "Decide now what may move to another region and who decides it, and rehearse that once.",
    () => "Subscribe to Google's Service Health for the region, and keep a second region ready for what earns money.",
  ],
  "the monitor's own trouble": [
    () =>
      "Watch the way out of this vantage point itself (egress, NAT, DNS) with a control probe: a target that is known to be good.",
  ],
  "platform-wide": [
    () => "Compare the times with the provider's own record of incidents, and keep its address in the runbook.",
    () => "Decide what may move to another region when Cloud Run itself is in trouble.",
  ],
};

/** Below what confidence it is worth measuring more. */
const sure = 0.8;
/** Longest acceptable wait, in milliseconds. */
const slowToDetect = 300_000;
const slowToAcknowledge = 900_000;
/** The most findings that become proposals. */
const mostFindings = 5;

/** Everything that is proposed, the cause first. */
export function proposalsFor(account: Account): Proposal[] {
  return [
    ...againstTheCause(account),
    ...fromFindings(account),
    ...forMeasuring(account),
    ...forNoticing(account),
    ...forTelling(account),
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

/** Findings of configuration checks, except events that Google reports of itself, which nobody here can fix. */
function fromFindings({ incident }: Account): Proposal[] {
  const ours = incident.findings.filter(({ severity, check }) => severity !== "info" && !check.startsWith("google_"));
  return ours.slice(0, mostFindings).map(({ check, component, says, came_with_it }) => {
    const of = `\`${check}\` of ${titleOf(incident, component)}`;
    return came_with_it
      ? {
          text: `See to it that ${of} stays right: run the monitor's configuration checks after each deployment.`,
          because: sentence(`A configuration check came to be wrong with the outage: ${says}`),
        }
      : { text: `Put right ${of}.`, because: sentence(`A configuration check was wrong before the outage: ${says}`) };
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
      text: "Add a probe from the other vantage point of what failed, and write this outage down as a test (`npx --no pathkeeper test`) with the cause that people found.",
      because:
        root_cause === "unknown"
          ? "The cause was not found."
          : `The cause was only ${Math.round(100 * confidence)}% sure.`,
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
          ? `Shorten what "${rule ?? "the rule"}" waits for (\`alert_after\` of its probe, or its \`alert_duration\`), or the interval of the probe.`
          : `Raise the \`availability\` target of ${counting.component}, which decides how many failed runs are too many, or shorten the interval of \`${counting.check}\`.`,
      because: `The incident was opened ${spokenDuration(clockSpan(from.getTime(), opened.getTime()))} after the first failure.`,
    },
  ];
}

function forTelling({ incident, deliveries }: Account): Proposal[] {
  const { opened_at: opened, acknowledged_at: taken, severity } = incident;
  const proposals: Proposal[] = [];
  const waited = opened !== null && taken !== null ? taken.getTime() - opened.getTime() : undefined;
  if (severity === "critical" && (waited ?? slowToAcknowledge) >= slowToAcknowledge) {
    proposals.push({
      text: "Set `escalate_after` on a route to somebody who is on call, and agree on who acknowledges.",
      because:
        waited === undefined
          ? "Nobody acknowledged the incident in its document."
          : `It took ${spokenDuration(waited)} until somebody acknowledged it.`,
    });
  }
  const lost = deliveries.filter(({ status }) => status === "rejected");
  const channels = [...new Set(lost.map(({ channel }) => channel))];
  for (const channel of channels) {
    const reason = lost.find((one) => one.channel === channel)?.reason ?? "";
    proposals.push({
      text: `Mend the channel \`${channel}\`, and try it with \`npx --no pathkeeper preview --channel ${channel}\`.`,
      because: sentence(`a notice did not arrive there: ${reason}`),
    });
  }
  if (deliveries.length > 0 && !deliveries.some(({ status }) => status === "delivered")) {
    proposals.push({
      text: "Add a route that brings such incidents to somebody.",
      because: "No notice of this incident reached anybody.",
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
            because: `The recovery was believed too early ${regressed === 1 ? "once" : `${regressed} times`}.`,
          },
        ]),
    ...(silent.length === 0
      ? []
      : [
          {
            text: "Look into the log of the probe functions at the time of the validation.",
            because: `Validations of ${list(silent)} got no answer.`,
          },
        ]),
  ];
}

function sentence(text: string): string {
  const begun = `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

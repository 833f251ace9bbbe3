/** Texts of incidents of the monitor itself: what it cannot see, why, and where to look. Pure. */
import { deadLettersProbe, diskProbe, monitorComponent } from "../../../shared/monitor.ts";
import { asSentence, list } from "../../../shared/text/sentences.ts";
import { spokenDuration } from "../../../shared/text/units.ts";
import { subscriptions } from "../../../shared/topology.ts";
import type { Diagnosis, Symptom } from "../cause/diagnosis.ts";
import type { OperatorFields } from "../incident/operator-edits.ts";
import { lastedUntil } from "../incident/record/relapses.ts";
import type { Incident } from "../incident/state.ts";
import type { Plan } from "../plan.ts";
import { unreachedChannel } from "./checks.ts";
import { drillDiagnosis, drillImpact, drillProof, drillSummary, drillTitle, isDrill, isOfDrill } from "./drill.ts";

/**
 * Returns whether an incident belongs to the monitor itself or is a fire drill: its alerts are of a built-in component, which is connected
 * to no other.
 */
export function isOfMonitor({ alerts }: Pick<Incident, "alerts">): boolean {
  if (isDrill({ alerts })) return true;
  return Object.values(alerts).some(({ component }) => component === monitorComponent.name);
}

/** The diagnosis of an incident of the monitor: nothing has to be found out but which of its parts to look at. */
export function diagnoseMonitor(symptoms: readonly Symptom[], plan: Plan): Diagnosis {
  if (symptoms.some(isOfDrill)) return drillDiagnosis;
  const seen = [...symptoms].sort((a, b) => a.since - b.since);
  const parts = partsOf(seen, plan);
  return {
    rootCause: monitorComponent.name,
    verdict: "monitor",
    confidence: 1,
    evidence: seen.map(({ phrase }) => `Seen: ${asSentence(phrase)}`),
    next: parts.map(({ look }) => look),
    whys: [
      seen.some(isOfChannel)
        ? "Recipients may have missed an incident: `deliveries` in each incident shows the state of its notifications."
        : "Without measurements, incidents of targets are neither opened nor resolved.",
      ...seen.slice(0, 1).map(({ phrase }) => `Why? ${asSentence(phrase)}`),
      ...parts.slice(0, 1).map(({ cause }) => `Why? ${cause}`),
    ],
    working: [],
  };
}

/** The title of an incident of the monitor. */
export function monitorTitle({ symptoms }: Pick<Incident, "symptoms">, plan: Plan): string {
  if (Object.values(symptoms).some(isOfDrill)) return drillTitle(plan);
  const ids = Object.keys(symptoms);
  const silent = silentGroups(ids, plan);
  const channels = channelsIn(symptoms);
  const clocks = plan.groups.filter((group) => Object.hasOwn(symptoms, `alert/self|clock/${group}`));
  const partly = plan.groups.filter((group) => Object.hasOwn(symptoms, `alert/self|probes/${group}`));
  const unable = plan.groups.filter((group) => Object.hasOwn(symptoms, `alert/self|unable/${group}`));
  const what =
    silent.length > 0
      ? `no reports from ${list(silent)}`
      : partly.length > 0
        ? `no results from some probes of ${list(partly)}`
        : unable.length > 0
          ? `the monitor cannot run some probes of ${list(unable)}`
          : channels.length > 0
            ? `notifications do not reach ${list(channels)}`
            : clocks.length > 0
              ? `the clock of ${list(clocks)} is wrong`
              : ids.length > 0 && ids.every(isDrift)
                ? "the deployment has drifted"
                : "the monitor itself has a problem";
  return `${plan.configuration.title}: ${what}`;
}

/** The summary of an incident of the monitor. */
export function monitorSummary(incident: Incident, plan: Plan): string {
  const { symptoms, resolvedAt } = incident;
  if (Object.values(symptoms).some(isOfDrill)) return drillSummary;
  const seen = Object.values(symptoms).sort((a, b) => a.since - b.since);
  const phrases = seen.slice(0, 3).map(({ phrase }) => asSentence(phrase));
  const more = seen.length > 3 ? [`${seen.length - 3} more ${seen.length === 4 ? "problem" : "problems"}.`] : [];
  const end =
    resolvedAt === undefined
      ? partsOf(seen, plan)
          .slice(0, 1)
          .map(({ cause }) => cause)
      : [`It lasted ${spokenDuration(lastedUntil(incident, resolvedAt))}.`];
  return [
    "The monitor itself has a problem. This says nothing about the state of its targets.",
    ...phrases,
    ...more,
    ...end,
  ].join(" ");
}

/** Impact of an incident of the monitor on those who rely on it. */
export function monitorImpact({ symptoms, alerts, resolvedAt }: Incident, plan: Plan): string {
  if (isDrill({ alerts })) return drillImpact;
  const open = Object.entries(alerts).flatMap(([key, { firing }]) => (firing ? [`alert/${key}`] : []));
  const groups = silentGroups(open.length > 0 ? open : Object.keys(symptoms), plan);
  const probes = plan.configuration.probes.filter(({ group }) => groups.includes(group));
  const channels = channelsIn(symptoms);
  if (channels.length > 0) {
    return `Recipients of ${list(channels)} may not know about an incident. \`deliveries\` in each incident lists the missing notifications.`;
  }
  const may = resolvedAt === undefined ? "may go undetected" : "may have gone undetected";
  const isPartial = Object.keys(symptoms).some((id) => /^alert\/self\|(probes|unable)\//.test(id));
  if (probes.length === 0 && isPartial) return `Outages of the targets of these probes ${may}.`;
  const titles = [...new Set(probes.map(({ component }) => plan.graph.component(component).title))];
  if (titles.length === 0) {
    return symptoms["alert/self|pause"] === undefined
      ? "Incidents may be opened, announced or resolved late."
      : "Outages in that time went undetected.";
  }
  return `Outages of ${list(titles)} ${may} from here: ${list(probes.map(({ name }) => `\`${name}\``))} ${probes.length === 1 ? "does" : "do"} not report.`;
}

/** Why an incident of the monitor is over. @param document as the notifier and operators have left it */
export function monitorProof(incident: Incident, document?: OperatorFields): string {
  if (isDrill(incident)) return drillProof(incident, document);
  const { symptoms } = incident;
  const channels = channelsIn(symptoms);
  if (Object.keys(symptoms).every(isDrift)) return "A check no longer finds anything missing in the deployment.";
  return channels.length === 0
    ? "The monitor works again."
    : `Notifications reach ${list(channels)} again, or none has been lost there for an hour.`;
}

/** A part of the monitor that may be the cause, and where to look. */
interface Part {
  readonly cause: string;
  readonly look: string;
}

function partsOf(symptoms: readonly Symptom[], plan: Plan): Part[] {
  const open = symptoms.filter(({ until }) => until === undefined);
  const ids = (open.length > 0 ? open : symptoms).map(({ id }) => id);
  const parts = new Map<string, Part>();
  const silent = silentGroups(ids, plan);
  if (silent.length > 0) parts.set("reports", silenceOf(silent, plan));
  for (const id of ids) {
    const channel = unreachedChannel(id.slice("alert/".length));
    if (channel !== undefined) {
      parts.set(`channel/${channel}`, channelPart(channel));
      continue;
    }
    const [kind = "", of = ""] = id.slice("alert/self|".length).split("/");
    const part = partOf(kind, of);
    if (part !== undefined) parts.set(`${kind}/${kind === "told" ? of : ""}`, part);
  }
  return [...parts.values()];
}

/** Which groups fall silent together says where the way of their reports is broken. */
function silenceOf(silent: readonly string[], plan: Plan): Part {
  const vantageOf = (group: string): string => (group.startsWith("inside") ? "inside" : "outside");
  const vantages = [...new Set(silent.map(vantageOf))];
  const speaking = plan.groups.filter((group) => !silent.includes(group));
  const [vantage = "outside"] = vantages;
  if (speaking.length === 0) {
    return {
      cause:
        "No group reports at all: the likely cause is Cloud Scheduler, the topic of the reports, or the probe functions of every vantage point.",
      look: `Check whether the Cloud Scheduler jobs run and are not paused, and check ${subscriptionsOf(vantages)}.`,
    };
  }
  const reporting = `${list(speaking)} still ${speaking.length === 1 ? "reports" : "report"}`;
  if (!speaking.some((group) => vantages.includes(vantageOf(group)))) {
    return {
      cause: `Everything from ${list(vantages)} is silent, and ${reporting}: the likely cause is the probe function ${vantage}, its subscription or its path to Pub/Sub.`,
      look: `Check the log of the probe function ${vantage}, and ${subscriptionsOf(vantages)}.`,
    };
  }
  return {
    cause: `Only ${list(silent)} ${silent.length === 1 ? "is" : "are"} silent, and ${reporting}: the likely cause is the Cloud Scheduler job of this schedule, or its runs do not finish.`,
    look: `Check the job of ${list(silent)} in Cloud Scheduler, and the log of the probe function ${vantage} at its last run.`,
  };
}

/** By what was reported. */
const reportedParts: ReadonlyMap<string, Part> = new Map([
  [
    deadLettersProbe,
    {
      cause: "A function could not process a message, despite retries.",
      look: "Check the log of the function that the dead letter names, and the topic dead-letters.",
    },
  ],
  [
    diskProbe,
    {
      cause:
        "The disk of the machine that Pathkeeper runs on is full or read-only. Measurements wait in memory; incidents are opened and announced once there is space.",
      look: "Check the free space where the data of this run is stored.",
    },
  ],
]);

function partOf(kind: string, of: string): Part | undefined {
  switch (kind) {
    case "prober":
      return {
        cause: `The probe function of ${of} cannot reach a target known to be healthy, so the problem is its own network, egress or DNS.`,
        look: `Check the log and the network of the probe function of ${of}.`,
      };
    case "probes":
      return {
        cause: `Runs of ${of} skip some of their probes: no instance picks up a part of a large group, or a run is terminated before it is complete.`,
        look: `Check the log of the probe function that runs ${of}, its memory and its timeout, and whether messages of probe-requests become dead letters.`,
      };
    case "unable":
      return {
        cause: `Probes of ${of} cannot run: a secret has no value, the probe function lacks a permission, or a setting is invalid.`,
        look: `Check the secrets that these probes use, and the log of the probe function that runs ${of}.`,
      };
    case "delay":
      return {
        cause:
          "Reports are delayed: the subscription of the evaluator has a backlog, or the evaluator does not keep up.",
        look: "Check the oldest unacknowledged message of evaluate-measurements, and the errors and instances of the function evaluate.",
      };
    case "clock":
      return {
        cause: `The clock that ${of} uses to date its reports is wrong, or its runs are delayed before they publish.`,
        look: `Check the clock of the machine that runs the probe function of ${of}, its synchronization, and the log of the function.`,
      };
    case "ticks":
      return {
        cause:
          "The evaluator stopped or received no ticks: the likely cause is the function evaluate, the subscription evaluate-ticks or its Cloud Scheduler job.",
        look: "Check the log of the function evaluate, and the Cloud Scheduler job for the ticks.",
      };
    case "pause":
      return {
        cause:
          "No part of Pathkeeper ran in that time: the project, Cloud Scheduler or the machine was stopped or asleep.",
        look: "Find out what was stopped, and check what went undetected in the meantime.",
      };
    case "drift":
      return {
        cause:
          "The deployment differs from its Terraform configuration: it was changed manually, or an apply did not complete.",
        look: `Run \`npx --no pathkeeper doctor --project ${of}\`, which shows each gap with the command that fixes it.`,
      };
    case "told":
      return (
        reportedParts.get(of) ?? {
          cause: "A function reports a failure.",
          look: `Check the log of the function that reports ${of}.`,
        }
      );
    default:
      return undefined;
  }
}

function channelPart(channel: string): Part {
  return {
    cause: `The problem is in the channel ${channel}: its service, its address or its credentials.`,
    look: `Check the entries of ${channel} in the collection deliveries, with the response to every attempt, and its entry under \`channels\` in the configuration.`,
  };
}

/** Returns whether a symptom, by its id, is a deployment that is not as it must be. */
function isDrift(id: string): boolean {
  return id.startsWith("alert/self|drift/");
}

function isOfChannel({ id }: Symptom): boolean {
  return unreachedChannel(id.slice("alert/".length)) !== undefined;
}

/** The channels that notices do not reach. */
function channelsIn(symptoms: Incident["symptoms"]): string[] {
  return Object.values(symptoms).flatMap(({ id }) => unreachedChannel(id.slice("alert/".length)) ?? []);
}

function silentGroups(ids: readonly string[], plan: Plan): string[] {
  return plan.groups.filter((group) => ids.includes(`alert/self|reports/${group}`));
}

function subscriptionsOf(vantages: readonly string[]): string {
  const names = subscriptions.filter(({ name }) => vantages.some((vantage) => name === `probe-${vantage}`));
  return `the subscription${names.length === 1 ? "" : "s"} ${list(names.map(({ name }) => name))}`;
}

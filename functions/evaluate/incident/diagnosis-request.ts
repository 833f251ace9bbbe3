/**
 * The diagnosis that an incident asks for: when it opens, and when more becomes involved, the configuration checks, Google's service health
 * and the probes of all that is involved run at once, from both vantage points. What they find is evidence; it never touches the alerts,
 * whose state belongs to the schedules.
 */
import type { ConfiguredProbe } from "../../../shared/config/model.ts";
import type { ProbeRequest } from "../../../shared/messages/probe-request.ts";
import type { ProbeResult, Report, Vantage } from "../../../shared/messages/report.ts";
import { ownEntry, setEntry } from "../../../shared/runtime/entries.ts";
import { topics } from "../../../shared/topology.ts";
import { changesOf, logPatternsOf } from "../cause/knowledge/changes.ts";
import { withFailure } from "../partition/failure-ledger.ts";
import { withResult } from "../partition/fold.ts";
import type { Plan } from "../plan.ts";
import type { Facts } from "./draft.ts";
import { componentsOf } from "./record/document.ts";
import type { DiagnosisRequest, Incident, OutboxEntry } from "./state.ts";

/** The most that is asked for, of one vantage point, in one round. */
const maxProbes = 40;
/** The most rounds of one incident, or of each relapse, and attempts at one round. */
const maxRounds = 5;
const maxAttempts = 3;
/** Minimum interval between rounds, in milliseconds. */
const roundsApart = 300_000;

/** The next question, and the requests for it; `undefined` if there is none. */
export function nextInquiry(
  incident: Incident,
  plan: Plan,
  now: number,
): { request: DiagnosisRequest; requests: OutboxEntry[] } | undefined {
  const before = incident.diagnosisRequest;
  const asking = (request: DiagnosisRequest) => ({ request, requests: requestsFor(incident, request, plan) });
  const about = involved(incident);
  const isNew = before === undefined || about.some((name) => !before.about.includes(name));
  const most = maxRounds * (1 + (incident.relapses?.length ?? 0));
  const mayBegin = before === undefined || (before.round < most && now - before.requestedAt >= roundsApart);
  if (isNew && mayBegin) {
    const awaited = probesAbout(about, plan).map(({ name }) => name);
    const round = (before?.round ?? 0) + 1;
    return asking({ facts: {}, ...before, round, attempt: 1, requestedAt: now, awaited, about });
  }
  if (before !== undefined && !before.askedAgain && now - incident.openedAt >= lateAfter && !isAwaiting(before)) {
    const awaited = probesAbout(before.about, plan).flatMap(({ name, arrivesLate }) => (arrivesLate ? [name] : []));
    if (awaited.length > 0)
      return asking({ ...before, round: before.round + 1, attempt: 1, requestedAt: now, askedAgain: true, awaited });
  }
  if (before === undefined || before.awaited.length === 0 || before.attempt >= maxAttempts) return undefined;
  const longest = Math.max(0, ...before.awaited.map((name) => plan.probes.get(name)?.timeoutMs ?? 0));
  if (now - before.requestedAt < longest + 30_000) return undefined;
  return asking({ ...before, attempt: before.attempt + 1, requestedAt: now });
}

/** Time after the opening at which data that arrives late is requested again, in milliseconds. */
const lateAfter = 600_000;

function isAwaiting({ awaited, attempt }: DiagnosisRequest): boolean {
  return awaited.length > 0 && attempt < maxAttempts;
}

/**
 * Adds the diagnosis results that concern the incident, whichever incident requested them. Returns the same object if there are none.
 * @param facts results of scheduled runs
 */
export function withAnswer(
  request: DiagnosisRequest,
  report: Report,
  facts: Facts,
  since: number,
  plan: Plan,
): DiagnosisRequest {
  const asked = new Set(probesAbout(request.about, plan).map(({ name }) => name));
  const ours = report.results.filter(({ probe, at }) => asked.has(probe) && Date.parse(at) >= since);
  if (ours.length === 0 || report.prober_unhealthy !== undefined) return request;
  const known = { ...request.facts };
  const failures = { ...request.failures };
  const add = (result: ProbeResult): void => {
    const { probe, at, failure } = result;
    const before = ownEntry(known, probe);
    if (before !== undefined && before.at >= Date.parse(at)) return;
    const { failures: _, ...fact } = withResult(before ?? ownEntry(facts.probes, probe), result, report.vantage, plan);
    // A run that could not look has found nothing new: what was found before stands.
    const changes = changesOf(result) ?? before?.changes;
    const logPatterns = logPatternsOf(result) ?? before?.logPatterns;
    setEntry(known, probe, { ...fact, ...(changes && { changes }), ...(logPatterns && { logPatterns }) });
    if (fact.status !== "bad" || failure === undefined) return;
    setEntry(failures, probe, withFailure(ownEntry(failures, probe), failure, Date.parse(at), 0));
  };
  ours.forEach(add);
  const answered = new Set(ours.map(({ probe }) => probe));
  return { ...request, facts: known, failures, awaited: request.awaited.filter((name) => !answered.has(name)) };
}

/** The components that are to be looked at: what fails, and the cause that is suspected. */
function involved(incident: Incident): string[] {
  const { rootCause, alsoBroken } = incident.diagnosis;
  const failing = Object.values(incident.symptoms).flatMap(({ confirmed, component }) =>
    confirmed ? [component] : [],
  );
  const named = [rootCause, alsoBroken].filter((name) => name !== undefined && name !== "unknown");
  return [...new Set([...componentsOf(incident), ...failing, ...named])].filter((name) => name !== undefined).sort();
}

/**
 * Returns the probes of the involved components and of their dependencies, the most relevant first. A journey is too expensive to repeat, and
 * a held connection answers too late.
 */
function probesAbout(about: readonly string[], { graph, configuration }: Plan): ConfiguredProbe[] {
  const wanted = new Set(about.flatMap((name) => graph.causesOf(name)));
  const conclusive = configuration.probes
    .filter(({ holdMs }) => holdMs === undefined)
    .filter(({ environmentWide, component, endToEnd }) => environmentWide || (wanted.has(component) && !endToEnd))
    .sort((a, b) => Number(b.environmentWide ?? false) - Number(a.environmentWide ?? false));
  return [...Map.groupBy(conclusive, ({ vantage }) => vantage).values()].flatMap((probes) =>
    probes.slice(0, maxProbes),
  );
}

function requestsFor({ id, firstFailureAt }: Incident, request: DiagnosisRequest, plan: Plan): OutboxEntry[] {
  const { environment } = plan.configuration;
  const awaited = request.awaited.flatMap((name) => plan.probes.get(name) ?? []);
  const name = `${id}/diagnosis-${request.round}/${request.attempt}`;
  return [...Map.groupBy(awaited, ({ vantage }) => vantage)].map(([vantage, probes]) => {
    const data: ProbeRequest = {
      v: 1,
      environment,
      vantage,
      trigger: "diagnosis",
      group: diagnosisGroup(vantage),
      probes: probes.map(({ name }) => name),
      request: name,
      since: new Date(firstFailureAt).toISOString(),
      about: [...new Set(request.about.flatMap((one) => plan.graph.causesOf(one)))],
    };
    const attributes = { environment, vantage, trigger: "diagnosis" };
    return { id: `${name}/${vantage}`, topic: topics.probeRequests, message: { data, attributes } };
  });
}

/** Name of the group under which diagnoses from a vantage point report. */
export function diagnosisGroup(vantage: Vantage): string {
  return `${vantage}-diagnosis`;
}

/** One probe of a run: attempted within its deadline, and once more if the failure may be transient. */
import type { z } from "zod";
import type { ConfiguredProbe } from "../../../shared/config/model.ts";
import { isSecretReference, type SecretReference } from "../../../shared/config/secret-reference.ts";
import type { AwaitedReader, HeartbeatReader } from "../../../shared/documents/heartbeats.ts";
import type {
  Attempt,
  Failure,
  FailureKind,
  Finding,
  Hop,
  Measurement,
  ProbeResult,
  ReportedChange,
  ReportedLogPattern,
  Unchecked,
} from "../../../shared/messages/report.ts";
import type { Clock, GoogleApi, Secrets } from "../../../shared/ports.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { longestText, Redactor } from "../../../shared/text/redact.ts";
import { errorText, failureOfFault, ProbeFault, type SeenFailure } from "../net/faults.ts";
import type { AnyProber, Assessment, Diagnosed, ProbeWorld, SeenLogPattern } from "../prober.ts";
import { probers as registry } from "../probers/index.ts";
import { cite, openText, type ReportText, TargetText } from "../text/target-text.ts";
import { resourcesOf } from "./resources.ts";

/** Dependencies of an attempt from the run that it belongs to. */
export interface AttemptPorts {
  readonly secrets: Secrets;
  readonly google: GoogleApi;
  /** Reads heartbeats. @default none can be read */
  readonly beats?: HeartbeatReader | undefined;
  /** Reads since when heartbeats are expected. @default always */
  readonly awaited?: AwaitedReader | undefined;
  readonly clock: Clock;
  /** End of the run, in milliseconds since the epoch. @default as long as the probes take */
  readonly until?: number | undefined;
  /** End of all second attempts, in milliseconds since the epoch: the next run is due then. @default `until` */
  readonly nextAt?: number | undefined;
  /** Aborted when the outcome is no longer needed. */
  readonly unwanted?: AbortSignal | undefined;
  /** The diagnosis that the run belongs to. @default none */
  readonly diagnosis?: Diagnosed | undefined;
  /** Every probe of the environment, for the resources that they watch. @default none */
  readonly all?: readonly ConfiguredProbe[] | undefined;
  /** @default every registered kind */
  readonly probers?: Readonly<Record<string, AnyProber>> | undefined;
}

/** Runs one probe. Nothing that a target does makes it throw. */
export async function runProbe(probe: ConfiguredProbe, ports: AttemptPorts): Promise<ProbeResult> {
  const first = await attempt(probe, probe.timeoutMs, ports);
  const room = Math.min(ports.until ?? Number.POSITIVE_INFINITY, ports.nextAt ?? Number.POSITIVE_INFINITY);
  const left = room - ports.clock.now();
  // With less time than the first attempt had, a second one would prove nothing.
  if (probe.recheck === false || !isTransient(first.assessment) || left < first.ms) return resultOf(probe, first);
  const second = await attempt(probe, Math.min(probe.timeoutMs, left), ports);
  return resultOf(probe, first, second);
}

/** Maximum time for a prober to report the phase that the deadline interrupted, in milliseconds. */
export const graceMs = 20;

// Created once: the stack of an error costs more than the rest of a short probe.
const ended = new Error("the probe has ended");
const overdueReason = new Error("the probe timed out");

/** Parsed settings of the probes, so that each is validated once and not in every run. */
const knownSettings = new WeakMap<ConfiguredProbe, z.ZodSafeParseResult<unknown>>();

/** Reads the settings of a probe, for its first run: before a run begins, so that the time is not that of its targets. */
export function readSettings(probe: ConfiguredProbe, prober: AnyProber): z.ZodSafeParseResult<unknown> {
  const known = knownSettings.get(probe) ?? prober.settings.safeParse(probe.settings);
  knownSettings.set(probe, known);
  return known;
}

/** A completed attempt. */
interface CompletedAttempt {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly ms: number;
  readonly assessment: Assessment;
  /** Returns the secrets that must not appear in any text. */
  readonly redactor: Redactor;
}

/** Failures without any response: after a response, a second attempt would only hide the failure. */
const transientKinds: ReadonlySet<FailureKind> = new Set(["timeout", "refused", "reset", "dns", "unavailable"]);

function isTransient({ failure, conclusive }: Assessment): boolean {
  return failure !== undefined && transientKinds.has(failure.kind) && conclusive !== true;
}

async function attempt(probe: ConfiguredProbe, timeoutMs: number, ports: AttemptPorts): Promise<CompletedAttempt> {
  const at = ports.clock.now();
  const started = performance.now();
  const limitMs = Math.min(timeoutMs, (ports.until ?? Number.POSITIVE_INFINITY) - at);
  const redactor = new Redactor();
  const assessment =
    limitMs <= 0
      ? failed("internal", "start", "the run timed out before this probe could start")
      : await withinDeadline(limitMs, ports.unwanted, (signal, onClose) => {
          const remaining = (): number => Math.max(0, started + limitMs - performance.now());
          return assessed(probe, ports, worldOf(probe, ports, { signal, onClose, remaining }, redactor));
        });
  return { at, ms: performance.now() - started, assessment, redactor };
}

function resultOf(probe: ConfiguredProbe, first: CompletedAttempt, second?: CompletedAttempt): ProbeResult {
  const { assessment, ms, redactor } = second ?? first;
  const { failure, findings, unchecked, changes, logPatterns, hops, pending } = assessment;
  const open = (text: ReportText): string =>
    typeof text === "string" && redactor.isEmpty && isPlain(text) ? text : openText(text, redactor);
  // An address that was cut off is unusable.
  const openLink = (text: ReportText): string =>
    typeof text === "string" && text.startsWith("https://") ? redactor.redact(text) : open(text);
  const measurements: Measurement[] = [
    { metric: "probe_success", value: failure ? 0 : 1, labels: {} },
    { metric: "probe_duration", value: ms / 1000, labels: {} },
    { metric: "probe_attempts", value: second ? 2 : 1, labels: {} },
  ];
  const cold = second && failure === undefined ? (first.assessment.ifCold ?? []) : [];
  for (const { metric, value, labels } of [...assessment.measurements, ...cold]) {
    if (Number.isFinite(value)) measurements.push({ metric, value, labels: labels ? opened(labels, open) : {} });
  }
  const attempts = second && [first, second].map((one) => attemptOf(one));
  return {
    probe: probe.name,
    component: probe.component,
    at: instant(first.at),
    success: failure === undefined,
    ...(failure ? { failure: openFailure(failure, redactor) } : {}),
    ...(pending ? { pending } : {}),
    measurements,
    ...(findings ? { findings: findings.map((finding) => opened<Finding>(finding, open)) } : {}),
    ...(unchecked ? { unchecked: unchecked.map((one) => opened<Unchecked>(one, open)) } : {}),
    ...(changes ? { changes: changes.map((change) => opened<ReportedChange>(change, openLink)) } : {}),
    ...(logPatterns ? { log_patterns: logPatterns.map((one) => openLogPattern(one, open)) } : {}),
    ...(hops ? { hops: hops.map((hop) => opened<Hop>(hop, open)) } : {}),
    ...(attempts ? { attempts } : {}),
  };
}

/** Short words, as most labels are, which cannot contain a secret. */
function isPlain(text: string): boolean {
  return text.length <= longestText && /^[\w .:/-]*$/.test(text) && text.trim() === text;
}

function attemptOf({ at, ms, assessment: { failure }, redactor }: CompletedAttempt): Attempt {
  return {
    at: instant(at),
    duration: ms / 1000,
    ...(failure ? { failure: openFailure(failure, redactor) } : {}),
  };
}

/** Maximum length of a failure's code, in characters. */
const longestCode = 60;

function openFailure({ message, code, ...failure }: SeenFailure, redactor: Redactor): Failure {
  return {
    ...failure,
    message: openText(message, redactor),
    ...(code === undefined ? {} : { code: TargetText.of(code).first(longestCode).open(redactor) }),
  };
}

function openLogPattern(
  { pattern, means, ...rest }: SeenLogPattern,
  open: (text: ReportText) => string,
): ReportedLogPattern {
  return {
    ...rest,
    pattern: open(pattern),
    ...(means === undefined ? {} : { means: { ...means, says: open(means.says), remedy: open(means.remedy) } }),
  };
}

/** Runs the work until the deadline and not beyond it, even if it ignores the signal, and closes everything that it opened. */
async function withinDeadline(
  limitMs: number,
  unwanted: AbortSignal | undefined,
  work: (signal: AbortSignal, onClose: (close: () => void) => void) => Promise<Assessment>,
): Promise<Assessment> {
  const controller = new AbortController();
  const closers: (() => void)[] = [];
  const overdue = Promise.withResolvers<Assessment>();
  let grace: NodeJS.Timeout | undefined;
  const stop = (): void => {
    controller.abort(overdueReason);
    grace ??= setTimeout(() => overdue.resolve(failed("timeout", "unknown", overdueReason.message)), graceMs);
  };
  const deadline = setTimeout(stop, limitMs);
  unwanted?.addEventListener("abort", stop, { once: true });
  const onClose = (close: () => void): void => {
    if (closed) close();
    else closers.push(close);
  };
  let closed = false;
  try {
    return await Promise.race([work(controller.signal, onClose), overdue.promise]);
  } finally {
    clearTimeout(deadline);
    clearTimeout(grace);
    unwanted?.removeEventListener("abort", stop);
    closed = true;
    for (const close of closers) attemptToClose(close);
    controller.abort(ended);
  }
}

async function assessed(
  probe: ConfiguredProbe,
  { probers = registry }: AttemptPorts,
  world: ProbeWorld,
): Promise<Assessment> {
  const prober = ownEntry(probers, probe.kind);
  if (!prober) return failed("internal", "settings", `unknown probe kind ${probe.kind}`);
  const settings = readSettings(probe, prober);
  if (!settings.success) return failed("internal", "settings", `invalid probe settings: ${settings.error.message}`);
  try {
    return prober.assess(settings.data, await prober.observe(settings.data, world));
  } catch (error) {
    // A failure that occurs before the prober contacts its target.
    if (error instanceof ProbeFault) return { failure: failureOfFault(error, "settings"), measurements: [] };
    return failed("internal", "probe", cite`internal error of the probe: ${errorText(error)}`);
  }
}

function worldOf(
  { name: probe }: ConfiguredProbe,
  { secrets, google, beats, awaited, clock, diagnosis, all = [], probers = registry }: AttemptPorts,
  scope: Pick<ProbeWorld, "signal" | "onClose" | "remaining">,
  redactor: Redactor,
): ProbeWorld {
  return {
    ...scope,
    google,
    ...(diagnosis === undefined ? {} : { diagnosis }),
    get resources() {
      return resourcesOf(all, probers);
    },
    lastBeat: async (name) => {
      if (beats === undefined) throw new Error("no store is configured to read them from");
      return await beats(name);
    },
    awaitedSince: async () => (awaited === undefined ? 0 : await awaited(probe)),
    clock: () => performance.now(),
    now: () => clock.now(),
    conceal: (text) => redactor.add(text),
    resolve: async (value: string | SecretReference) => {
      if (!isSecretReference(value)) return value;
      const secret = await secrets.read(value.secret);
      redactor.add(secret);
      return secret;
    },
  };
}

function attemptToClose(close: () => void): void {
  try {
    close();
  } catch {
    // If it cannot be closed, it is closed already, or its state is irrelevant: the result stays.
  }
}

function failed(kind: Failure["kind"], phase: string, message: ReportText): Assessment {
  return { failure: { kind, phase, message }, measurements: [] };
}

/** Returns a record with its texts opened. */
function opened<T>(record: object, open: (text: ReportText) => string): T {
  const isReportText = (value: unknown): value is ReportText =>
    typeof value === "string" || value instanceof TargetText;
  return Object.fromEntries(
    Object.entries(record).map(([key, value]) => [key, isReportText(value) ? open(value) : value]),
  ) as T;
}

/** RFC 3339. @param milliseconds since the epoch */
export function instant(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

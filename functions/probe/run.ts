/** One run of probes: bounded and paced, each within its own deadline, all their results in one report. */
import { setTimeout as sleep } from "node:timers/promises";
import type { z } from "zod";
import { isSecretReference, type SecretReference } from "../../shared/config/fields.ts";
import type { ConfiguredProbe } from "../../shared/config/model.ts";
import type {
  Failure,
  Finding,
  Measurement,
  ProbeResult,
  Report,
  Trigger,
  Unchecked,
  Vantage,
} from "../../shared/messages/report.ts";
import type { Clock, GoogleApi, Secrets } from "../../shared/ports.ts";
import { bounded, redact } from "../../shared/redact.ts";
import type { AnyProber, Assessment, ProbeWorld } from "./prober.ts";
import { probers as registry } from "./probers/index.ts";

/** What is run, and what for. */
export interface ProbeRun {
  readonly environment: string;
  readonly vantage: Vantage;
  readonly group: string;
  readonly trigger: Trigger;
  /** The idempotency key of the report. */
  readonly reportId: string;
  /** The request that the report answers, if it was asked for. */
  readonly request?: string | undefined;
  readonly probes: readonly ConfiguredProbe[];
  readonly secrets: Secrets;
  readonly google: GoogleApi;
  readonly clock: Clock;
  /** Milliseconds since the epoch by which all must be over. @default as long as the probes take */
  readonly until?: number;
  /** How many probes run at the same time. @default 50 */
  readonly concurrency?: number;
  /** Milliseconds between two starts: a burst of starts would be measured as slowness of the targets. @default 1 */
  readonly paceMs?: number;
  /** Called as soon as a probe has ended, for those who watch. */
  readonly onResult?: (result: ProbeResult) => void;
  /** @default all that there are */
  readonly probers?: Readonly<Record<string, AnyProber>>;
}

/** Runs the probes. Nothing that a target does makes it throw. */
export async function runProbes(run: ProbeRun): Promise<Report> {
  const { probes, clock, concurrency = 50, paceMs = 1 } = run;
  const startedAt = clock.now();
  const results: ProbeResult[] = [];
  let next = 0;
  let lastStart = Number.NEGATIVE_INFINITY;
  const lane = async (): Promise<void> => {
    while (next < probes.length) {
      const position = next++;
      const probe = probes[position];
      if (!probe) return;
      const now = performance.now();
      lastStart = Math.max(now, lastStart + paceMs);
      if (lastStart > now) await sleep(lastStart - now);
      const result = await runProbe(probe, run);
      results[position] = result;
      run.onResult?.(result);
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, probes.length) }, lane));
  return {
    v: 1,
    report: run.reportId,
    environment: run.environment,
    vantage: run.vantage,
    group: run.group,
    trigger: run.trigger,
    started_at: instant(startedAt),
    finished_at: instant(clock.now()),
    results,
    ...(run.request === undefined ? {} : { request: run.request }),
  };
}

/** How long a prober may take to say in which phase the deadline met it, in milliseconds. */
const graceMs = 20;

// Made once: the stack of an error costs more than the rest of a short probe.
const ended = new Error("the probe has ended");
const overdueReason = new Error("the time of the probe ran out");

/** Settings as the probers read them, so that each is checked once and not in every run. */
const readSettings = new WeakMap<ConfiguredProbe, z.ZodSafeParseResult<unknown>>();

async function runProbe(probe: ConfiguredProbe, run: ProbeRun): Promise<ProbeResult> {
  const at = run.clock.now();
  const started = performance.now();
  const limitMs = Math.min(probe.timeoutMs, run.until === undefined ? Number.POSITIVE_INFINITY : run.until - at);
  const concealed = new Set<string>();
  const assessment =
    limitMs <= 0
      ? failed("internal", "start", "the time of the whole run was over before this probe could start")
      : await withinDeadline(limitMs, (signal, onClose) => {
          const remaining = (): number => Math.max(0, started + limitMs - performance.now());
          return attempt(probe, run, worldOf(run, { signal, onClose, remaining }, concealed));
        });
  const { failure, measurements, findings, unchecked } = assessment;
  const own: Measurement[] = [
    { metric: "probe_success", value: failure ? 0 : 1, labels: {} },
    { metric: "probe_duration", value: (performance.now() - started) / 1000, labels: {} },
  ];
  const clean = (text: string): string => bounded(text, concealed);
  return {
    probe: probe.name,
    component: probe.component,
    at: instant(at),
    success: failure === undefined,
    ...(failure ? { failure: { ...failure, message: clean(failure.message) } } : {}),
    measurements: [
      ...own,
      ...measurements
        .filter(({ value }) => Number.isFinite(value))
        .map(({ metric, value, labels = {} }) => ({ metric, value, labels: mapTexts(labels, clean) })),
    ],
    ...(findings ? { findings: findings.map((finding) => mapTexts<Finding>(finding, clean)) } : {}),
    ...(unchecked ? { unchecked: unchecked.map((one) => mapTexts<Unchecked>(one, clean)) } : {}),
  };
}

/** Works until the deadline and not beyond it, even where the work does not listen, and closes all that it opened. */
async function withinDeadline(
  limitMs: number,
  work: (signal: AbortSignal, onClose: (close: () => void) => void) => Promise<Assessment>,
): Promise<Assessment> {
  const controller = new AbortController();
  const closers: (() => void)[] = [];
  const overdue = Promise.withResolvers<Assessment>();
  let grace: NodeJS.Timeout | undefined;
  const deadline = setTimeout(() => {
    controller.abort(overdueReason);
    grace = setTimeout(() => overdue.resolve(failed("timeout", "unknown", "the time of the probe ran out")), graceMs);
  }, limitMs);
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
    closed = true;
    for (const close of closers) attemptToClose(close);
    controller.abort(ended);
  }
}

async function attempt(
  probe: ConfiguredProbe,
  { probers = registry }: ProbeRun,
  world: ProbeWorld,
): Promise<Assessment> {
  const prober = probers[probe.kind];
  if (!prober) return failed("internal", "settings", `there is no kind of probe called ${probe.kind}`);
  const settings = readSettings.get(probe) ?? prober.settings.safeParse(probe.settings);
  readSettings.set(probe, settings);
  if (!settings.success)
    return failed("internal", "settings", `the settings of the probe are wrong: ${settings.error.message}`);
  try {
    return prober.assess(settings.data, await prober.observe(settings.data, world));
  } catch (error) {
    return failed(
      "internal",
      "probe",
      `the probe itself failed: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function worldOf(
  { secrets, google, clock }: ProbeRun,
  scope: Pick<ProbeWorld, "signal" | "onClose" | "remaining">,
  concealed: Set<string>,
): ProbeWorld {
  return {
    ...scope,
    google,
    clock: () => performance.now(),
    now: () => clock.now(),
    conceal: (text) => void concealed.add(text),
    redact: (text) => redact(text, concealed),
    resolve: async (value: string | SecretReference) => {
      if (!isSecretReference(value)) return value;
      const secret = await secrets.read(value.secret);
      concealed.add(secret);
      return secret;
    },
  };
}

function attemptToClose(close: () => void): void {
  try {
    close();
  } catch {
    // What cannot be closed is no longer open, or not ours to judge: the result stands.
  }
}

function failed(kind: Failure["kind"], phase: string, message: string): Assessment {
  return { failure: { kind, phase, message }, measurements: [] };
}

function mapTexts<T extends object>(record: T, map: (text: string) => string): T {
  const entries = Object.entries(record).map(([key, value]) => [key, typeof value === "string" ? map(value) : value]);
  return Object.fromEntries(entries) as T;
}

function instant(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

/** What it means when one of Google's APIs does not answer as wanted: a kind of failure, and what to do about it in a plain sentence. */
import { type Failure, readingPhase } from "../../../shared/messages/report.ts";
import { GoogleApiError, type GoogleRequest } from "../../../shared/ports.ts";
import { ProbeFault, type SeenFailure, wordsOf } from "../net/faults.ts";
import type { ProbeWorld } from "../prober.ts";
import { cite, TargetText, type Words } from "../text/target-text.ts";

/** What is read, and what it takes to be allowed to. */
export interface Access {
  /** What people call the API: `Cloud Monitoring`. */
  readonly api: string;
  /** How it is enabled: `monitoring.googleapis.com`. */
  readonly service: string;
  readonly project: string;
  readonly permission: string;
  /** The narrowest predefined role that has the permission. */
  readonly role: string;
}

/**
 * Asks one of Google's APIs within the time of the probe. The token that it is asked with is kept out of the report.
 * @throws GoogleApiError when it refuses; the signal's reason when the time of the probe ran out
 */
export async function ask(
  request: GoogleRequest,
  world: Pick<ProbeWorld, "google" | "signal" | "conceal">,
): Promise<unknown> {
  const { google, signal, conceal } = world;
  const answer = async (): Promise<unknown> => {
    conceal(await google.accessToken());
    return google.request({ ...request, signal });
  };
  // Whoever gives out tokens knows no signal.
  return Promise.race([answer(), aborted(signal)]);
}

/** The failure that an error of `ask` means. It is one of the reading, never of what was to be read. */
export function refusalOf(error: unknown, access: Access, signal: AbortSignal): SeenFailure {
  const { api, project } = access;
  const failure = (kind: Failure["kind"], message: Words): SeenFailure => ({ kind, phase: readingPhase, message });
  if (signal.aborted) return failure("timeout", `the time of the probe ran out while waiting for the answer of ${api}`);
  if (error instanceof ProbeFault) return failure(error.kind, error.words);
  if (!(error instanceof GoogleApiError))
    return failure("internal", cite`unexpected fault while reading ${api}: ${wordsOf(error)}`);
  const { status, reason } = error;
  const message = TargetText.of(error.message);
  const known = meanings.find(({ when }) => when(status, reason));
  return known
    ? failure(known.kind, known.say(access, message))
    : failure("http_status", cite`${api} of the project ${project} answered ${status}: ${message}`);
}

/** What statuses and reasons mean, the first match counts. Reasons are those of google.rpc.ErrorInfo and google.rpc.Code. */
const meanings: readonly {
  readonly when: (status: number, reason: string) => boolean;
  readonly kind: Failure["kind"];
  readonly say: (access: Access, message: TargetText) => Words;
}[] = [
  { when: (_, reason) => reason === "NO_IDENTITY", kind: "auth", say: (_, message) => message },
  {
    when: (status) => status === 0,
    kind: "unavailable",
    say: ({ api }, message) => cite`${api} is not read: ${message}`,
  },
  {
    when: (_, reason) => reason === "SERVICE_DISABLED" || reason === "accessNotConfigured",
    kind: "unavailable",
    say: ({ api, service, project }) =>
      `${api} is not enabled in the project ${project}: run gcloud services enable ${service} --project ${project}`,
  },
  {
    when: (status, reason) => status === 429 || reason === "RESOURCE_EXHAUSTED" || reason === "RATE_LIMIT_EXCEEDED",
    kind: "http_status",
    say: ({ api, service, project }) =>
      `the quota of ${api} in the project ${project} is used up (429): read less often, or ask for more of ${service}`,
  },
  {
    when: (status) => status === 403,
    kind: "auth",
    say: ({ api, project, permission, role }) =>
      `${api} of the project ${project} may not be read: the probe's identity lacks ${permission}, which ${role} has`,
  },
  {
    when: (status) => status === 401,
    kind: "auth",
    say: ({ api }, message) => cite`${api} does not accept the probe's identity: ${message}`,
  },
  {
    when: (status) => status === 400,
    kind: "protocol",
    say: ({ api }, message) => cite`${api} does not understand what it is asked for: ${message}`,
  },
  {
    when: (status) => status >= 500,
    kind: "unavailable",
    say: ({ api }, message) => cite`${api} itself has trouble: ${message}`,
  },
];

function aborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  if (signal.aborted) reject(signal.reason);
  else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  return promise;
}

/** Whether an error says that something may not be read: for want of a permission, or because the API is not enabled. */
export function isRefused(error: unknown): boolean {
  return error instanceof GoogleApiError && error.status === 403;
}

/** Whether an error says that an API is not enabled, and not that it may not be read. */
export function isDisabled(error: unknown): boolean {
  return (
    error instanceof GoogleApiError && (error.reason === "SERVICE_DISABLED" || error.reason === "accessNotConfigured")
  );
}

/** Interprets an unexpected answer of a Google API: a kind of failure, and a plain sentence on how to fix it. */
import { type Failure, readingPhase } from "../../../shared/messages/report.ts";
import { GoogleApiError, type GoogleRequest } from "../../../shared/ports.ts";
import { errorText, ProbeFault, type SeenFailure } from "../net/faults.ts";
import type { ProbeWorld } from "../prober.ts";
import { cite, type ReportText, TargetText } from "../text/target-text.ts";

/** A resource that is read, and the permission that reading it requires. */
export interface Access {
  /** The name of the API: `Cloud Monitoring`. */
  readonly api: string;
  /** The service to enable: `monitoring.googleapis.com`. */
  readonly service: string;
  readonly project: string;
  readonly permission: string;
  /** The narrowest predefined role that has the permission. */
  readonly role: string;
}

/**
 * Calls one of Google's APIs within the time of the probe. The token of the request is kept out of the report.
 * @throws GoogleApiError if the API refuses; the signal's reason if the time of the probe runs out
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
  // The token source does not support an abort signal.
  return Promise.race([answer(), aborted(signal)]);
}

/** Returns the failure for an error of `ask`. It is a failure of the reading, never of the resource to be read. */
export function refusalOf(error: unknown, access: Access, signal: AbortSignal): SeenFailure {
  const { api, project } = access;
  const failure = (kind: Failure["kind"], message: ReportText): SeenFailure => ({ kind, phase: readingPhase, message });
  if (signal.aborted) return failure("timeout", `the probe timed out while waiting for a response from ${api}`);
  if (error instanceof ProbeFault) return failure(error.kind, error.reportText);
  if (!(error instanceof GoogleApiError))
    return failure("internal", cite`unexpected error while reading from ${api}: ${errorText(error)}`);
  const { status, reason } = error;
  const message = TargetText.of(error.message);
  const known = meanings.find(({ when }) => when(status, reason));
  return known
    ? failure(known.kind, known.say(access, message))
    : failure("http_status", cite`${api} answered ${status} for the project ${project}: ${message}`);
}

/** Meanings of statuses and reasons; the first match counts. The reasons are those of google.rpc.ErrorInfo and google.rpc.Code. */
const meanings: readonly {
  readonly when: (status: number, reason: string) => boolean;
  readonly kind: Failure["kind"];
  readonly say: (access: Access, message: TargetText) => ReportText;
}[] = [
  { when: (_, reason) => reason === "NO_IDENTITY", kind: "auth", say: (_, message) => message },
  {
    when: (status) => status === 0,
    kind: "unavailable",
    say: ({ api }, message) => cite`${api} was not read: ${message}`,
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
      `the quota of ${api} in the project ${project} is exhausted (429): read less often, or request a higher quota for ${service}`,
  },
  {
    when: (status) => status === 403,
    kind: "auth",
    say: ({ api, project, permission, role }) =>
      `access to ${api} in the project ${project} was denied: grant the probe's identity ${permission}, for example with ${role}`,
  },
  {
    when: (status) => status === 401,
    kind: "auth",
    say: ({ api }, message) => cite`${api} does not accept the probe's identity: ${message}`,
  },
  {
    when: (status) => status === 400,
    kind: "protocol",
    say: ({ api }, message) => cite`${api} rejected the request as invalid: ${message}`,
  },
  {
    when: (status) => status >= 500,
    kind: "unavailable",
    say: ({ api }, message) => cite`${api} failed with a server error: ${message}`,
  },
];

function aborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  if (signal.aborted) reject(signal.reason);
  else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  return promise;
}

/** Returns whether an error is a refusal: a missing permission, or an API that is not enabled. */
export function isRefused(error: unknown): boolean {
  return error instanceof GoogleApiError && error.status === 403;
}

/** Returns whether an error means that an API is not enabled, as opposed to a missing permission. */
export function isDisabled(error: unknown): boolean {
  return (
    error instanceof GoogleApiError && (error.reason === "SERVICE_DISABLED" || error.reason === "accessNotConfigured")
  );
}

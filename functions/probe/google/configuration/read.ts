/** Reads of Google's control plane: in parallel, bounded, each resource once, and a refusal in place of an error. */
import { GoogleApiError } from "../../../../shared/ports.ts";
import { ProbeFault } from "../../net/faults.ts";
import type { ProbeWorld } from "../../prober.ts";
import { type GoogleReadName, googleReads } from "../permissions.ts";
import { ask, isDisabled } from "../refusal.ts";
import { type Reading, read as readSeries, type Sample } from "../series.ts";
import { listAt, textAt } from "./json.ts";

/** A value that was read, or the reason why it could not be. */
export type Read<T> = { readonly value: T } | { readonly refusal: Refusal };

/** The reason why something could not be read. */
export interface Refusal {
  /** Name of the resource. */
  readonly resource: string;
  readonly component?: string | undefined;
  readonly reason: "missing" | "permission" | "disabled" | "identity" | "time" | "unavailable";
  /** One or two whole sentences: what could not be read, why, and how to fix it. */
  readonly explanation: string;
}

/** One resource to be read. */
export interface Wanted {
  readonly read: GoogleReadName;
  readonly resource: string;
  readonly component?: string | undefined;
  readonly project: string;
  readonly url: string;
  /** The body of a request that is not a GET. */
  readonly body?: unknown;
  /** The key of a list's entries in its answer. @default items */
  readonly entries?: string;
}

/** Measurements to read: how much of something is in use. */
export interface WantedFigures extends Omit<Wanted, "read" | "url" | "body" | "entries"> {
  /** The measured quantity, as sentences name it: `the number of instances in`. */
  readonly what: string;
}

/** Reads resources. */
export interface Reader {
  /** @param take extracts the relevant values from the answer; nothing else of it is kept */
  one<T>(wanted: Wanted, take: (json: unknown) => T): Promise<Read<T>>;
  /** Reads all pages of a list, up to a limit. @param take extracts the relevant values from one entry */
  list<T>(wanted: Wanted, take: (json: unknown) => T): Promise<Read<readonly T[]>>;
  /** Reads the newest points of a metric, one sample for each series; none if nothing was measured. */
  figures(wanted: WantedFigures, reading: Reading): Promise<Read<readonly Sample[]>>;
}

/** Maximum number of concurrent requests: far below a project's quota, and sufficient for a handful of resources. */
const lanes = 8;
/** Maximum number of pages read of a list: at 500 entries a page, far more than the firewall rules of the largest network. */
const maxPages = 20;

/** Creates the reader of one run. */
export function reader(world: Pick<ProbeWorld, "google" | "signal" | "conceal" | "now">): Reader {
  const { signal } = world;
  const answers = new Map<string, Promise<unknown>>();
  const waiting: (() => void)[] = [];
  let free = lanes;
  const inLane = async <T>(request: () => Promise<T>): Promise<T> => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      signal.throwIfAborted();
      return await request();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
  const once = (url: string, body: unknown): Promise<unknown> => {
    const known = answers.get(url);
    if (known) return known;
    const answer = inLane(() => ask(body === undefined ? { url } : { method: "POST", url, body }, world));
    answers.set(url, answer);
    return answer;
  };
  const refused = (wanted: Wanted, error: unknown): { refusal: Refusal } => ({
    refusal: refusalOf(wanted, googleReads[wanted.read].what, error, signal),
  });
  return {
    async one(wanted, take) {
      try {
        return { value: take(await once(wanted.url, wanted.body)) };
      } catch (error) {
        return refused(wanted, error);
      }
    },
    async list(wanted, take) {
      const entries = [];
      let page: string | undefined;
      try {
        for (let pages = 0; pages < maxPages; pages++) {
          const url = new URL(wanted.url);
          if (page !== undefined) url.searchParams.set("pageToken", page);
          const answer = await once(url.href, wanted.body);
          entries.push(...listAt(answer, wanted.entries ?? "items").map(take));
          page = textAt(answer, "nextPageToken");
          if (page === undefined) break;
        }
        return { value: entries };
      } catch (error) {
        return refused(wanted, error);
      }
    },
    async figures(wanted, reading) {
      try {
        const found = await inLane(() => readSeries(reading, wanted.project, world));
        return { value: found?.samples ?? [] };
      } catch (error) {
        return { refusal: refusalOf({ read: "time_series", ...wanted }, wanted.what, error, signal) };
      }
    },
  };
}

function refusalOf(
  { read, resource, component, project }: Omit<Wanted, "url">,
  what: string,
  error: unknown,
  signal: AbortSignal,
): Refusal {
  const known = googleReads[read];
  const name = `${what} ${resource}`;
  const about = { resource, ...(component === undefined ? {} : { component }) };
  if (signal.aborted)
    return { ...about, reason: "time", explanation: `Google did not respond in time when ${name} was read.` };
  if (error instanceof ProbeFault)
    return {
      ...about,
      reason: "unavailable",
      explanation: `${sentenceCase(name)} could not be read: ${error.message.slice(0, 160)}.`,
    };
  if (!(error instanceof GoogleApiError)) throw error;
  const { status, reason, message } = error;
  if (status === 404)
    return {
      ...about,
      reason: "missing",
      explanation: `There is no ${name.replace(/^the /, "")} in the project ${project}: correct its name, or create it.`,
    };
  if (reason === "NO_IDENTITY" || status === 401)
    return {
      ...about,
      reason: "identity",
      explanation: `${sentenceCase(name)} was not read, because the probe has no identity that Google accepts: run it as a service account, or log in with gcloud auth application-default login.`,
    };
  if (isDisabled(error) || (status === 403 && /has not been used in project|is disabled/.test(message)))
    return {
      ...about,
      reason: "disabled",
      explanation: `${sentenceCase(name)} could not be read, because its API is not enabled: gcloud services enable ${known.api} --project ${project}.`,
    };
  if (status === 429 || reason === "RATE_LIMIT_EXCEEDED")
    return {
      ...about,
      reason: "unavailable",
      explanation: `${sentenceCase(name)} could not be read, because the quota of ${known.api} is exhausted: run the probe less often.`,
    };
  if (status === 403)
    return {
      ...about,
      reason: "permission",
      explanation: `${sentenceCase(name)} could not be read: grant the service account of the probe the permission ${known.permission} in the project ${project}, for example with ${known.role}.`,
    };
  return {
    ...about,
    reason: "unavailable",
    explanation: `${sentenceCase(name)} could not be read: ${status === 0 ? message : `${known.api} answered ${status} ${reason}`}.`,
  };
}

/** Returns a sentence with an initial capital letter. */
export function sentenceCase(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** Examines how a live deployment is made: asks Google, and says what is missing. */
import type { Deployment } from "../deployment/deployment.ts";
import type { Inputs } from "../deployment/inputs.ts";
import { type Names, namesOf } from "../deployment/names.ts";
import { type GoogleApi, GoogleApiError } from "../ports.ts";
import { type Examination, type Gap, textAt } from "./examination.ts";
import { grantExaminations } from "./grants.ts";
import { urlOf } from "./permissions.ts";
import { resourceExaminations } from "./resources.ts";

/** Which deployment, and what it must be like. */
export interface ExaminedDeployment {
  readonly project: string;
  /** Region of the functions. */
  readonly region: string;
  /** `name_prefix` of the module. */
  readonly prefix: string;
  /** The Firestore database. */
  readonly database: string;
  /** The project that the probes read. */
  readonly watchedProject: string;
  readonly deployment: Deployment;
  /** Whether the evaluator checks for drift, and so holds a role for it. */
  readonly checksDrift: boolean;
}

/** Result of an examination. */
export interface Diagnosis {
  readonly project: string;
  readonly environment: string;
  /** Number of API requests made. */
  readonly examined: number;
  readonly gaps: readonly Gap[];
  /** Resources that could not be examined, each with the reason, as sentences. */
  readonly unknown: readonly string[];
}

/** Options of an examination. */
export interface ExamineOptions {
  /** More questions. @default none */
  readonly more?: (names: Names) => readonly Examination[];
  /** Ends the examination; questions without an answer by then are unknown. @default each answer has its own limit only */
  readonly signal?: AbortSignal;
}

/** Questions that are asked at once. */
const atOnce = 8;

/** Timeout of one request, in milliseconds. */
const patience = 20_000;

/**
 * Examines a deployment.
 * @throws GoogleApiError when the project itself cannot be read, and the reason of `signal` when that took too long
 */
export async function examine(
  patient: ExaminedDeployment,
  google: GoogleApi,
  { more = () => [], signal }: ExamineOptions = {},
): Promise<Diagnosis> {
  const { project, deployment } = patient;
  const limit = (): AbortSignal => AbortSignal.any([AbortSignal.timeout(patience), ...(signal ? [signal] : [])]);
  const about = await google.request({
    url: urlOf("cloudresourcemanager", `v3/projects/${project}`),
    signal: limit(),
  });
  const number = textAt(about, "name").replace("projects/", "");
  const names = namesOf({ deployment, inputs: inputsOf(patient, number) });
  const all = [...grantExaminations(names), ...resourceExaminations(names), ...more(names)];
  const gaps: Gap[] = [];
  const unknown: string[] = [];
  const queue = [...all];
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const found = await answerTo(next, google, limit());
      if (typeof found === "string") unknown.push(found);
      else gaps.push(...found);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  const order = new Map(all.map(({ what }, index) => [what, index]));
  gaps.sort((a, b) => (order.get(a.what) ?? 0) - (order.get(b.what) ?? 0));
  return { project, environment: deployment.environment, examined: all.length, gaps, unknown: unknown.sort() };
}

/** Returns the gaps in a response, or the reason why there is no response. */
async function answerTo(
  { what, request, missing, gaps }: Examination,
  google: GoogleApi,
  signal: AbortSignal,
): Promise<readonly Gap[] | string> {
  try {
    return gaps(await google.request({ ...request, signal }));
  } catch (error) {
    if (!(error instanceof GoogleApiError))
      return `${what} could not be examined: ${error instanceof Error ? error.message : String(error)}`;
    if (error.status === 404) return [{ what, ...missing }];
    return `${what} could not be examined: ${error.message}`;
  }
}

/** The inputs as far as a deployment shows them: who else was let in is not known. */
function inputsOf(
  { project, region, prefix, database, watchedProject, checksDrift }: ExaminedDeployment,
  number: string,
): Inputs {
  return {
    alarms: { emails: [], channel_ids: [] },
    answers: { enabled: false, url: null, iap: false },
    archives: {},
    budget: null,
    create_log_metrics: true,
    create_metrics_scope: true,
    database: { create: false, name: database, location: null, point_in_time_recovery: false },
    drift_check: { enabled: checksDrift },
    functions: {},
    heartbeat_publishers: [],
    change_publishers: [],
    inside: { connector: null, direct: null, all_traffic: false },
    labels: {},
    name_prefix: prefix,
    organization: { kms_key_name: null, secret_locations: [], build_worker_pool: null, binary_authorization: null },
    project_id: project,
    project_number: number,
    region,
    runbook_url: null,
    second_opinion: { uptime_url: null, uptime_period: "300s", journey: null, journey_period: "900s" },
    status_page_readers: [],
    watched_project_id: watchedProject,
  };
}

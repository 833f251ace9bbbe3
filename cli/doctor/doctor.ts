/** Examines a live deployment: asks Google, and says what is missing. */
import type { Configuration } from "../../shared/config/model.ts";
import { type GoogleApi, GoogleApiError } from "../../shared/ports.ts";
import { deploymentOf } from "../deployment/deployment.ts";
import { namesOf } from "../rehearse/names.ts";
import type { Inputs } from "../rehearse/plan.ts";
import { type Examination, type Gap, textAt } from "./examination.ts";
import { grantExaminations } from "./grants.ts";
import { resourceExaminations } from "./resources.ts";

/** Which deployment. */
export interface Patient {
  readonly project: string;
  readonly region: string;
  readonly prefix: string;
  readonly database: string;
  readonly configuration: Configuration;
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

/** Questions that are asked at once. */
const atOnce = 8;

/** Timeout of one request, in milliseconds. */
const patience = 20_000;

/**
 * Examines a deployment.
 * @param now milliseconds since the epoch
 * @throws GoogleApiError when the project itself cannot be read
 */
export async function examine(patient: Patient, google: GoogleApi, now: number): Promise<Diagnosis> {
  const { project, configuration } = patient;
  const about = await google.request({
    url: `https://cloudresourcemanager.googleapis.com/v3/projects/${project}`,
    signal: AbortSignal.timeout(patience),
  });
  const number = textAt(about, "name").replace("projects/", "");
  const deployment = deploymentOf(configuration, "");
  const names = namesOf({
    module: "",
    resources: [],
    deferred: [],
    providers: [],
    failedChecks: [],
    outputs: {},
    providerVersion: undefined,
    projectRead: undefined,
    checked: undefined,
    deployment,
    inputs: inputsOf(patient, number),
  });
  const all = [...grantExaminations(names), ...resourceExaminations(names, configuration, now)];
  const gaps: Gap[] = [];
  const unknown: string[] = [];
  const queue = [...all];
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const found = await answerTo(next, google);
      if (typeof found === "string") unknown.push(found);
      else gaps.push(...found);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  const order = new Map(all.map(({ what }, at) => [what, at]));
  gaps.sort((a, b) => (order.get(a.what) ?? 0) - (order.get(b.what) ?? 0));
  return { project, environment: configuration.environment, examined: all.length, gaps, unknown: unknown.sort() };
}

/** Returns the gaps in a response, or the reason why there is no response. */
async function answerTo(
  { what, request, missing, gaps }: Examination,
  google: GoogleApi,
): Promise<readonly Gap[] | string> {
  try {
    return gaps(await google.request({ ...request, signal: AbortSignal.timeout(patience) }));
  } catch (error) {
    if (!(error instanceof GoogleApiError))
      return `${what} could not be examined: ${error instanceof Error ? error.message : String(error)}`;
    if (error.status === 404) return [{ what, ...missing }];
    return `${what} could not be examined: ${error.message}`;
  }
}

/** The inputs as far as a deployment shows them: who else was let in is not known. */
function inputsOf({ project, region, prefix, database, configuration }: Patient, number: string): Inputs {
  return {
    alarms: { emails: [], channel_ids: [] },
    answers: { enabled: false, url: null, iap: false },
    archives: {},
    budget: null,
    create_log_metrics: true,
    create_metrics_scope: true,
    database: { create: false, name: database, location: null, point_in_time_recovery: false },
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
    watched_project_id: configuration.googleCloud?.project ?? project,
  };
}

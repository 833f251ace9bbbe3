/** Examines a live deployment from outside: how it is made, and what happens in it. */
import type { Configuration } from "../../shared/config/model.ts";
import { type Diagnosis, examine as examineDeployment } from "../../shared/doctor/doctor.ts";
import { type GoogleApi, GoogleApiError } from "../../shared/ports.ts";
import { at } from "../../shared/runtime/entries.ts";
import { deploymentOf } from "../deployment/deployment.ts";
import { activityExaminations } from "./activity.ts";

/** Which deployment. */
export interface ExaminedDeployment {
  readonly project: string;
  readonly region: string;
  readonly prefix: string;
  readonly database: string;
  readonly configuration: Configuration;
}

/**
 * Examines a deployment.
 * @param now milliseconds since the epoch
 * @throws GoogleApiError when the project itself cannot be read
 */
export async function examine(patient: ExaminedDeployment, google: GoogleApi, now: number): Promise<Diagnosis> {
  const { configuration, ...place } = patient;
  return examineDeployment(
    {
      ...place,
      watchedProject: configuration.googleCloud?.project ?? place.project,
      deployment: deploymentOf(configuration, ""),
      checksDrift: await checksDrift(place, google),
    },
    google,
    { more: (names) => activityExaminations(names, configuration, now) },
  );
}

/** Whether the evaluator checks for drift, and so holds a role for it. */
async function checksDrift(
  { project, region, prefix }: Omit<ExaminedDeployment, "configuration">,
  google: GoogleApi,
): Promise<boolean> {
  const evaluate = `projects/${project}/locations/${region}/functions/${prefix}-evaluate`;
  try {
    const found = await google.request({
      url: `https://cloudfunctions.googleapis.com/v2/${evaluate}`,
      signal: AbortSignal.timeout(20_000),
    });
    return at(found, "serviceConfig.environmentVariables.PATHKEEPER_DRIFT_CHECK") !== undefined;
  } catch (error) {
    // The function is examined by itself: what it lacks, or that it cannot be seen, is said there.
    if (error instanceof GoogleApiError) return false;
    throw error;
  }
}

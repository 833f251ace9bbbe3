/**
 * A probe as a synthetic monitor of Google Cloud Monitoring: `/synthetic/<probe>` runs it and responds in the format of the synthetics SDK,
 * so that Cloud Monitoring can be a second, independent scheduler with its own alerting. Nothing is published: the scheduler that requested
 * a run evaluates it, and no failure is evaluated twice.
 * @see https://github.com/GoogleCloudPlatform/synthetics-sdk-nodejs `packages/synthetics-sdk-api/proto/synthetic_response.proto`
 */
import type { Request, Response } from "@google-cloud/functions-framework";
import type { ProbeResult } from "../../../shared/messages/report.ts";
import { bounded } from "../../../shared/text/redact.ts";
import type { ProbePorts } from "../handler.ts";
import { runProbes } from "./run.ts";

/** Path prefix of synthetic monitors. */
export const syntheticPath: string = "/synthetic/";

/** The response that Cloud Monitoring expects: a result in snake case, with instants in RFC 3339. */
export interface SyntheticResult {
  readonly synthetic_generic_result_v1: {
    readonly ok: boolean;
    readonly generic_error?: {
      /** The kind of the failure. */
      readonly error_type: string;
      readonly error_message: string;
      /** The phase of the probe in which it failed. */
      readonly function_name: string;
      /** The probe. */
      readonly file_path: string;
    };
  };
  readonly runtime_metadata: Readonly<Record<string, string>>;
  readonly start_time: string;
  readonly end_time: string;
}

/** The result of a probe in the form of the SDK. @param endedAt milliseconds since the epoch */
export function syntheticResult(
  result: ProbeResult,
  endedAt: number,
  metadata: SyntheticResult["runtime_metadata"],
): SyntheticResult {
  const { failure, probe, at, success } = result;
  return {
    synthetic_generic_result_v1: {
      ok: success,
      ...(failure === undefined
        ? {}
        : {
            generic_error: {
              error_type: failure.kind,
              error_message: failure.message,
              function_name: failure.phase,
              file_path: probe,
            },
          }),
    },
    runtime_metadata: metadata,
    start_time: at,
    end_time: new Date(endedAt).toISOString(),
  };
}

/** Variables of Cloud Run that identify the revision; the SDK returns them as well. */
const revisionVariables = ["K_SERVICE", "K_REVISION", "K_CONFIGURATION"] as const;

/**
 * Returns the handler of synthetic monitors: it runs the probe of that name. A failed probe is a normal response with status 200; 404 if
 * no such probe at this vantage point, 409 while another monitor is running it here, so that requests do not pile up.
 */
export function syntheticHandler(
  ports: ProbePorts,
  environment: Readonly<Record<string, string | undefined>> = {},
): (request: Request, response: Response, name: string) => Promise<void> {
  const { configuration, vantage, secrets, google, beats, awaited, clock, logger, run = runProbes } = ports;
  const running = new Set<string>();
  const metadata = Object.fromEntries(
    revisionVariables.flatMap((name) => (environment[name] === undefined ? [] : [[name, environment[name]]])),
  );
  return async (request, response, name) => {
    const probe = configuration.probes.find((one) => one.name === name);
    if (!probe || (vantage !== "any" && vantage !== probe.vantage)) {
      response.status(404).json({ error: "no such probe at this vantage point" });
      return;
    }
    if (running.has(name)) {
      response.status(409).json({ error: `${name} is already running for another monitor` });
      return;
    }
    running.add(name);
    try {
      const execution = bounded(request.get("Synthetic-Execution-Id") ?? "", [], 100);
      const { results } = await run({
        environment: configuration.environment,
        vantage: probe.vantage,
        group: `${probe.vantage}-synthetic`,
        trigger: "diagnosis",
        reportId: `${configuration.environment}/synthetic/${new Date(clock.now()).toISOString()}`,
        probes: [probe],
        secrets,
        google,
        beats,
        awaited,
        clock,
      });
      const [result] = results;
      if (!result) throw new Error("the run produced no result");
      logger.info(`${name} was run for a synthetic monitor: ${result.success ? "ok" : "failed"}`, { execution });
      response.status(200).json(syntheticResult(result, clock.now(), metadata));
    } catch (error) {
      logger.error(`${name} could not be run for a synthetic monitor: ${(error as Error).message}`);
      response.status(500).json({ error: "the probe could not be run" });
    } finally {
      running.delete(name);
    }
  };
}

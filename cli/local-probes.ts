/** Runs probes from this machine, as the probe function would: what `probe`, `watch` and `verify` have in common. */
import { dirname, join } from "node:path";
import { runProbes } from "../functions/probe/run/run.ts";
import { googleApi } from "../shared/adapters/google-api.ts";
import { localSecrets } from "../shared/adapters/secrets.ts";
import { connectStore } from "../shared/adapters/select.ts";
import type { Configuration, ConfiguredProbe } from "../shared/config/model.ts";
import { awaitedIn, heartbeatsIn } from "../shared/documents/heartbeats.ts";
import type { ProbeResult, Report, Trigger, Vantage } from "../shared/messages/report.ts";
import { replaceDnsLookup } from "../shared/net/lookup.ts";
import type { Secrets, Store } from "../shared/ports.ts";

/** The option `--secrets` of commands that run probes. */
export const secretsOption = {
  secrets: {
    type: "string",
    value: "DIR",
    help: "the folder with a file for each secret that no environment variable holds",
    usual: "secrets beside the configuration",
  },
} as const;

/** Secrets from environment variables, or from files in a folder. @default the folder `secrets` beside the configuration */
export function secretsFrom({
  secrets,
  config,
}: {
  readonly secrets?: string | undefined;
  readonly config: string;
}): Secrets {
  return localSecrets(process.env, secrets ?? join(dirname(config), "secrets"));
}

/** What probes are run for. */
export interface LocalRun {
  readonly configuration: Configuration;
  readonly secrets: Secrets;
  readonly probes: readonly ConfiguredProbe[];
  readonly trigger: Trigger;
  /** What the run from a vantage point is called. */
  readonly group: (vantage: Vantage) => string;
  /** The request that is answered, if there is one. */
  readonly request?: string;
  readonly onResult?: (result: ProbeResult) => void;
}

/** Runs the probes once and together, all of them from here. @returns a report for each vantage point that they stand for */
export function runLocally({ configuration, probes, group, request, ...run }: LocalRun): Promise<Report[]> {
  replaceDnsLookup();
  const { environment } = configuration;
  const byVantage = Map.groupBy(probes, ({ vantage }) => vantage);
  return Promise.all(
    [...byVantage].map(([vantage, own]) =>
      runProbes({
        ...run,
        environment,
        vantage,
        group: group(vantage),
        reportId: `${environment}/${group(vantage)}/${request ?? new Date().toISOString()}`,
        request,
        probes: own,
        all: configuration.probes,
        control: configuration.control?.[vantage],
        google: googleApi(process.env["PATHKEEPER_GOOGLE_API"]),
        beats: async (name) => heartbeatsIn(await localStore())(name),
        awaited: async (probe) => awaitedIn(await localStore())(probe),
        clock: { now: () => Date.now() },
      }),
    ),
  );
}

let connecting: Promise<Store> | undefined;

/** The store that the environment names, for the probes that read from it. Opened once; it ends with the command. */
function localStore(): Promise<Store> {
  connecting ??= connectStore(process.env);
  return connecting;
}

/** Runs probes from this machine, as the probe function would: what `probe`, `watch` and `verify` have in common. */
import { runProbes } from "../functions/probe/run/run.ts";
import { googleApi } from "../shared/adapters/google-api.ts";
import type { Configuration, ConfiguredProbe } from "../shared/config/model.ts";
import { awaitedIn, heartbeatsIn } from "../shared/documents/heartbeats.ts";
import type { ProbeResult, Report, Trigger, Vantage } from "../shared/messages/report.ts";
import { replaceDnsLookup } from "../shared/net/lookup.ts";
import type { Secrets, Store } from "../shared/ports.ts";
import { WrongUsage } from "./command.ts";
import { isStoreKnown, type SystemOptions, storeOf } from "./store.ts";
import type { Terminal } from "./terminal/terminal.ts";

/** Purpose and inputs of a run of probes. */
export interface LocalRun {
  readonly configuration: Configuration;
  readonly secrets: Secrets;
  /** Which system keeps the reports that probes wait for. @default the one that the environment names */
  readonly system?: SystemOptions;
  readonly probes: readonly ConfiguredProbe[];
  readonly trigger: Trigger;
  /** Returns the ID of a run from a vantage point. */
  readonly group: (vantage: Vantage) => string;
  /** The request that is answered, if there is one. */
  readonly request?: string;
  readonly onResult?: (result: ProbeResult) => void;
}

/**
 * Leaves out the probes that wait for reports where nobody knows which system keeps these, and says so: they could never succeed.
 * @returns the others
 * @throws WrongUsage where there are none
 */
export function runnable(
  probes: readonly ConfiguredProbe[],
  system: SystemOptions,
  { note }: Pick<Terminal, "note">,
): readonly ConfiguredProbe[] {
  if (isStoreKnown(system)) return probes;
  const [waiting, others] = [true, false].map((waits) =>
    probes.filter(({ awaits }) => (awaits !== undefined) === waits),
  );
  if (waiting === undefined || waiting.length === 0) return probes;
  const names = waiting.map(({ name }) => name).join(", ");
  const why = `${names}: specify the system that stores the reports of these jobs with --data DIR or --project PROJECT`;
  if (others === undefined || others.length === 0) throw new WrongUsage(`no probe can run here: ${why}`);
  note(`skipped: ${why}`);
  return others;
}

/** Runs the probes once and together, all of them from here. @returns a report for each vantage point that they stand for */
export function runLocally({
  configuration,
  system = ofEnvironment,
  probes,
  group,
  request,
  ...run
}: LocalRun): Promise<Report[]> {
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
        beats: async (name) => heartbeatsIn(await openedOnce(system))(name),
        awaited: async (probe) => awaitedIn(await openedOnce(system))(probe),
        clock: { now: () => Date.now() },
      }),
    ),
  );
}

/** The system that the environment names. */
const ofEnvironment: SystemOptions = {};

const connecting = new WeakMap<object, Promise<Store>>();

/** The store of a system, for the probes that read from it. Opened once; it ends with the command. */
function openedOnce(system: SystemOptions): Promise<Store> {
  const opened = connecting.get(system) ?? storeOf(system);
  connecting.set(system, opened);
  return opened;
}

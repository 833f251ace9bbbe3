/** Creates probers that read Google's metrics from Cloud Monitoring, with everything that they have in common. */
import type { z } from "zod";
import type { Assessment, Prober } from "../prober.ts";
import { always } from "../yields.ts";
import { dataAge, type Observed, observeReadings, type WantedReading } from "./readings.ts";

/** The parts that a kind defines itself. */
export interface MonitoringKind<
  Settings extends { readonly project: string },
  Name extends string,
  Readings extends { readonly [One in Name]?: WantedReading },
> extends Pick<
    Prober<Settings, Observed<Name>>,
    "kind" | "title" | "example" | "role" | "requires" | "looksAt" | "yields"
  > {
  /** The schema of the settings, created on first use. */
  readonly settings: () => z.ZodType<Settings, unknown>;
  readonly notes: string;
  readonly seriesRead: NonNullable<Prober<Settings, Observed<Name>>["seriesRead"]>;
  /** Returns the readings of a probe with these settings. They are made concurrently. */
  readings(settings: Settings): Readings;
  /** Returns further readings, depending on the results of the first. @default nothing */
  readonly observeMore?: (
    settings: Settings,
    seen: Observed<Name>,
    read: (readings: { readonly [One in Name]?: WantedReading }) => Promise<Observed<Name>>,
  ) => Promise<Observed<Name>>;
  /** Assesses the results. The age of the data is added. */
  assess(settings: Settings, seen: Observed<Name>, readings: Readings): Assessment;
}

/** Creates the prober of a kind. */
export function monitoringProber<
  Settings extends { readonly project: string },
  Name extends string,
  Readings extends { readonly [One in Name]?: WantedReading },
>(kind: MonitoringKind<Settings, Name, Readings>): Prober<Settings, Observed<Name>> {
  const { settings, readings, observeMore, assess, yields, ...own } = kind;
  return {
    ...own,
    get settings() {
      return settings();
    },
    reach: "control_plane",
    secondhand: true,
    delayed: true,
    usualSeconds: 0.6,
    reads: ["time_series"],
    yields: (given) => [...yields(given), ...always("data_age")],
    async observe(given, world) {
      const read = (wanted: { readonly [One in Name]?: WantedReading }): Promise<Observed<Name>> =>
        observeReadings(wanted, given.project, world);
      const seen = await read(readings(given));
      return observeMore === undefined ? seen : await observeMore(given, seen, read);
    },
    assess(given, seen) {
      const assessment = assess(given, seen, readings(given));
      return { ...assessment, measurements: [...assessment.measurements, ...dataAge(seen)] };
    },
  };
}

/** Returns a function that creates the readings of one resource, which differ only in the metric and the aggregation of its points. */
export function readingsOfResource({
  prefix,
  ...common
}: Pick<WantedReading, "resourceType" | "where" | "periodMs" | "delayMs"> & {
  /** The common prefix of the types of all its metrics. */
  readonly prefix: string;
}): (
  metric: string,
  how: Pick<WantedReading, "aligner" | "reducer" | "groupBy" | "optional" | "filter">,
) => WantedReading {
  return (metric, how) => ({ ...common, ...how, metricType: `${prefix}${metric}` });
}

/** Cloud SQL in Cloud Monitoring: the name of an instance there, and the readings that several kinds of probe make. */
import { z } from "zod";
import { lazily } from "../../../shared/runtime/lazily.ts";
import type { WantedReading } from "./readings.ts";

/** Delay from sampling to availability, in milliseconds: the longest that Google documents for metrics of Cloud SQL. */
const delayMs = 165_000;

/** The schema of an instance's name: the plain name, or the connection name `project:region:instance`. */
export const cloudSqlInstance: () => z.ZodType<string, string> = lazily(() =>
  z
    .string()
    .regex(/^([a-z0-9.:-]+:[a-z0-9-]+:)?[a-z][a-z0-9-]{0,97}$/, {
      error: ({ input }) => `invalid instance "${input}": write its name, or project:region:instance`,
    })
    .describe("The instance, by its name or by its connection name project:region:instance."),
);

/** A reading of one metric of an instance, of the last whole minutes. */
export function cloudSqlReading(
  metric: string,
  instance: string,
  project: string,
  how: Pick<WantedReading, "aligner" | "reducer" | "where" | "groupBy" | "periodMs">,
): WantedReading {
  return {
    ...how,
    metricType: `cloudsql.googleapis.com/database/${metric}`,
    resourceType: "cloudsql_database",
    where: { "resource.labels.database_id": databaseId(instance, project), ...how.where },
    delayMs,
  };
}

/**
 * Client connections of an instance. The metric has a series for each database, which are summed; the similarly named `network/connections`
 * has no points for PostgreSQL.
 */
export function connectionsReading(instance: string, project: string, periodMs: number): WantedReading {
  const how = { aligner: "ALIGN_MAX", reducer: "REDUCE_SUM", periodMs } as const;
  return cloudSqlReading("postgresql/num_backends", instance, project, how);
}

/** `project:instance`, as in the label `database_id`. */
function databaseId(instance: string, project: string): string {
  const parts = instance.split(":");
  return parts.length < 3 ? `${project}:${instance}` : `${parts.slice(0, -2).join(":")}:${parts.at(-1)}`;
}

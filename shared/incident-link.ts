/** The link to an incident that every notification carries. */
import { z } from "zod";
import type { Configuration } from "./config/model.ts";
import { urlMistake } from "./net/written-address.ts";
import { fillMarks, marksOf } from "./text/placeholders.ts";

/** An address of incidents, with `${incident}` where the id of one belongs. */
export const incidentUrl: z.ZodType<string, string> = z
  .string()
  .max(500)
  .superRefine((value, context) => {
    const instead = `write https://host/path/\${incident}`;
    const message = incidentUrlProblem(value);
    if (message !== undefined) context.addIssue({ code: "custom", message: `${message}: ${instead}` });
  });

function incidentUrlProblem(value: string): string | undefined {
  const marks = marksOf(value);
  const wrong = marks.find(({ name, closed }) => name !== "incident" || !closed);
  if (wrong !== undefined)
    return wrong.closed
      ? `knows no field "${wrong.name}", only \${incident}, which is the id of the incident`
      : `does not close the brace of \${${wrong.name}`;
  if (urlMistake(value, ["https", "http"]) !== undefined) return "is not a valid address";
  return marks.length === 0 ? "has no place for the id of the incident" : undefined;
}

/**
 * The addresses of incidents: that of the configuration, else that of the environment of the process, else the document in Google's
 * console; `undefined` where none of them is known.
 */
export function incidentLinks(
  configuration: Pick<Configuration, "incidentUrl">,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  return configuration.incidentUrl ?? environment["PATHKEEPER_INCIDENT_URL"] ?? consoleLinks(environment);
}

/** The address of one incident. */
export function incidentLink(links: string, incident: string): string {
  return fillMarks(links, () => encodeURIComponent(incident.toWellFormed()));
}

function consoleLinks(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  const project = environment["PATHKEEPER_PROJECT"];
  if (project === undefined || environment["FIRESTORE_EMULATOR_HOST"] !== undefined) return undefined;
  const database = environment["PATHKEEPER_DATABASE"] ?? "(default)";
  const named = database === "(default)" ? "-default-" : database;
  return `https://console.cloud.google.com/firestore/databases/${named}/data/panel/incidents/\${incident}?project=${project}`;
}

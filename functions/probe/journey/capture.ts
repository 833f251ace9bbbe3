/** Values that are captured from a response for later steps: the settings under `capture`, and their evaluation. */
import { z } from "zod";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { namedRecord } from "../../../shared/runtime/named-record.ts";
import { headerName } from "../net/settings.ts";
import { jsonQueryMistake, valuesAt } from "../text/json-path.ts";
import { isTooDeep, jsonText, maxLevels } from "../text/json-text.ts";
import { parsePattern, patternMistake } from "../text/pattern.ts";
import { type Json, variableName } from "../text/template.ts";

const path = lazily(() =>
  z
    .string()
    .refine((text) => jsonQueryMistake(text) === undefined, "must be a path such as $.token or $.threads[0].id"),
);

const written = lazily(() =>
  z
    .strictObject({
      json: path().optional().describe("A path into the JSON response."),
      header: headerName().optional().describe("The name of a response header."),
      matches: z
        .string()
        .refine((text) => patternMistake(text) === undefined, {
          error: ({ input }) => `must be a pattern such as /session=([^;]+)/: ${patternMistake(String(input))}`,
        })
        .optional()
        .describe("A /pattern/ to match in the value, in RE2 syntax. Its first group is captured."),
      /** @default by the name */
      secret: z.boolean().optional().describe("Keeps the value out of reports."),
    })
    .refine(({ json, header }) => (json === undefined) !== (header === undefined), {
      message: "set json or header to say where the value is",
    }),
);

/** The location of a value, and whether it is secret. */
export type Capture = z.output<ReturnType<typeof written>>;

/** The schema of `capture`: the location of each variable, by its name. */
export const captures = lazily(() =>
  namedRecord(
    z.string().regex(variableName, "must be a variable name: letters, digits and _, beginning with a letter"),
    z.union([path().transform((json): Capture => ({ json })), written()], {
      error: "must be a path such as $.token, or { header: NAME } or { json: PATH }",
    }),
    {
      error: ({ code }) =>
        code === "invalid_type" ? "must be a map of variables, such as { token: $.token }" : undefined,
    },
  ),
);

const secretNames = /token|passw(?:or)?d|secret|api_?key|jwt|cookie|credential|authorization|session|bearer/i;

/** Returns whether a name indicates that its value is secret. */
export function isSecretName(name: string): boolean {
  return secretNames.test(name);
}

/** Replaces the texts of JSON fields with secret names by asterisks, even if the JSON is cut off. */
export function withoutSecretFields(text: string): string {
  return text.replaceAll(/("([\w-]+)"\s*:\s*")((?:[^"\\]|\\.){6,})/g, (field, start: string, name: string) =>
    isSecretName(name) ? `${start}***` : field,
  );
}

/** The captured values, or a sentence on why one could not be captured. */
export interface Captured {
  readonly values: readonly (readonly [name: string, value: Json, secret: boolean])[];
  readonly problem?: string;
}

/** Captures the values from a response. @param documents the JSON documents in which paths are looked up, one after the other */
export function capture(
  wanted: Readonly<Record<string, Capture>>,
  documents: readonly unknown[],
  headers: Readonly<Record<string, string | readonly string[] | undefined>> = {},
): Captured {
  const values: (readonly [string, Json, boolean])[] = [];
  let problem: string | undefined;
  for (const [name, place] of Object.entries(wanted)) {
    const found = foundAt(place, documents, headers);
    if (found === undefined || found === null || found === "") {
      const value = place.header === undefined ? (place.json ?? "") : `the header ${place.header}`;
      const state = found === undefined ? "is missing" : found === "" ? "is empty" : "is null";
      const what = place.matches === undefined ? value : `${place.matches} in ${value}`;
      problem ??= `${what} ${state}, so \${${name}} cannot be captured`;
    } else if (isTooDeep(found)) {
      problem ??= `${place.json ?? name} is nested deeper than ${maxLevels} levels, so \${${name}} cannot be captured`;
    } else values.push([name, found, place.secret ?? isSecretName(name)]);
  }
  return { values, ...(problem === undefined ? {} : { problem }) };
}

function foundAt(
  { json, header, matches }: Capture,
  documents: readonly unknown[],
  headers: Parameters<typeof capture>[2],
): Json | undefined {
  const whole =
    header === undefined ? atPath(json ?? "", documents) : [ownEntry(headers, header) ?? []].flat().join(", ");
  if (whole === undefined || (header !== undefined && ownEntry(headers, header) === undefined)) return undefined;
  if (matches === undefined) return whole;
  return parsePattern(matches)?.find(typeof whole === "string" ? whole : jsonText(whole));
}

function atPath(path: string, documents: readonly unknown[]): Json | undefined {
  // Parsed JSON contains only JSON values.
  return documents.flatMap((document) => valuesAt(document, path)).find((value) => value !== undefined) as
    | Json
    | undefined;
}

/** Expectations for an HTTP response: the settings under `expect`, and the first one that is not met. */

import { z } from "zod";
import { customIssue, duration } from "../../../shared/config/fields.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { namedRecord } from "../../../shared/runtime/named-record.ts";
import { formatDuration, quantity } from "../../../shared/text/units.ts";
import type { SeenFailure } from "../net/faults.ts";
import { headerName } from "../net/settings.ts";
import { jsonQueryMistake, valuesAt } from "../text/json-path.ts";
import { jsonText, plainValue } from "../text/json-text.ts";
import { isWrittenAsPattern, parsePattern, patternMistake } from "../text/pattern.ts";
import { cite, type ReportText, TargetText } from "../text/target-text.ts";
import { type HttpResponse, isUndecodable } from "./exchange.ts";
import { googleAnswer, shownGoogleAnswer } from "./google-answer.ts";

/** The parts of a response that expectations apply to. */
export interface ObservedResponse {
  readonly status: number;
  readonly statusText: TargetText;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: TargetText;
  /** From the start of the first request to the last byte, in seconds. */
  readonly seconds: number;
}

/** A response in the form that expectations apply to. */
export function observedResponse({
  status,
  statusText,
  headers,
  body,
  truncated,
  seconds,
}: HttpResponse & { readonly seconds: number }): ObservedResponse {
  const text = textOf(body, String(headers["content-type"] ?? ""));
  return { status, statusText, headers, body: TargetText.of(text, truncated), seconds };
}

/** Decodes a body to text: in the character set of its byte order mark, of its type, or UTF-8. */
function textOf(body: Buffer, type: string): string {
  const marked =
    body[0] === 0xff && body[1] === 0xfe ? "utf-16le" : body[0] === 0xfe && body[1] === 0xff ? "utf-16be" : undefined;
  const named = /;\s*charset\s*=\s*"?([\w-]+)/i.exec(type)?.[1];
  try {
    return new TextDecoder(marked ?? named ?? "utf-8").decode(body);
  } catch {
    return new TextDecoder().decode(body);
  }
}

/** Parses a text as JSON; `undefined` if it is invalid. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const statusAdvice = "must be a status such as 200, a class such as 2xx, a range such as 200-299, or a list of these";

/** The schema of a JSON value that is neither a list nor an object. */
export const jsonScalar = lazily(() =>
  z.union(
    [
      z.string().superRefine((text, context) => {
        const message = expectedMistake(text);
        if (message !== undefined) context.addIssue({ code: "custom", message });
      }),
      z.number(),
      z.boolean(),
      z.null(),
    ],
    {
      error: ({ input }) =>
        typeof input === "object"
          ? 'must be a single value, such as healthy, 3, true, "< 0.8" or /done/: extend the path to compare an inner value'
          : undefined,
    },
  ),
);

/** A scalar JSON value. */
export type JsonScalar = z.output<ReturnType<typeof jsonScalar>>;

/** Returns the mistake in an expected text: one that looks like a comparison or a pattern must be a valid one. */
function expectedMistake(text: string): string | undefined {
  const [, operator, limit = ""] = /^(<=|>=|<|>)(.*)$/s.exec(text) ?? [];
  if (operator !== undefined && asNumber(limit) === undefined && !limit.includes("${"))
    return `${operator} requires a number: write "${operator} 0.8" or "${operator} 80%"`;
  return slashedMistake(text);
}

/** Returns the mistake in a text written like a pattern; `undefined` if it is not written like one. */
function slashedMistake(text: string): string | undefined {
  const mistake = isWrittenAsPattern(text) ? patternMistake(text) : undefined;
  return mistake && `invalid regular expression between the slashes: ${mistake}`;
}

/** The schema of values inside JSON by path: each a value, or a condition in the syntax of `meets`. */
export const jsonValues = lazily(() =>
  namedRecord(
    z
      .string()
      .refine((path) => jsonQueryMistake(path) === undefined, "must be a path such as $.status or $.checks[0].ok"),
    jsonScalar(),
  ),
);

/** The schema of `expect`. */
export const expectations = lazily(() =>
  z.strictObject({
    status: z
      .union([acceptedStatus(), z.array(acceptedStatus()).min(1)], { error: statusAdvice })
      .default("2xx")
      .describe("Accepted status codes: 200, 2xx, 200-299, or a list of these."),
    headers: namedRecord(
      headerName(),
      z.string().refine((text) => slashedMistake(text) === undefined, {
        error: ({ input }) => slashedMistake(String(input)) ?? "",
      }),
    )
      .optional()
      .describe("Headers that the response must have, each with a text or a /pattern/."),
    body_contains: z.string().min(1).optional().describe("A text that the body must contain."),
    body_matches: z
      .string()
      .refine((text) => parsePattern(asPattern(text)) !== undefined, {
        error: ({ input }) => `must be a regular expression: ${patternMistake(asPattern(String(input)))}`,
      })
      .optional()
      .describe(
        "A regular expression that must match somewhere in the body, in RE2 syntax: without lookaround and backreferences.",
      ),
    json: jsonValues()
      .optional()
      .describe(
        'Values inside a JSON body by path: a value, a comparison such as "< 0.8" or "!= down", or a /pattern/. A path may select, as in `$.checks[?(@.name == "db")].ok` (RFC 9535): then it must select at least one value, and every selected value must match.',
      ),
    max_time: duration()
      .optional()
      .describe(
        "The maximum duration of the whole exchange, redirects included. A slower response is rechecked immediately: if the second is fast enough, the first hit a cold instance.",
      ),
  }),
);

/** The settings under `expect`, defaults filled in; durations in milliseconds. */
export type Expectations = z.output<ReturnType<typeof expectations>>;

/** Returns the first unmet expectation, or `undefined`. @param json the parsed JSON body, or `undefined` */
export function unmet(expected: Expectations, seen: ObservedResponse, json: unknown): SeenFailure | undefined {
  const problem =
    statusProblem(expected, seen) ??
    headerProblem(expected, seen) ??
    bodyProblem(expected, seen) ??
    jsonProblem(expected, seen, json) ??
    timeProblem(expected, seen);
  if (problem === undefined) return undefined;
  const encoding = String(seen.headers["content-encoding"] ?? "");
  const isEncoded = problem.phase === "body" && isUndecodable(encoding);
  const why = isEncoded
    ? cite`; its content encoding is ${TargetText.of(encoding).first(40)}, which was not requested`
    : "";
  return { ...problem, message: cite`${problem.message}${why}`, status: seen.status };
}

function statusProblem(
  { status: accepted }: Expectations,
  { status, statusText, headers, body }: ObservedResponse,
): SeenFailure | undefined {
  const list = Array.isArray(accepted) ? accepted : [accepted];
  if (list.some((one) => acceptsStatus(one, status))) return undefined;
  if (status === 400 && body.judge((text) => plainHttpToTls.test(text)))
    return {
      kind: "http_status",
      phase: "response",
      message: `${status}: the port speaks TLS, but the request was in plain HTTP: use https://`,
    };
  const google = body.judge((text) => googleAnswer(status, headers, text));
  const reason = google === undefined ? quotedBody(headers, body) : shownGoogleAnswer(google);
  const message = cite`${statusLine(status, statusText)}${reason}`;
  return {
    kind: "http_status",
    phase: "response",
    message,
    ...(google === undefined ? {} : { answered_by: google.by }),
  };
}

/** Returns a status with its text, if it has one. */
export function statusLine(status: number, text: TargetText): TargetText {
  return cite`${status}${text.judge((said) => said.trim() === "") ? "" : cite` ${text}`}`;
}

/** Returns the message in a text or JSON response, as the end of a sentence. */
export function quotedBody(headers: ObservedResponse["headers"], body: TargetText): ReportText {
  const isReadable = /json|text\/plain/.test(String(headers["content-type"] ?? ""));
  return isReadable && body.judge((text) => text.trim() !== "") ? cite`: ${body.first(longestExcerpt)}` : "";
}

/** Responses of nginx, Apache, Go and others to plain HTTP on a TLS port. */
const plainHttpToTls =
  /plain HTTP request was sent to HTTPS|speaking plain HTTP to an SSL|HTTP request to an HTTPS server/i;

function headerProblem({ headers: wanted = {} }: Expectations, { headers }: ObservedResponse): SeenFailure | undefined {
  for (const [name, expected] of Object.entries(wanted)) {
    const value = ownEntry(headers, name);
    const text = typeof value === "string" ? value : value?.join(", ");
    if (text !== undefined && matchesText(expected, text)) continue;
    const observed = text === undefined ? "is missing" : cite`is "${TargetText.of(text).first(longestExcerpt)}"`;
    return {
      kind: "body",
      phase: "response",
      message: cite`the header ${name} ${observed}, expected ${quoted(expected)}`,
    };
  }
  return undefined;
}

function bodyProblem(
  { body_contains, body_matches }: Expectations,
  { body }: ObservedResponse,
): SeenFailure | undefined {
  const shown = body.first(longestExcerpt);
  if (body_contains !== undefined && !body.judge((text) => text.includes(body_contains)))
    return bodyFailure(cite`the body does not contain "${body_contains}"; the body is: ${shown}`);
  if (body_matches === undefined) return undefined;
  const pattern = asPattern(body_matches);
  if (body.judge((text) => parsePattern(pattern)?.isIn(text))) return undefined;
  return bodyFailure(cite`the body does not match ${pattern}; the body is: ${shown}`);
}

function jsonProblem(
  { json: wanted }: Expectations,
  { body }: ObservedResponse,
  json: unknown,
): SeenFailure | undefined {
  if (wanted === undefined) return undefined;
  if (json === undefined) return bodyFailure(cite`the body is not JSON; the body is: ${body.first(longestExcerpt)}`);
  for (const [path, expected] of Object.entries(wanted)) {
    const values = valuesAt(json, path);
    if (values.length === 0) return bodyFailure(`the body has no ${path}, expected ${quoted(expected)}`);
    const wrong = values.findIndex((value) => !meets(value, expected));
    if (wrong < 0) continue;
    const which = values.length === 1 ? "" : ` (match ${wrong + 1} of ${values.length})`;
    const seen = TargetText.of(jsonText(values[wrong])).first(longestExcerpt);
    return bodyFailure(cite`${path}${which} is ${seen}, expected ${quoted(expected)}`);
  }
  return undefined;
}

function timeProblem({ max_time }: Expectations, { seconds }: ObservedResponse): SeenFailure | undefined {
  if (max_time === undefined || seconds * 1000 <= max_time) return undefined;
  const message = `answered after ${formatDuration(seconds * 1000)}, expected within ${formatDuration(max_time)}`;
  return { kind: "timeout", phase: "response", message, signal: "slow" };
}

function acceptedStatus(): z.ZodType<number | string, number | string> {
  return z.union(
    [
      z.int(statusAdvice).min(100, statusAdvice).max(599, statusAdvice),
      z
        .string()
        .regex(/^([1-5]xx|[1-5]\d\d(-[1-5]\d\d)?)$/, statusAdvice)
        .superRefine(customIssue(backwards)),
    ],
    { error: statusAdvice },
  );
}

/** A range whose end is before its start accepts nothing. */
function backwards(range: string): string | undefined {
  const [from = "", to = from] = range.split("-");
  return Number(from) > Number(to) ? `the range ${range} ends before it begins: write ${to}-${from}` : undefined;
}

function acceptsStatus(accepted: number | string, status: number): boolean {
  const text = String(accepted);
  if (text.endsWith("xx")) return String(status).startsWith(text.slice(0, 1));
  const [from, to = from] = text.split("-");
  return status >= Number(from) && status <= Number(to);
}

function matchesText(expected: string, text: string): boolean {
  return parsePattern(expected)?.isIn(text) ?? text === expected;
}

/** Returns whether a JSON value equals the expected one, satisfies its comparison (`"< 0.8"`, `"!= down"`), or matches its /pattern/. */
export function meets(value: unknown, expected: JsonScalar): boolean {
  if (typeof expected !== "string") return value === expected;
  const comparison = /^(<=|>=|==|!=|<|>)\s*(.+)$/s.exec(expected);
  if (!comparison) return matchesText(expected, typeof value === "string" ? value : jsonText(value));
  const [, operator = "", right = ""] = comparison;
  const limit = asNumber(right);
  if (limit !== undefined && typeof value === "number") return compares(value, operator, limit);
  if (operator === "==") return plainValue(value) === right;
  return operator === "!=" && plainValue(value) !== right;
}

function compares(left: number, operator: string, right: number): boolean {
  switch (operator) {
    case "<":
      return left < right;
    case "<=":
      return left <= right;
    case ">":
      return left > right;
    case ">=":
      return left >= right;
    case "==":
      return left === right;
    default:
      return left !== right;
  }
}

function asNumber(text: string): number | undefined {
  const match = /^(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)(%?)$/i.exec(text.trim());
  return match ? quantity(Number(match[1]), match[2] ?? "")?.value : undefined;
}

function asPattern(text: string): string {
  return isWrittenAsPattern(text) ? text : `/${text}/`;
}

function bodyFailure(message: ReportText): SeenFailure {
  return { kind: "body", phase: "body", message };
}

function quoted(expected: JsonScalar): string {
  return typeof expected === "string" ? expected : JSON.stringify(expected);
}

/** Maximum length of an excerpt from a response, in characters. */
const longestExcerpt = 120;

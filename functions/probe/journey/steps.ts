/** The steps of a journey: their settings, and the constraints among them. */
import { z } from "zod";
import { duration, secretReference } from "../../../shared/config/fields.ts";
import { insteadOf } from "../../../shared/config/file/problems.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { namedRecord } from "../../../shared/runtime/named-record.ts";
import { nearest } from "../../../shared/text/nearest.ts";
import { jsonScalar } from "../http/expect.ts";
import { oneBody, requestFields } from "../http/settings.ts";
import { oneAuthorization } from "../identity/identity.ts";
import { tlsOverTls } from "../net/settings.ts";
import { streamFields } from "../stream/settings.ts";
import { marksIn, variableName } from "../text/template.ts";
import {
  actionFields,
  actionMistake,
  expectedEvent,
  failsWhileExpecting,
  stepName,
  actions as utterances,
  waitFields,
} from "../websocket/script.ts";
import { socketFields } from "../websocket/settings.ts";
import { captures } from "./capture.ts";

/** The predefined variable: a text that is unique to each run. */
export const ownVariables: readonly string[] = ["run_id"];

const name = lazily(() =>
  z.string().regex(variableName, "must be a variable name: letters, digits and _, beginning with a letter"),
);

/** The schema of `variables`. */
export const variables = lazily(() =>
  namedRecord(
    name(),
    z.union([z.string(), z.number(), z.boolean(), secretReference()], {
      error: "must be a text, a number, true or false, or { secret: NAME }",
    }),
  ),
);

/** The initial value of a variable. */
export type Given = z.output<ReturnType<typeof variables>>[string];

const kinds = ["http", "websocket", "stream", ...utterances, "check"] as const;

/** The schema of one step. */
export const journeyStep = lazily(() =>
  z
    .strictObject({
      name: stepName().describe("The name of the step in failures and in golden_path_step_time."),
      http: z
        .strictObject(requestFields())
        .superRefine(oneBody)
        .superRefine(tlsOverTls("https"))
        .refine(oneAuthorization.holds, oneAuthorization.otherwise)
        .optional()
        .describe("Sends a request on a fresh connection, like an `http` probe, and checks the response."),
      websocket: z
        .strictObject(socketFields())
        .superRefine(tlsOverTls("wss"))
        .refine(oneAuthorization.holds, oneAuthorization.otherwise)
        .optional()
        .describe("Opens a WebSocket on a fresh connection. It stays open for the following steps."),
      stream: z
        .strictObject(streamFields())
        .superRefine(oneBody)
        .superRefine(tlsOverTls("https"))
        .refine(oneAuthorization.holds, oneAuthorization.otherwise)
        .optional()
        .describe(
          "Sends a request whose response is a stream of server-sent events. It stays open for the following steps with `expect`.",
        ),
      ...actionFields(),
      ...waitFields(expectedEvent()),
      send: actionFields().send.describe(
        "Sends a message over the open WebSocket: a text verbatim, anything else as JSON.",
      ),
      expect: waitFields(expectedEvent()).expect.describe(
        "Messages that must arrive over the open WebSocket or stream, in this order. Other messages may arrive in between.",
      ),
      ping: actionFields().ping.describe("Sends a ping over the open WebSocket and waits for the pong."),
      close: actionFields().close.describe(
        "Closes the open WebSocket with this code and waits until the server closes it too.",
      ),
      check: namedRecord(name(), jsonScalar())
        .optional()
        .describe('Expected captured values, by variable name: a value, a comparison such as "> 0", or a /pattern/.'),
      capture: captures()
        .default({})
        .describe(
          "Values to capture from the response of `http` or the messages of `expect` for later steps: `token: $.token`, or `{ header: x-thread }`. Values with names like token, password or secret, and those with `secret: true`, are kept out of reports.",
        ),
      within: duration().prefault("10s").describe("The maximum duration of the step."),
    })
    .refine(failsWhileExpecting.holds, failsWhileExpecting.otherwise)
    .refine((step) => actionMistake(step, kinds) === undefined, {
      error: ({ input }) => actionMistake(input as object, kinds) ?? "",
    })
    .refine((step) => Object.keys(step.capture).length === 0 || step.http !== undefined || step.expect !== undefined, {
      message: "values can be captured only from the response of http and the messages of expect",
      path: ["capture"],
    }),
);

/** One step: exactly one of `http`, `websocket`, `stream`, `send`, `expect`, `ping`, `close` and `check`. */
export type JourneyStep = z.output<ReturnType<typeof journeyStep>>;

/** Texts of a step in which variables are filled in. A pattern is not among them: a variable in it would be read as a pattern. */
export function fillable({ http, websocket, stream, send, expect, fail_on, check }: JourneyStep): unknown {
  return [
    http && [
      http.url,
      http.headers,
      http.body,
      http.json,
      http.form,
      http.expect.body_contains,
      http.expect.headers,
      http.expect.json,
    ],
    stream && [stream.url, stream.headers, stream.body, stream.json, stream.form],
    websocket && [websocket.url, websocket.headers, websocket.subprotocols],
    send,
    [...(expect ?? []), ...(fail_on ?? [])].map(({ json, contains }) => [json, contains]),
    check,
  ];
}

/** A mistake among steps: the message, and its location. */
export interface StepMistake {
  readonly message: string;
  readonly path: (string | number)[];
}

/** Returns all mistakes among the steps: names, open WebSockets, variables. */
export function mistakesAmong(
  given: readonly string[],
  lists: Readonly<Record<"steps" | "cleanup", readonly JourneyStep[]>>,
): StepMistake[] {
  const mistakes: StepMistake[] = [];
  const names: string[] = [];
  const known = [...ownVariables, ...given];
  for (const [list, steps] of Object.entries(lists)) {
    let open: "websocket" | "stream" | undefined;
    for (const [position, step] of steps.entries()) {
      const path = [list, position];
      if (names.includes(step.name))
        mistakes.push({ message: `duplicate step "${step.name}": choose another name`, path: [...path, "name"] });
      names.push(step.name);
      const spoken = utterances.find((action) => step[action] !== undefined);
      if (spoken !== undefined && open === undefined)
        mistakes.push({
          message: `no WebSocket is open here: add a step with websocket before it`,
          path: [...path, spoken],
        });
      if (spoken !== undefined && spoken !== "expect" && open === "stream")
        mistakes.push({ message: "a stream only receives: use expect", path: [...path, spoken] });
      if (step.close !== undefined) open = undefined;
      if (step.websocket !== undefined) open = "websocket";
      if (step.stream !== undefined) open = "stream";
      const mistake = markMistake(step, known);
      if (mistake !== undefined) mistakes.push({ message: mistake.message, path: [...path, ...mistake.inside] });
      known.push(...Object.keys(step.capture));
    }
  }
  return mistakes;
}

/** Returns the first mark that refers to nothing, or is not allowed at its place: the message, and the location inside the step. */
function markMistake(
  step: JourneyStep,
  known: readonly string[],
): { readonly message: string; readonly inside: readonly (string | number)[] } | undefined {
  const asked = [...marksIn(fillable(step)), ...Object.keys(step.check ?? {})];
  for (const mark of asked) {
    const inside = placeOf(mark, step) ?? (step.check === undefined ? [] : ["check", mark]);
    if (!variableName.test(mark))
      return { message: `\${${mark}} is not a valid variable: write \${name}, or $\${ for a literal \${`, inside };
    if (known.includes(mark)) continue;
    const instead = insteadOf(nearest(mark, known), known, "variables so far");
    return { message: `\${${mark}} has no value here: ${instead}`, inside };
  }
  const kind = step.http ? "http" : step.stream ? "stream" : "websocket";
  const url = step[kind]?.url;
  const authority = (typeof url === "string" && /^[^:]+:\/\/[^/?#]*/.exec(url)?.[0]) || "";
  if (!authority.includes("${")) return undefined;
  return {
    message: "scheme, host and port cannot contain variables: use variables in the path and query only",
    inside: [kind, "url"],
  };
}

/** Returns the location of a mark: the keys that lead to the text. */
function placeOf(mark: string, value: unknown): (string | number)[] | undefined {
  if (typeof value === "string") return value.includes(`\${${mark}}`) ? [] : undefined;
  if (typeof value !== "object" || value === null) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    const place = placeOf(mark, inner);
    if (place !== undefined) return [Array.isArray(value) ? Number(key) : key, ...place];
  }
  return undefined;
}

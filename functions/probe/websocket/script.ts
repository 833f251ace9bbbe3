/** The script of a WebSocket, step by step: the settings under `script`, and their execution. */
import { z } from "zod";
import { duration } from "../../../shared/config/fields.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { anyJson } from "../../../shared/runtime/named-record.ts";
import { type JsonScalar, jsonValues, meets, parseJson } from "../http/expect.ts";
import { ProbeFault } from "../net/faults.ts";
import type { Stages } from "../net/stages.ts";
import { valuesAt } from "../text/json-path.ts";
import { parsePattern, patternMistake } from "../text/pattern.ts";
import { cite, type ReportText, TargetText } from "../text/target-text.ts";
import type { Conversation, Message } from "./session.ts";

/** Placeholder for the secret token in everything that is sent. */
export const tokenMark = "{token}";

/**
 * Returns the mistake in a step that does not contain exactly one action; `undefined` if it does.
 * @param all the keys of which it must have exactly one
 */
export function actionMistake(step: object, all: readonly string[]): string | undefined {
  const done = all.filter((key) => ownEntry(step as Record<string, unknown>, key) !== undefined);
  if (done.length === 1) return undefined;
  const spoken = (keys: readonly string[], word: string): string =>
    `${keys.slice(0, -1).join(", ")} ${word} ${keys.at(-1)}`;
  if (done.length === 0) return `a step needs exactly one action, but this one has none: write ${spoken(all, "or")}`;
  return `a step needs exactly one action, but this one has ${spoken(done, "and")}: split it into separate steps`;
}

/** The keys of an action, of which exactly one is allowed. */
export const actions = ["send", "expect", "ping", "close"] as const;

const messageFields = lazily(() => ({
  json: jsonValues().optional().describe("Values inside a JSON message by path, as in `expect` of an `http` probe."),
  contains: z.string().min(1).optional().describe("A text that the message must contain."),
  matches: z
    .string()
    .refine((text) => patternMistake(text) === undefined, {
      error: ({ input }) => `must be a pattern such as /done/ or /done/i: ${patternMistake(String(input))}`,
    })
    .optional()
    .describe("A /pattern/ that the message must match, in RE2 syntax."),
}));

/** The schema of a WebSocket message. */
export const expectedMessage = lazily(() =>
  z.strictObject(messageFields()).refine((match) => Object.keys(match).length > 0, {
    message: "set at least one of json, contains or matches",
  }),
);

/** The schema of a message that may be an event of a stream. */
export const expectedEvent = lazily(() =>
  z
    .strictObject({
      event: z
        .string()
        .min(1)
        .optional()
        .describe("The type of a server-sent event. An event without a type has the type `message`."),
      ...messageFields(),
    })
    .refine((match) => Object.keys(match).length > 0, {
      message: "set at least one of event, json, contains or matches",
    }),
);

/** An expected message: all conditions must hold. */
export type ExpectedMessage = z.output<ReturnType<typeof expectedEvent>>;

/** The schema of the name of a step. */
export const stepName: () => z.ZodType<string, string> = lazily(() =>
  z.string().regex(/^[a-z][a-z0-9_ -]{0,39}$/i, "must be letters, digits, spaces, - and _, at most 40"),
);

/** The fields of a wait for messages. @param message the schema of one */
export function waitFields<Message extends z.ZodType<ExpectedMessage>>(message: Message) {
  return {
    expect: z
      .array(message)
      .min(1)
      .optional()
      .describe("Messages that must arrive, in this order. Other messages may arrive in between."),
    fail_on: z
      .array(message)
      .min(1)
      .optional()
      .describe(
        "Messages that must not arrive while others are expected. One of them, such as an error, ends the wait immediately.",
      ),
    any_order: z.boolean().default(false).describe("Accepts the expected messages in any order."),
  };
}

/** The fields of an action over a WebSocket, except for its time limit. */
export const actionFields = lazily(() => ({
  send: anyJson().optional().describe("A message to send: a text verbatim, anything else as JSON."),
  ...waitFields(expectedMessage()),
  ping: z.literal(true).optional().describe("Sends a ping and waits for the pong."),
  close: z
    .int()
    .refine((code) => code === 1000 || (code >= 3000 && code <= 4999), "must be 1000, or 3000 to 4999")
    .optional()
    .describe("Closes with this code and waits until the server closes too."),
}));

/** An action within so many milliseconds: exactly one of `send`, `expect`, `ping` and `close`. */
export type ScriptAction = Omit<z.output<z.ZodObject<ReturnType<typeof actionFields>>>, "expect" | "fail_on"> & {
  readonly expect?: readonly ExpectedMessage[] | undefined;
  readonly fail_on?: readonly ExpectedMessage[] | undefined;
  readonly within: number;
};

/** Checks that steps with `fail_on` have a wait to end; with the message for those that do not. */
export const failsWhileExpecting: {
  holds(step: Pick<ScriptAction, "expect" | "fail_on">): boolean;
  readonly otherwise: { message: string; path: string[] };
} = {
  holds: ({ expect, fail_on }) => fail_on === undefined || expect !== undefined,
  otherwise: {
    message: "fail_on requires expect in the same step",
    path: ["fail_on"],
  },
};

/** A step of a script. */
export type NamedAction = ScriptAction & { readonly name?: string | undefined };

/** The schema of `script`. */
export const script = lazily(() =>
  z
    .array(
      z
        .strictObject({
          name: stepName()
            .optional()
            .describe(
              "The name of the stage in failures and in websocket_stage_time. Default: by position, such as expect-2.",
            ),
          ...actionFields(),
          send: actionFields().send.describe(
            "A message to send: a text verbatim, anything else as JSON. `{token}` is replaced with the token.",
          ),
          within: duration().prefault("5s").describe("The maximum duration of the step."),
        })
        .refine((step) => actionMistake(step, actions) === undefined, {
          error: ({ input }) => actionMistake(input as object, actions) ?? "",
        })
        .refine(failsWhileExpecting.holds, failsWhileExpecting.otherwise),
    )
    .superRefine((steps, context) => {
      const names = [...connecting];
      for (const [position, step] of steps.entries()) {
        const name = stageOf(step, position);
        if (names.includes(name))
          context.addIssue({
            code: "custom",
            message: `duplicate stage "${name}": choose another name`,
            path: [position, "name"],
          });
        names.push(name);
        if (step.close !== undefined && position < steps.length - 1)
          context.addIssue({ code: "custom", message: "close must be the last step", path: [position, "close"] });
      }
    }),
);

/** One step of a script. */
export type Step = z.output<ReturnType<typeof script>>[number];

/** Runs the steps, each as a stage. @param token replaces `{token}` in messages @throws ProbeFault, or the error of the connection */
export async function play(
  steps: readonly NamedAction[],
  conversation: Conversation,
  stages: Stages,
  token: string | undefined,
): Promise<void> {
  for (const [position, step] of steps.entries()) {
    await perform(step, stageOf(step, position), conversation, stages, (message) => outgoing(message, token));
  }
  stages.stop();
}

/**
 * Performs one action, as a stage.
 * @param written formats a message to send
 * @returns the expected messages, in the order in which they arrived
 * @throws ProbeFault, or the error of the connection
 */
export async function perform(
  step: ScriptAction,
  stage: string,
  conversation: Conversation,
  stages: Stages,
  written: (message: z.core.util.JSONType) => string,
): Promise<readonly TargetText[]> {
  const limitMs = step.within;
  if (step.expect !== undefined) {
    const expected = { stage, limitMs, anyOrder: step.any_order, failOn: step.fail_on ?? [] };
    return await expectMessages(step.expect, expected, conversation, stages);
  }
  if (step.send !== undefined) {
    stages.enter(stage, { limitMs, missing: () => "the message could not be sent" });
    await conversation.send(written(step.send));
  } else if (step.ping) {
    stages.enter(stage, { limitMs, missing: () => "no pong arrived" });
    await conversation.ping();
  } else if (step.close !== undefined) {
    stages.enter(stage, { limitMs, missing: () => "the server did not close the connection" });
    await conversation.close(step.close);
  }
  return [];
}

/** Stages of every WebSocket before a script begins. */
const connecting: readonly string[] = ["dns", "connect", "tls", "upgrade"];

/** Returns the stages of a connection that runs these steps. */
export function stagesOf(steps: readonly NamedAction[]): string[] {
  return [...connecting, ...steps.map(stageOf)];
}

/** Returns the stage of a step: its name, or its action and its position. */
export function stageOf(step: NamedAction, position: number): string {
  return step.name ?? `${actions.find((action) => step[action] !== undefined)}-${position + 1}`;
}

function outgoing(message: z.core.util.JSONType, token = ""): string {
  if (typeof message === "string") return message.replaceAll(tokenMark, () => token);
  return JSON.stringify(message).replaceAll(tokenMark, () => JSON.stringify(token).slice(1, -1));
}

async function expectMessages(
  expected: readonly ExpectedMessage[],
  {
    stage,
    limitMs,
    anyOrder,
    failOn,
  }: { stage: string; limitMs: number; anyOrder: boolean; failOn: readonly ExpectedMessage[] },
  conversation: Conversation,
  stages: Stages,
): Promise<readonly TargetText[]> {
  const missing = [...expected];
  const met: { readonly one: ExpectedMessage; readonly text: TargetText }[] = [];
  const early = new Set<ExpectedMessage>();
  let others = 0;
  let last = TargetText.of("");
  const spokenMissing = (): ReportText => {
    const [first] = missing;
    const counted =
      expected.length === 1 ? "" : ` (${met.length} of ${expected.length} arrived${listed(met.map(({ one }) => one))})`;
    const hasty = missing.find((one) => early.has(one));
    const disorder =
      hasty === undefined ? "" : hasty === first ? ": it arrived out of order" : `: ${spoken(hasty)} arrived first`;
    const seen =
      others === 0 ? "" : cite`; ${others} other${others === 1 ? "" : "s"} arrived, the last: ${last.first(80)}`;
    return cite`no message with ${first ? spoken(first) : "more"} arrived${counted}${disorder}${seen}`;
  };
  stages.enter(stage, { limitMs, kind: "sequence", missing: spokenMissing });
  while (missing.length > 0) {
    const message = await conversation.receive();
    const { text } = message;
    const fatal = failOn.find((candidate) => holds(candidate, message));
    if (fatal) throw new ProbeFault("sequence", cite`a message with ${spoken(fatal)} arrived: ${text.first(160)}`);
    const awaited = anyOrder ? missing : missing.slice(0, 1);
    const one = awaited.find((candidate) => holds(candidate, message));
    if (one) {
      missing.splice(missing.indexOf(one), 1);
      met.push({ one, text });
      continue;
    }
    others++;
    last = text;
    for (const other of missing) if (!awaited.includes(other) && holds(other, message)) early.add(other);
  }
  return met.map(({ text }) => text);
}

/** Maximum number of received messages in a failure. */
const maxListed = 4;

function listed(came: readonly ExpectedMessage[]): string {
  if (came.length === 0) return "";
  const more = came.length > maxListed ? ", …" : "";
  return `: ${came.slice(0, maxListed).map(spoken).join("; ")}${more}`;
}

function holds({ event, json, contains, matches }: ExpectedMessage, { text, event: type }: Message): boolean {
  if (event !== undefined && event !== type) return false;
  if (contains !== undefined && !text.judge((said) => said.includes(contains))) return false;
  if (json !== undefined && !holdsJson(json, text)) return false;
  return matches === undefined || text.judge((said) => parsePattern(matches)?.isIn(said) === true);
}

function holdsJson(expected: Readonly<Record<string, JsonScalar>>, text: TargetText): boolean {
  const message = text.judge(parseJson);
  if (message === undefined) return false;
  return Object.entries(expected).every(([path, value]) => {
    const found = valuesAt(message, path);
    return found.length > 0 && found.every((one) => meets(one, value));
  });
}

function spoken({ event, json = {}, contains, matches }: ExpectedMessage): string {
  return [
    ...(event === undefined ? [] : [`the event ${event}`]),
    ...Object.entries(json).map(([path, value]) => `${path} ${JSON.stringify(value)}`),
    ...(contains === undefined ? [] : [JSON.stringify(contains)]),
    ...(matches === undefined ? [] : [matches]),
  ].join(", ");
}

/** The prober `websocket`: handshakes on fresh connections, and a conversation over the first of them. */
import { z } from "zod";
import { duration, durationBetween, secretReference } from "../../../shared/config/fields.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { formatDuration, spokenDuration } from "../../../shared/text/units.ts";
import { longestAckDeadline } from "../../../shared/topology.ts";
import { completeUrl } from "../http/settings.ts";
import { oneAuthorization, reconsiderIdentity } from "../identity/identity.ts";
import { failureOfFault, type SeenFailure } from "../net/faults.ts";
import { tlsOverTls } from "../net/settings.ts";
import { type Stages, stages } from "../net/stages.ts";
import type { Assessment, Prober, ProbeWorld } from "../prober.ts";
import { cite } from "../text/target-text.ts";
import { play, type Step, script, stagesOf, tokenMark } from "../websocket/script.ts";
import { type Conversation, openWebSocket, Refusal, type WebSocketTarget } from "../websocket/session.ts";
import { type SocketSettings, socketFields, socketTarget } from "../websocket/settings.ts";
import { always, onlyWhere } from "../yields.ts";

/** Maximum hold time, in milliseconds: the request must be answered, including everything before the hold, before it is redelivered. */
const longestHoldMs = 8 * 60_000;

const settings = lazily(() =>
  z
    .strictObject({
      ...socketFields(),
      url: socketFields().url.describe("The URL to open. `{token}` is replaced with the token."),
      headers: socketFields().headers.describe(
        "Headers of the upgrade request, such as `origin`. `{token}` is replaced with the token.",
      ),
      subprotocols: socketFields().subprotocols.describe(
        "Subprotocols to offer. The server must choose one. `{token}` is replaced with the token.",
      ),
      token: secretReference()
        .optional()
        .describe(
          "A secret to replace `{token}` with. If `{token}` is not used anywhere, the token is sent as `authorization: Bearer`.",
        ),
      handshakes: z
        .int()
        .min(1)
        .max(100)
        .default(1)
        .describe(
          "The number of connections to open simultaneously. Each must be accepted. The script runs on the first.",
        ),
      deadlines: z
        .strictObject({
          dns: duration().optional().describe("The maximum duration of the DNS lookup."),
          connect: duration().optional().describe("The maximum duration of the TCP connection."),
          tls: duration().optional().describe("The maximum duration of the TLS handshake."),
          upgrade: duration().optional().describe("The maximum time until the server accepts the WebSocket."),
        })
        .transform(({ dns, connect, tls, upgrade }) => ({ dns, connect, tls, upgrade }))
        .prefault({})
        .describe("Deadlines of the stages before the script. Default: the deadline of the probe."),
      hold: duration()
        .refine(
          (hold) => hold >= 1_000 && hold <= longestHoldMs,
          `must be from 1s to ${formatDuration(longestHoldMs)}: Pub/Sub redelivers a request that is not answered within ${longestAckDeadline}s`,
        )
        .optional()
        .describe(
          `The time to keep the first connection open after the script, to verify that nothing on the path closes it. From 1s to ${formatDuration(longestHoldMs)}, in addition to \`timeout\`, because Pub/Sub waits at most ${longestAckDeadline}s for the response to a request.`,
        ),
      hold_ping: durationBetween(1_000, longestHoldMs)
        .optional()
        .describe(
          "The interval of pings while the connection is held. Each must be answered. Default: no pings, like an idle client.",
        ),
      script: script()
        .default([])
        .describe("The messages to send and expect, step by step. Each step is a stage with its own time."),
    })
    .refine((settings) => settings.token !== undefined || !mentionsToken(settings), {
      message: "{token} requires a secret: set token: { secret: NAME }",
      path: ["token"],
    })
    .refine(({ hold, hold_ping }) => hold !== undefined || hold_ping === undefined, {
      message: "hold_ping has no effect without hold: set hold, or remove hold_ping",
      path: ["hold_ping"],
    })
    .refine(({ hold, script }) => hold === undefined || script.every(({ close }) => close === undefined), {
      message: "a closed connection cannot be held: remove close or hold",
      path: ["hold"],
    })
    .superRefine(completeUrl)
    .superRefine(tlsOverTls("wss"))
    .refine(oneAuthorization.holds, oneAuthorization.otherwise),
);

/** Settings of a `websocket` probe; durations in milliseconds. */
export type WebSocketSettings = z.output<ReturnType<typeof settings>>;

/** The observation of the target. */
export interface WebSocketObservation {
  readonly handshakes: readonly Handshake[];
  /** Why the script did not complete. */
  readonly broken?: SeenFailure | undefined;
  /** Seconds for which the connection was held. */
  readonly held?: number | undefined;
  /** Seconds in each completed stage of the first connection. */
  readonly stages: Readonly<Record<string, number>>;
}

/** The prober `websocket`. */
export const websocket: Prober<WebSocketSettings, WebSocketObservation> = {
  kind: "websocket",
  title:
    "Opens a WebSocket on a fresh connection, or several simultaneously, and runs a script on the first: messages to send, and messages that must arrive in order and in time. A server that accepts a handshake and closes immediately fails, unless with code 1000.",
  role: "websocket",
  reach: "users",
  get settings() {
    return settings();
  },
  example: `url: wss://api.example.com/ws?token={token}
token: { secret: websocket-token }
script:
  - { name: welcome, expect: [{ json: { $.type: connection_established } }] }
  - { send: { type: user_message, text: Hello } }
  - name: agent events
    expect:
      - { json: { $.type: agent_started } }
      - { json: { $.type: agent_completed } }
    within: 8s
`,
  notes: `\`hold\` detects limits that end long-lived connections. On Google Cloud, these limits end a WebSocket, whether it is idle or not:

| limit | default | maximum | setting |
|---|---|---|---|
| backend timeout of an external load balancer | 30 s | 24 h | \`timeoutSec\` of the backend service |
| request timeout of Cloud Run | 300 s | 60 min | \`--timeout\` of the service |

A probe with \`hold\` runs in a separate group, whose subscription waits ${longestAckDeadline} s for the response, which is the maximum of Pub/Sub.
Therefore \`hold\` is at most ${formatDuration(longestHoldMs)}. The probe function is billed for as long as it holds the connection: \`npx --no pathkeeper cost\` counts it. Diagnoses
and validations of a recovery skip such a probe, because they do not wait that long. \`failure.code\` is the close code of the connection.`,
  usualSeconds: 0.8,
  holds: ({ hold }) => hold,
  yields: (settings) => [
    ...always("websocket_connection_success", "websocket_handshake_time", "http_status"),
    {
      metric: "websocket_stage_time",
      ...(settings === undefined
        ? {}
        : { labels: { stage: [...stagesOf(settings.script), ...(settings.hold === undefined ? [] : ["hold"])] } }),
    },
    ...onlyWhere(settings, ({ hold }) => hold !== undefined, "with hold", ["websocket_hold_time"]),
  ],

  async observe(settings, world) {
    const target = await targetOf(settings, world);
    const attempts = await Promise.all(
      Array.from({ length: settings.handshakes }, (_, position) =>
        shakeHands(
          target,
          settings,
          world,
          position > 0 || (settings.script.length === 0 && settings.hold === undefined),
        ),
      ),
    );
    const handshakes = attempts.map(({ handshake }) => handshake);
    const [first] = attempts;
    const accepted = attempts.every(({ conversation }) => conversation !== undefined);
    const broken =
      first?.conversation && accepted
        ? await played(settings.script, first.conversation, first.stages, target.token)
        : undefined;
    const holding = broken === undefined && accepted && settings.hold !== undefined ? first : undefined;
    for (const attempt of attempts) if (attempt !== holding) attempt.conversation?.leave();
    if (holding?.conversation) {
      const { seconds, failure } = await held(settings, holding.conversation, holding.stages, world);
      holding.conversation.leave();
      return { handshakes, broken: failure, held: seconds, stages: holding.stages.times() };
    }
    return { handshakes, broken, stages: first?.stages.times() ?? {} };
  },

  assess({ script, hold }, { handshakes, broken, held, stages }) {
    const accepted = handshakes.filter((handshake) => "seconds" in handshake);
    const refused = handshakes.filter((handshake) => "failure" in handshake);
    const measurements: Assessment["measurements"][number][] = [
      { metric: "websocket_connection_success", value: accepted.length / handshakes.length },
      ...Object.entries(stages).map(([stage, value]) => ({
        metric: "websocket_stage_time" as const,
        value,
        labels: { stage },
      })),
    ];
    if (held !== undefined) measurements.push({ metric: "websocket_hold_time", value: held });
    if (accepted.length > 0) {
      const sum = accepted.reduce((total, { seconds }) => total + seconds, 0);
      measurements.push({ metric: "websocket_handshake_time", value: sum / accepted.length });
    }
    const status =
      refused.length === 0 ? switchingProtocols : refused.find(({ status }) => status !== undefined)?.status;
    if (status !== undefined) measurements.push({ metric: "http_status", value: status });
    const failure = refusalOf(refused, handshakes.length) ?? broken;
    // A share of many attempts is not transient, and a message that was sent is not sent again.
    const said = hold !== undefined || script.some(({ send }) => send !== undefined);
    const conclusive = handshakes.length > 1 || (broken !== undefined && said);
    return { ...(failure ? { failure, ...(conclusive ? { conclusive: true as const } : {}) } : {}), measurements };
  },
};

/** Seconds from the start of the connection to the accepted upgrade, or the failure, with the HTTP status if there was a response. */
type Handshake = { readonly seconds: number } | Refused;

interface Refused {
  readonly failure: SeenFailure;
  readonly status?: number;
}

/** Time for a server that does not answer pings to close a connection that it accepted, in milliseconds. */
const patienceMs = 500;

/** The status of an accepted upgrade. */
const switchingProtocols = 101;

/** Returns the target, and the token that replaces `{token}` in messages. */
interface Target extends WebSocketTarget {
  readonly token: string | undefined;
}

async function targetOf(settings: WebSocketSettings, world: ProbeWorld): Promise<Target> {
  const token = settings.token && (await world.resolve(settings.token));
  const filled = (text: string): string => text.replaceAll(tokenMark, () => token ?? "");
  const bearer: Record<string, string> =
    token === undefined || mentionsToken(settings) ? {} : { authorization: `Bearer ${token}` };
  const url = settings.url.replaceAll(tokenMark, () => encodeURIComponent(token ?? ""));
  return { ...(await socketTarget(settings, url, filled, world, bearer)), token };
}

async function shakeHands(
  target: Target,
  settings: WebSocketSettings,
  world: ProbeWorld,
  isIdle: boolean,
): Promise<{ handshake: Handshake; stages: Stages; conversation?: Conversation }> {
  const own = stages(world, settings.deadlines, target.url.host);
  const started = world.clock();
  try {
    const conversation = await openWebSocket(target, own);
    const seconds = (world.clock() - started) / 1000;
    if (isIdle) await conversation.confirm(Math.min(patienceMs, world.remaining() / 2));
    return { handshake: { seconds }, stages: own, conversation };
  } catch (error) {
    // A status is a response, even if its body arrived too slowly.
    if (!(error instanceof Refusal)) return { handshake: { failure: own.failureOf(error) }, stages: own };
    const { status } = error;
    reconsiderIdentity(settings, status, world);
    return { handshake: { failure: failureOfFault(error, own.phase), status }, stages: own };
  }
}

async function played(
  steps: readonly Step[],
  conversation: Conversation,
  stages: Stages,
  token: string | undefined,
): Promise<SeenFailure | undefined> {
  try {
    await play(steps, conversation, stages, token);
    return undefined;
  } catch (error) {
    return stages.failureOf(error);
  }
}

/** Keeps a connection open and receives what arrives. @returns for how many seconds it was open, and why it closed */
async function held(
  { hold = 0, hold_ping }: WebSocketSettings,
  conversation: Conversation,
  stages: Stages,
  world: ProbeWorld,
): Promise<{ readonly seconds: number; readonly failure?: SeenFailure }> {
  const { promise: over, resolve: finish, reject: fail } = Promise.withResolvers<void>();
  stages.enter("hold");
  const started = world.clock();
  const alarm = setTimeout(finish, hold);
  const pings =
    hold_ping === undefined ? undefined : setInterval(() => void conversation.ping().catch(fail), hold_ping);
  const stop = (): void => {
    clearTimeout(alarm);
    clearInterval(pings);
  };
  world.onClose(stop);
  const takeAll = async (): Promise<never> => {
    for (;;) await conversation.receive();
  };
  takeAll().catch(fail);
  const seconds = (): number => (world.clock() - started) / 1000;
  try {
    await over;
    stages.stop();
    return { seconds: seconds() };
  } catch (error) {
    const failure = stages.failureOf(error);
    const open = seconds();
    const message = cite`the connection ended after ${spokenDuration(open * 1000)}, expected it to stay open for ${formatDuration(hold)}: ${failure.message}${likelyLimit(open)}`;
    return { seconds: open, failure: { ...failure, message } };
  } finally {
    stop();
  }
}

/** Limits of Google Cloud that end a WebSocket after so many seconds, with their default values. */
const knownLimits: readonly { readonly seconds: number; readonly what: string }[] = [
  { seconds: 30, what: "30 s is the default backend timeout of a load balancer, which also ends WebSockets" },
  { seconds: 300, what: "300 s is the default request timeout of Cloud Run, which also ends WebSockets" },
];

function likelyLimit(seconds: number): string {
  const known = knownLimits.find((limit) => Math.abs(limit.seconds - seconds) <= 2 + limit.seconds * 0.01);
  return known === undefined ? "" : `; ${known.what}`;
}

function refusalOf(refused: readonly Refused[], handshakes: number): SeenFailure | undefined {
  const first = refused[0]?.failure;
  if (!first || handshakes === 1) return first;
  return {
    ...first,
    message: cite`${refused.length} of ${handshakes} simultaneous handshakes failed: ${first.message}`,
  };
}

function mentionsToken({
  url,
  headers,
  subprotocols,
  script,
}: SocketSettings & { readonly script: readonly Step[] }): boolean {
  const sent = script.map(({ send }) => send ?? "");
  return JSON.stringify([url, headers, subprotocols, sent]).includes(tokenMark);
}

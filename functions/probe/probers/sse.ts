/** The prober `sse`: a request whose response is a stream of server-sent events, which must arrive in order and in time. */
import { z } from "zod";
import { duration } from "../../../shared/config/fields.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { firstRequest, tlsSecrets } from "../http/outgoing.ts";
import { completeUrl, oneBody } from "../http/settings.ts";
import { oneAuthorization, reconsiderIdentity } from "../identity/identity.ts";
import { failureOfFault, type SeenFailure } from "../net/faults.ts";
import { tlsOverTls } from "../net/settings.ts";
import { stages } from "../net/stages.ts";
import type { Assessment, Prober } from "../prober.ts";
import { listening, openStream, streamHeaders } from "../stream/session.ts";
import { streamFields } from "../stream/settings.ts";
import { expectedEvent, perform, stageOf, stepName, waitFields } from "../websocket/script.ts";
import { Refusal } from "../websocket/session.ts";
import { always, onlyWhere } from "../yields.ts";

const script = lazily(() =>
  z
    .array(
      z.strictObject({
        name: stepName()
          .optional()
          .describe(
            "The name of the stage in failures and in stream_stage_time. Default: by position, such as expect-2.",
          ),
        ...waitFields(expectedEvent()),
        expect: z
          .array(expectedEvent())
          .min(1)
          .describe("Events that must arrive, in this order. Other events may arrive in between."),
        within: duration().prefault("5s").describe("The maximum duration of the step."),
      }),
    )
    .min(1)
    .superRefine((steps, context) => {
      const names = ["dns", "connect", "tls", "first_byte"];
      for (const [position, step] of steps.entries()) {
        const name = stageOf(step, position);
        if (names.includes(name))
          context.addIssue({
            code: "custom",
            message: `duplicate stage "${name}": choose another name`,
            path: [position, "name"],
          });
        names.push(name);
      }
    }),
);

const settings = lazily(() =>
  z
    .strictObject({
      ...streamFields(),
      script: script().describe("The expected events, step by step. Each step is a stage with its own time."),
    })
    .superRefine(completeUrl)
    .superRefine(oneBody)
    .superRefine(tlsOverTls("https"))
    .refine(oneAuthorization.holds, oneAuthorization.otherwise),
);

/** Settings of an `sse` probe; durations in milliseconds. */
export type SseSettings = z.output<ReturnType<typeof settings>>;

/** The observation of the target. */
export interface SseObservation {
  readonly failure?: SeenFailure;
  /** The status of the response. */
  readonly status?: number | undefined;
  /** Whether the server had answered, so that the request may have had its effect. */
  readonly answered: boolean;
  /** Seconds in each completed stage. */
  readonly stages: Readonly<Record<string, number>>;
  /** Seconds from the start of the connection to the first event. */
  readonly firstEvent?: number | undefined;
  readonly certificateExpiry?: number | undefined;
}

/** The prober `sse`. */
export const sse: Prober<SseSettings, SseObservation> = {
  kind: "sse",
  title:
    "Sends a request whose response is a stream of server-sent events, such as the reply of an AI model, and expects events in order and in time.",
  reach: "users",
  get settings() {
    return settings();
  },
  example: `url: https://api.example.com/chat
method: POST
json: { message: "Say hello. (monitoring)" }
headers: { authorization: { secret: chat-token } }
script:
  - { name: first token, expect: [{ event: token }], fail_on: [{ event: error }], within: 3s }
  - { name: reply, expect: [{ event: done }], fail_on: [{ event: error }], within: 20s }
`,
  notes: `Redirects are not followed. A stream that ends before all expected events have arrived is a failure of the kind \`sequence\`.`,
  usualSeconds: 5,
  yields: (settings) => [
    ...always("http_status", "stream_first_event_time"),
    {
      metric: "stream_stage_time",
      ...(settings === undefined
        ? {}
        : { labels: { stage: ["dns", "connect", "tls", "first_byte", ...settings.script.map(stageOf)] } }),
    },
    ...onlyWhere(settings, ({ url }) => typeof url !== "string" || url.startsWith("https:"), "with https", [
      "tls_certificate_expiry",
    ]),
  ],

  async observe(settings, world) {
    const outgoing = await firstRequest(settings, world, [], streamHeaders);
    const secrets = await tlsSecrets(settings, world);
    const own = stages(world, {}, outgoing.url.host);
    const started = world.clock();
    let stream: Awaited<ReturnType<typeof openStream>> | undefined;
    let failure: SeenFailure | undefined;
    let status: number | undefined;
    try {
      stream = await openStream(outgoing, settings, secrets, settings.max_event, own);
      status = stream.status;
      for (const [position, step] of settings.script.entries())
        await perform(step, stageOf(step, position), listening(stream), own, String);
      own.stop();
    } catch (error) {
      if (error instanceof Refusal) {
        status = error.status;
        reconsiderIdentity(settings, status, world);
        failure = failureOfFault(error, "response");
      } else failure = own.failureOf(error);
    }
    stream?.leave();
    const firstAt = stream?.firstEventAt();
    return {
      ...(failure ? { failure } : {}),
      status,
      answered: stream !== undefined,
      stages: own.times(),
      firstEvent: firstAt === undefined ? undefined : (firstAt - started) / 1000,
      certificateExpiry: stream?.certificateExpiry,
    };
  },

  assess(_settings, { failure, status, answered, stages, firstEvent, certificateExpiry }) {
    const measurements: Assessment["measurements"][number][] = Object.entries(stages).map(([stage, value]) => ({
      metric: "stream_stage_time",
      value,
      labels: { stage },
    }));
    if (status !== undefined) measurements.push({ metric: "http_status", value: status });
    if (firstEvent !== undefined) measurements.push({ metric: "stream_first_event_time", value: firstEvent });
    if (certificateExpiry !== undefined)
      measurements.push({ metric: "tls_certificate_expiry", value: certificateExpiry });
    if (failure === undefined) return { measurements };
    // A request that was answered is not repeated.
    return { failure, measurements, ...(answered ? { conclusive: true } : {}) };
  },
};

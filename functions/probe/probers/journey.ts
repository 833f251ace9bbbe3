/** The prober `journey`: a user's actions, step by step, with values captured from responses. */

import { z } from "zod";
import { duration } from "../../../shared/config/fields.ts";
import { isSecretReference } from "../../../shared/config/secret-reference.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { Cookies } from "../http/cookies.ts";
import { runSteps, type StepResults, within } from "../journey/run-steps.ts";
import { type Given, journeyStep, mistakesAmong, variables } from "../journey/steps.ts";
import type { Assessment, Prober, ProbeWorld } from "../prober.ts";
import { cite } from "../text/target-text.ts";
import type { Json } from "../text/template.ts";
import { always, onlyWhere } from "../yields.ts";

const settings = lazily(() =>
  z
    .strictObject({
      variables: variables()
        .default({})
        .describe(
          "Values for `${name}` in URLs, headers, bodies, messages and expectations: texts, numbers or secrets. `${run_id}` is predefined and different in every run. `$${` stands for the characters `${`.",
        ),
      steps: z.array(journeyStep()).min(1).describe("The steps, in order. The first failing step ends the journey."),
      cleanup: z
        .array(journeyStep())
        .default([])
        .describe(
          "Steps that always run at the end, except those that need a value that was never captured. They use their own connections. A failed cleanup step is reported as a finding and does not fail the journey.",
        ),
      cleanup_within: duration()
        .prefault("5s")
        .describe("The part of the probe's timeout reserved for the cleanup, at most half of it."),
    })
    .superRefine(({ variables, steps, cleanup }, context) => {
      for (const { message, path } of mistakesAmong(Object.keys(variables), { steps, cleanup }))
        context.addIssue({ code: "custom", message, path });
    }),
);

/** Settings of a `journey` probe; durations in milliseconds. */
export type JourneySettings = z.output<ReturnType<typeof settings>>;

/** The observation of the journey. */
export interface JourneyObservation {
  readonly walked: StepResults;
  /** Absent if there is no cleanup. */
  readonly cleaned?: StepResults;
}

/** The prober `journey`. */
export const journey: Prober<JourneySettings, JourneyObservation> = {
  kind: "journey",
  title:
    "Performs a user's actions step by step: requests, and a WebSocket that stays open across steps, with values captured from responses. A failure names the step, and the following steps are skipped.",
  role: "journey",
  reach: "users",
  get settings() {
    return settings();
  },
  example: `timeout: 45s
variables: { email: monitor@example.com, password: { secret: monitor-password } }
steps:
  - name: log in
    http: { method: POST, url: https://auth.example.com/auth/login, json: { email: "\${email}", password: "\${password}" } }
    capture: { token: $.token }
  - name: open socket
    websocket: { url: wss://api.example.com/ws, headers: { authorization: "Bearer \${token}" } }
  - name: welcome
    expect: [{ json: { $.type: connection_established } }]
    capture: { thread: $.thread_id }
  - name: send message
    send: { type: user_message, thread_id: "\${thread}", text: "Hello \${run_id}" }
  - name: agent events
    expect:
      - { json: { $.type: agent_started } }
      - { json: { $.type: agent_completed } }
    within: 15s
  - name: reply
    expect: [{ json: { $.type: reply, $.thread_id: "\${thread}" } }]
    within: 10s
cleanup:
  - name: delete thread
    http:
      method: DELETE
      url: https://api.example.com/threads/\${thread}
      headers: { authorization: "Bearer \${token}" }
`,
  notes: `## Variables

\`\${name}\` stands for a value in \`variables\` or one that an earlier step captured. Its encoding depends on its place:

| place | encoding |
|---|---|
| path and query of a URL | percent-encoded; scheme, host and port cannot contain variables |
| a header | verbatim; a value that is invalid in a header fails the step |
| a \`body\`, or a text message | verbatim |
| JSON: \`json\`, \`send\`, expected values | a text that is nothing but \`\${name}\` becomes the value itself, including a number or an object;
inside a longer text, its characters |

A value from a secret, and one that is captured under a name with \`token\`, \`password\`, \`secret\`, \`session\`, \`cookie\` or the like, appears
in no report; \`secret: true\` or \`false\` overrides this. JSON fields with such names are also concealed in excerpts from a response. A header
with a captured value is not sent to another origin after a redirect.

## Timeouts

Each step has its own timeout in \`within\`, and all of them together have \`timeout\` minus \`cleanup_within\`. Cleanup steps also run after a
failure and after the deadline, one after the other, even if an earlier one fails; those that need a variable that was never captured are skipped. A
failed cleanup does not fail the journey: it is reported as a finding, and \`golden_path_cleanup_success\` is 0.

A failed journey that has sent anything is not retried, regardless of \`recheck\`: it would log in, send and pay twice. It is retried once only if
its first step could not connect.

## As a synthetic monitor of Cloud Monitoring

The probe function answers on \`/synthetic/NAME\` with the result of the probe of that name in the form of Google's synthetics SDK, to GET and POST, with status 200 whether the probe
succeeded or not. A synthetic monitor that calls it is a second, independent scheduler; its runs are neither published nor evaluated here. Note that
each run sends one more message to the target.
`,

  endToEnd: true,
  // It waits for an agent to answer.
  usualSeconds: 12,
  yields: (settings) => [
    ...always("golden_path_success", "golden_path_e2e_time"),
    {
      metric: "golden_path_step_time",
      ...(settings === undefined ? {} : { labels: { step: settings.steps.map(({ name }) => name) } }),
    },
    ...onlyWhere(settings, ({ cleanup }) => cleanup.length > 0, "with cleanup", ["golden_path_cleanup_success"]),
  ],

  async observe({ steps, cleanup, cleanup_within, ...settings }, world) {
    const variables = await beginning(settings.variables, world);
    const cookies = new Cookies();
    const reserveMs = cleanup.length === 0 ? 0 : Math.min(cleanup_within, world.remaining() / 2);
    // Without a cleanup to reserve time for, the deadline is that of the probe.
    const time = reserveMs === 0 ? undefined : within(world, world.remaining() - reserveMs, "the steps");
    const walked = await runSteps(steps, { variables, world: time?.world ?? world, cookies, continueOnFailure: false });
    time?.clear();
    return cleanup.length === 0
      ? { walked }
      : { walked, cleaned: await runSteps(cleanup, { variables, world, cookies, continueOnFailure: true }) };
  },

  assess(_settings, { walked, cleaned }) {
    const [first] = walked.failed;
    const measurements: Assessment["measurements"][number][] = [
      { metric: "golden_path_success", value: first ? 0 : 1 },
      ...(first ? [] : [{ metric: "golden_path_e2e_time" as const, value: walked.seconds }]),
      ...walked.completed.map(({ name, seconds }) => ({
        metric: "golden_path_step_time" as const,
        value: seconds,
        labels: { step: name },
      })),
    ];
    if (cleaned)
      measurements.push({ metric: "golden_path_cleanup_success", value: cleaned.failed.length === 0 ? 1 : 0 });
    const left = (cleaned?.failed ?? []).map(({ name, failure }) => ({
      check: `cleanup step ${name}`,
      ok: false,
      severity: "info" as const,
      observed: cite`it failed in ${failure.phase}: ${failure.message}`,
      expected: "a successful cleanup",
      explanation: "Data that the journey created may have been left behind.",
    }));
    const repeatable = walked.completed.length === 0 && phasesBeforeSending.has(first?.failure.phase ?? "");
    return {
      ...(first
        ? {
            failure: {
              ...first.failure,
              message: cite`step \`${first.name}\`: ${first.failure.message}`,
              step: first.name,
            },
          }
        : {}),
      ...(first && !repeatable ? { conclusive: true as const } : {}),
      measurements,
      ...(left.length === 0 ? {} : { findings: left }),
    };
  },
};

/** Phases of a first step that may be retried: anything later has logged in, sent a message or paid for a response. */
const phasesBeforeSending: ReadonlySet<string> = new Set(["dns", "connect", "tls"]);

/** Returns the variables known before the first step. */
async function beginning(given: Readonly<Record<string, Given>>, world: ProbeWorld): Promise<Map<string, Json>> {
  const known = new Map<string, Json>([["run_id", crypto.randomUUID()]]);
  for (const [name, value] of Object.entries(given)) {
    known.set(name, isSecretReference(value) ? await world.resolve(value) : value);
  }
  return known;
}

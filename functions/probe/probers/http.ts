/** The prober `http`: one request on a fresh connection, its response, and the time of each phase. */
import { z } from "zod";
import type { MetricName } from "../../../shared/metrics/catalogue.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { type ObservedResponse, observedResponse, parseJson, unmet } from "../http/expect.ts";
import { extract, extractions } from "../http/extract.ts";
import { type RequestResult, sendRequest } from "../http/request.ts";
import { completeUrl, oneBody, requestFields } from "../http/settings.ts";
import { oneAuthorization } from "../identity/identity.ts";
import type { SeenFailure } from "../net/faults.ts";
import { tlsOverTls } from "../net/settings.ts";
import type { Assessment, Prober } from "../prober.ts";
import type { ReportText } from "../text/target-text.ts";
import { always, fixed, onlyWhere } from "../yields.ts";

const settings = lazily(() =>
  z
    .strictObject({
      ...requestFields(),
      extract: extractions().default([]).describe("Metrics to extract from a JSON body."),
    })
    .superRefine(completeUrl)
    .superRefine(oneBody)
    .superRefine(tlsOverTls("https"))
    .refine(oneAuthorization.holds, oneAuthorization.otherwise),
);

/** Settings of an `http` probe. */
export type HttpSettings = z.output<ReturnType<typeof settings>>;

/** The observation of the target. */
export interface HttpObservation extends Omit<RequestResult, "answer"> {
  readonly answer?: ObservedResponse & { readonly bytes: number; readonly truncated: boolean };
}

/** The prober `http`. */
export const http: Prober<HttpSettings, HttpObservation> = {
  kind: "http",
  title: "Sends one HTTP request on a fresh connection, checks the response, and times each phase.",
  reach: "users",
  get settings() {
    return settings();
  },
  example: `url: https://api.example.com/health/infrastructure
headers: { authorization: { secret: health-token } }
expect: { status: 200, json: { $.status: healthy }, max_time: 10s }
extract:
  - { metric: cloud_sql_pool_utilization, path: $.database_pool_utilization, unit: "%" }
  - { metric: smd_phase_duration, path: $.last_smd_phase_times, each: phase }
`,
  notes: `For a private Cloud Run service, set \`id_token: https://SERVICE-URL\`; for a service behind IAP, use the OAuth client ID of IAP as the
audience. Grant the service account of the probe function \`roles/run.invoker\` on the service, or \`roles/iap.httpsResourceAccessor\` on the application. On a
single machine, the identity is that of the application default credentials, which must be a service account or impersonate one.

If Google itself responded instead of the application (Cloud Run, a load balancer, a front end, IAP, Cloud Armor), the failure explains it, and
\`failure.answered_by\` names the component. It is recognized by the text of the response, such as \`Rate exceeded.\`, and not by its status.

A failure to get a token, from Google or from the token endpoint of \`oauth2\`, has the phase \`identity\` and names the token source. It does not
count against the target: the monitor reports it as its own failure.`,
  usualSeconds: 0.4,
  uptimeCheck: true,
  usualFailure: { kind: "http_status", phase: "response", message: "503 Service Unavailable", status: 503 },
  yields: (settings) => [
    ...always("http_response_time", "http_status", "http_body_size", "http_redirects"),
    { metric: "http_phase_time", labels: { phase: ["dns", "connect", "tls", "first_byte", "headers", "body"] } },
    ...onlyWhere(settings, mayUseTls, "with a URL that begins with https://", ["tls_certificate_expiry"]),
    ...onlyWhere(settings, ({ expect }) => expect.max_time !== undefined, "with expect.max_time", [
      "http_cold_response_time",
    ]),
    ...(settings === undefined
      ? usuallyExtracted.map((metric) => ({ metric, needs: "that extracts it" }))
      : settings.extract.map(({ metric, labels = {} }) => ({ metric, labels: fixed(labels) }))),
  ],

  async observe(settings, world) {
    const { response: answer, ...asked } = await sendRequest(settings, world);
    if (!answer) return asked;
    const { body, truncated } = answer;
    return { ...asked, answer: { ...observedResponse(answer), bytes: body.length, truncated } };
  },

  assess(settings, { failure, answer, phases, hops, certificateExpiry }) {
    const measurements: Assessment["measurements"][number][] = Object.entries(phases).map(([phase, value]) => ({
      metric: "http_phase_time",
      value,
      labels: { phase },
    }));
    if (certificateExpiry !== undefined)
      measurements.push({ metric: "tls_certificate_expiry", value: certificateExpiry });
    const passed = hops.length === 0 ? {} : { hops };
    if (!answer) return { ...(failure ? { failure } : {}), measurements, ...passed };
    measurements.push(
      { metric: "http_response_time", value: answer.seconds },
      { metric: "http_status", value: answer.status },
      { metric: "http_body_size", value: answer.bytes },
      { metric: "http_redirects", value: Math.max(0, hops.length - 1) },
    );
    const json = settings.extract.length > 0 || settings.expect.json ? answer.body.judge(parseJson) : undefined;
    const extracted = settings.extract.map((extraction) => extract(extraction, json));
    measurements.push(...extracted.flatMap(({ samples }) => samples));
    const missing = extracted.find(({ problem }) => problem !== undefined)?.problem;
    const { status } = answer;
    const tooLong = `the body is longer than max_body, ${settings.max_body} bytes`;
    const reason =
      failure ??
      unmet(settings.expect, answer, json) ??
      (answer.truncated ? bodyFailure(tooLong, status) : undefined) ??
      (missing === undefined ? undefined : bodyFailure(missing, status));
    // The response was only slow: if a second request is fast, the target had a cold start.
    const ifCold =
      reason?.kind === "timeout" ? [{ metric: "http_cold_response_time" as const, value: answer.seconds }] : undefined;
    return { ...(reason ? { failure: reason } : {}), measurements, ...passed, ...(ifCold ? { ifCold } : {}) };
  },
};

/** Metrics that applications report about themselves. Any other metric of the catalogue can be extracted as well. */
const usuallyExtracted: readonly MetricName[] = [
  "cloud_sql_pool_utilization",
  "vpc_connector_utilization",
  "vpc_connector_health",
  "smd_phase_duration",
];

/** A URL without TLS may still redirect to one with it. */
function mayUseTls({ url, follow_redirects }: HttpSettings): boolean {
  return typeof url !== "string" || url.startsWith("https:") || follow_redirects > 0;
}

function bodyFailure(message: ReportText, status: number): SeenFailure {
  return { kind: "body", phase: "body", message, status };
}

/** The prober `grpc`: one call of the standard gRPC health service on a fresh connection, with or without TLS. */
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { z } from "zod";
import type { FailureKind } from "../../../shared/messages/report.ts";
import { setEntry } from "../../../shared/runtime/entries.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { googleAnswer, shownGoogleAnswer } from "../http/google-answer.ts";
import { identityFields, identityHeaders, oneAuthorization } from "../identity/identity.ts";
import { endpointFields, endpointSecrets, portNumber, tlsFieldsNeedTls } from "../net/endpoint.ts";
import { assessEndpoint, type EndpointObservation, endpointYields, observeEndpoint } from "../net/endpoint-probe.ts";
import { hostAndPort, hostInUrl, ProbeFault, type SeenFailure } from "../net/faults.ts";
import { headers as headerFields } from "../net/settings.ts";
import type { Stopwatch } from "../net/stopwatch.ts";
import type { Prober } from "../prober.ts";
import { checkHealth, type HealthResponse } from "../protocol/grpc-health.ts";
import { cite } from "../text/target-text.ts";

const settings = lazily(() =>
  z
    .strictObject({
      ...endpointFields(),
      port: portNumber().describe("The port to connect to."),
      service: z
        .string()
        .max(200)
        .default("")
        .describe("The service to check, such as `shop.v1.Cart`. Default: the server as a whole."),
      ...identityFields(),
      headers: headerFields().describe("Metadata of the call, such as `authorization`."),
    })
    .superRefine(tlsFieldsNeedTls)
    .refine(oneAuthorization.holds, oneAuthorization.otherwise),
);

/** Settings of a `grpc` probe. */
export type GrpcSettings = z.output<ReturnType<typeof settings>>;

/** The prober `grpc`. */
export const grpc: Prober<GrpcSettings, EndpointObservation> = {
  kind: "grpc",
  title:
    "Calls the standard gRPC health service (`grpc.health.v1.Health/Check`) on a fresh connection, with or without TLS, and expects `SERVING`.",
  reach: "users",
  get settings() {
    return settings();
  },
  example: `host: cart-abcdef-uc.a.run.app
port: 443
tls: true
id_token: https://cart-abcdef-uc.a.run.app
service: shop.v1.Cart
`,
  notes: `Without \`tls\` the connection speaks HTTP/2 from the first byte (h2c). \`failure.code\` is \`NOT_SERVING\`, or the name of the gRPC
status, such as \`UNIMPLEMENTED\` if the server has no health service.`,
  usualSeconds: 0.3,
  yields: (settings) => endpointYields(settings, "grpc_response_time", "answer"),

  async observe(settings, world) {
    const { host, port, service, server_name = host, tls } = settings;
    const secrets = await endpointSecrets(settings, world);
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(settings.headers)) setEntry(headers, name, await world.resolve(value));
    Object.assign(headers, await identityHeaders(settings, headers, world));
    const peer = hostAndPort(host, port);
    const talk = async (socket: Socket, watch: Stopwatch): Promise<SeenFailure | undefined> => {
      if (tls && (socket as TLSSocket).alpnProtocol !== "h2")
        throw new ProbeFault("protocol", `${peer} does not offer HTTP/2 over TLS, which gRPC requires`);
      watch.enter("answer");
      const authority = port === (tls ? 443 : 80) ? hostInUrl(server_name) : hostAndPort(server_name, port);
      return judged(await checkHealth(socket, { service, authority, encrypted: tls, headers }, world), service, peer);
    };
    return await observeEndpoint(settings, secrets, world, talk, ["h2"]);
  },

  assess: (_settings, seen) => assessEndpoint("grpc_response_time", seen),
};

/** Returns the failure for an answer; `undefined` for `SERVING`. */
function judged(answer: HealthResponse, service: string, peer: string): SeenFailure | undefined {
  const { httpStatus, headers, body, contentType, status, message, serving } = answer;
  const phase = "answer";
  if (httpStatus !== 200 && status === undefined) {
    const kind = [401, 403, 407].includes(httpStatus) ? "auth" : "http_status";
    const google = body.judge((text) => googleAnswer(httpStatus, headers, text));
    const who = google === undefined ? "" : shownGoogleAnswer(google);
    return {
      kind,
      phase,
      message: `${peer} answered with HTTP ${httpStatus} instead of gRPC${who}`,
      status: httpStatus,
      ...(google === undefined ? {} : { answered_by: google.by }),
    };
  }
  if (status === undefined) {
    const isGrpc = contentType.judge((type) => /^application\/grpc/.test(type));
    const what = isGrpc ? "without a status" : cite`as ${contentType.first(60)}`;
    return { kind: "protocol", phase, message: cite`${peer} does not speak gRPC: it answered ${what}` };
  }
  const named = service === "" ? "the server" : service;
  if (status !== 0) {
    const { name, kind, say } = statuses[status] ?? { name: String(status), kind: "protocol", say: "the call failed" };
    const told = message.judge((text) => text === "") ? "" : cite`: ${message.first(160)}`;
    return {
      kind,
      phase,
      message: cite`${peer} answered that ${say ?? "the call failed"} (${name})${told}`,
      code: name,
    };
  }
  if (serving === 1) return undefined;
  if (serving === 2)
    return { kind: "unavailable", phase, message: `${named} is not serving at ${peer}`, code: "NOT_SERVING" };
  return { kind: "protocol", phase, message: `${peer} did not report whether ${named} is serving`, code: "UNKNOWN" };
}

interface Status {
  readonly name: string;
  readonly kind: FailureKind;
  readonly say?: string;
}

/** @see https://github.com/grpc/grpc/blob/master/doc/statuscodes.md */
const statuses: readonly (Status | undefined)[] = [
  undefined,
  { name: "CANCELLED", kind: "unavailable" },
  { name: "UNKNOWN", kind: "unavailable" },
  { name: "INVALID_ARGUMENT", kind: "protocol" },
  { name: "DEADLINE_EXCEEDED", kind: "timeout", say: "the server timed out" },
  { name: "NOT_FOUND", kind: "body", say: "the health service does not know the service" },
  { name: "ALREADY_EXISTS", kind: "protocol" },
  { name: "PERMISSION_DENIED", kind: "auth", say: "the call is not permitted" },
  { name: "RESOURCE_EXHAUSTED", kind: "unavailable", say: "the server has reached a limit" },
  { name: "FAILED_PRECONDITION", kind: "protocol" },
  { name: "ABORTED", kind: "unavailable" },
  { name: "OUT_OF_RANGE", kind: "protocol" },
  { name: "UNIMPLEMENTED", kind: "protocol", say: "there is no health service" },
  { name: "INTERNAL", kind: "unavailable", say: "the server failed" },
  { name: "UNAVAILABLE", kind: "unavailable", say: "the server is unavailable" },
  { name: "DATA_LOSS", kind: "unavailable" },
  { name: "UNAUTHENTICATED", kind: "auth", say: "the call requires authentication" },
];

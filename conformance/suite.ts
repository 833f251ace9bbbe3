/** All cases, by protocol. */
import type { Case } from "./case.ts";
import { dnsCases } from "./cases/dns.ts";
import { dnsRecordCases } from "./cases/dns-records.ts";
import { googleCases } from "./cases/google.ts";
import { grpcCases } from "./cases/grpc.ts";
import { httpCases } from "./cases/http.ts";
import { httpFaultCases } from "./cases/http-faults.ts";
import { postgresCases } from "./cases/postgres.ts";
import { redisCases } from "./cases/redis.ts";
import { sseCases } from "./cases/sse.ts";
import { tlsCases } from "./cases/tls.ts";
import { websocketCases } from "./cases/websocket.ts";

/** The cases by their protocol. */
export const suite: Readonly<Record<string, readonly Case[]>> = {
  HTTP: [...httpCases, ...httpFaultCases],
  TLS: tlsCases,
  WebSocket: websocketCases,
  PostgreSQL: postgresCases,
  Redis: redisCases,
  DNS: [...dnsCases, ...dnsRecordCases],
  "Server-sent events": sseCases,
  gRPC: grpcCases,
  "Google's APIs": googleCases,
};

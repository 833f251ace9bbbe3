/** Google's APIs with unexpected answers. */
import type { Case, Verdict } from "../case.ts";

/** A server that gives every request the same answer. */
const answers = (name: string, status: string, body: string, verdict: Verdict, type = "application/json"): Case => ({
  name,
  verdict,
  serve: async (stand) => {
    const answer = `HTTP/1.1 ${status}\r\ncontent-type: ${type}\r\nconnection: close\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
    return { protocol: "google", stand: `http://127.0.0.1:${await stand.says(answer)}` };
  },
});

const fault = (code: number, status: string, message: string, reason?: string): string =>
  JSON.stringify({
    error: {
      code,
      message,
      status,
      ...(reason === undefined ? {} : { details: [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason }] }),
    },
  });

const phase = "google_api";

/** The cases. */
export const googleCases: readonly Case[] = [
  answers(
    "refuses because a permission is missing",
    "403 Forbidden",
    fault(403, "PERMISSION_DENIED", "Permission denied"),
    {
      kind: "auth",
      phase,
      says: /denied: grant .* monitoring\.timeSeries\.list, for example with roles\/monitoring\.viewer/,
    },
  ),
  answers(
    "has the API disabled",
    "403 Forbidden",
    fault(403, "PERMISSION_DENIED", "It is disabled", "SERVICE_DISABLED"),
    {
      kind: "unavailable",
      phase,
      says: /is not enabled in the project .*gcloud services enable monitoring\.googleapis\.com/,
    },
  ),
  answers("does not accept the identity", "401 Unauthorized", fault(401, "UNAUTHENTICATED", "Invalid credentials"), {
    kind: "auth",
    phase,
    says: /does not accept the probe's identity/,
  }),
  answers("has no quota left", "429 Too Many Requests", fault(429, "RESOURCE_EXHAUSTED", "Quota exceeded"), {
    kind: "http_status",
    phase,
    says: /the quota of Cloud Monitoring .* is exhausted \(429\)/,
  }),
  answers("has trouble", "503 Service Unavailable", fault(503, "UNAVAILABLE", "Try later"), {
    kind: "unavailable",
    phase,
    says: /Cloud Monitoring failed with a server error/,
  }),
  answers(
    "has trouble, in HTML",
    "502 Bad Gateway",
    "<html><title>Error 502</title></html>",
    { kind: "unavailable", phase, says: /Cloud Monitoring failed with a server error/ },
    "text/html",
  ),
  answers(
    "sends a body that is not JSON",
    "200 OK",
    "<html>login</html>",
    { kind: "unavailable", phase, says: /Cloud Monitoring was not read: .*not JSON/ },
    "text/html",
  ),
  answers("has nothing measured", "200 OK", "{}", {
    kind: "unavailable",
    phase,
    says: /Cloud Monitoring has no data points for cloudsql\.googleapis\.com/,
  }),
  {
    name: "is not reached",
    verdict: {
      kind: "unavailable",
      phase,
      says: /Cloud Monitoring was not read: monitoring\.googleapis\.com gave no answer: it refused the connection|Cloud Monitoring was not read: 127\.0\.0\.1:\d+ gave no answer: it refused the connection/,
    },
    serve: async (stand) => ({ protocol: "google", stand: `http://127.0.0.1:${await stand.closedPort()}` }),
  },
  {
    name: "does not answer",
    verdict: { kind: "timeout", phase, says: /timed out while waiting for a response from Cloud Monitoring/ },
    serve: async (stand) => ({ protocol: "google", stand: `http://127.0.0.1:${await stand.tcp(() => {})}` }),
    timeoutMs: 300,
  },
];

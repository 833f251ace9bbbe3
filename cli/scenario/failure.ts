/** Syntax of a failure in sentences and series: `in connect (timeout) "no answer"`. */
import { probers } from "../../functions/probe/probers/index.ts";
import type { ConfiguredProbe } from "../../shared/config/model.ts";
import { type Failure, type FailureKind, failureKinds, type Signal } from "../../shared/messages/report.ts";
import { ownEntry } from "../../shared/runtime/entries.ts";
import type { Tokens } from "./file/tokens.ts";

/** Parses a failure such as `connect (timeout) "no answer"`. Omitted parts default to the usual failure of the probe's kind. */
export function readFailure(tokens: Tokens, probe: ConfiguredProbe | undefined): Failure {
  const prober = probe && ownEntry(probers, probe.kind);
  const usual = prober?.usualFailure ?? connectFailure;
  const phase = tokens.has("in") ? tokens.name("the phase in which it fails, such as connect").text : undefined;
  let kind: FailureKind | undefined;
  if (tokens.has("(")) {
    kind = tokens.known("failure kind", failureKinds) as FailureKind;
    tokens.one(")");
  }
  const quoted = tokens.quoted();
  const chosen = kind ?? (phase === undefined ? usual.kind : "timeout");
  const message = quoted ?? (chosen === usual.kind ? usual.message : usualMessages[chosen]);
  return {
    kind: chosen,
    phase: phase ?? (kind === undefined ? usual.phase : usualPhase(kind)),
    message,
    ...factsIn(chosen, message, prober?.signal),
  };
}

/** The fields that a prober would have set, from the words of a sentence: `503 Service Unavailable`, `(SQLSTATE 53300)`, `closed with 1006`. */
function factsIn(
  kind: FailureKind,
  message: string,
  unavailable: Signal | undefined,
): Pick<Failure, "status" | "code" | "signal"> {
  const status = /^(?:.*\banswered with )?([1-5]\d\d)\b/.exec(message)?.[1];
  const code = /\bSQLSTATE (\w{5})\b/.exec(message)?.[1] ?? /\bclosed (?:\w+ )*with (\d{4})\b/.exec(message)?.[1];
  const signal = kind === "tls" ? "certificate" : kind === "unavailable" ? unavailable : undefined;
  return {
    ...(status === undefined || !answers.includes(kind) ? {} : { status: Number(status) }),
    ...(code === undefined ? {} : { code }),
    ...(signal === undefined ? {} : { signal }),
  };
}

/** Kinds of failure that come with the status of an answer. */
const answers: readonly FailureKind[] = ["http_status", "auth", "body", "unavailable"];

const connectFailure: Failure = { kind: "timeout", phase: "connect", message: "no answer within its timeout" };

function usualPhase(kind: FailureKind): string {
  const phases: Readonly<Partial<Record<FailureKind, string>>> = {
    http_status: "response",
    unavailable: "response",
    body: "body",
    protocol: "response",
    auth: "authentication",
    database: "query",
    dns: "dns",
    tls: "tls",
    sequence: "script",
  };
  return phases[kind] ?? "connect";
}

const usualMessages: Readonly<Record<FailureKind, string>> = {
  timeout: "no answer within its timeout",
  refused: "the connection was refused",
  reset: "the connection was reset",
  dns: "the name cannot be resolved",
  tls: "the certificate is not valid",
  http_status: "503 Service Unavailable",
  body: "the body does not match the expectation",
  protocol: "the response violates the protocol",
  auth: "the login was refused",
  database: "the server answered with an error",
  sequence: "the expected event did not arrive",
  unavailable: "the service is unavailable",
  internal: "the prober has failed",
};

/** The sentences of a timeline: `database fails in connect (timeout)`, `vpc_connector_utilization is 93%`, `acknowledge`. */

import { type NamedMetric, namedMetric, nearestMetric } from "../../functions/evaluate/condition/names.ts";
import { ComponentGraph } from "../../functions/evaluate/graph.ts";
import { probers } from "../../functions/probe/probers/index.ts";
import type { Configuration, ConfiguredProbe } from "../../shared/config/model.ts";
import {
  type Failure,
  type FailureKind,
  failureKinds,
  type Signal,
  type Vantage,
} from "../../shared/messages/report.ts";
import { yieldsMetric } from "../../shared/metrics/yields.ts";
import { ownEntry, setEntry } from "../../shared/runtime/entries.ts";
import { nearest } from "../../shared/text/nearest.ts";
import type { Deed, Effect, Outcome, SampleCourse } from "./effect.ts";
import { Misunderstood, Words } from "./file/words.ts";

/** Understands what is the case during a phase. @throws Misunderstood */
export function effectOf(sentence: string, configuration: Configuration): Effect {
  const words = new Words(sentence);
  const effect = readEffect(words, configuration);
  words.end();
  return effect;
}

/** Understands what somebody does at an instant. @throws Misunderstood */
export function deedOf(sentence: string, configuration: Configuration): Deed {
  const words = new Words(sentence);
  const deed = readDeed(words, configuration);
  words.end();
  return deed;
}

/** Understands a failure such as `connect (timeout) "no answer"`; what is left out is as the kind of the probe usually fails. */
export function readFailure(words: Words, probe: ConfiguredProbe | undefined): Failure {
  const prober = probe && ownEntry(probers, probe.kind);
  const usual = prober?.usualFailure ?? connectFailure;
  const phase = words.has("in") ? words.name("the phase in which it fails, such as connect").text : undefined;
  let kind: FailureKind | undefined;
  if (words.has("(")) {
    kind = words.known("kind of failure", failureKinds) as FailureKind;
    words.one(")");
  }
  const said = words.quoted();
  const chosen = kind ?? (phase === undefined ? usual.kind : "timeout");
  const message = said ?? (chosen === usual.kind ? usual.message : usualMessages[chosen]);
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
  body: "the body is not as expected",
  protocol: "the answer is not as the protocol asks for",
  auth: "the login was refused",
  database: "the server answered with an error",
  sequence: "the expected event did not come",
  unavailable: "the service is unavailable",
  internal: "the prober has failed",
};

function readEffect(words: Words, configuration: Configuration): Effect {
  const first = words.next;
  if (first.kind === "plain") {
    if (words.has("reports")) return readArrival(words, configuration);
    if (words.has("prober")) return readUnhealthy(words);
    if (words.has("check")) return readFinding(words, configuration);
    if (words.has("channel")) return readAnswer(words, configuration);
    const metric = namedMetric(first.text);
    if (metric !== undefined) {
      words.take();
      return readMetric(words, first.text, metric, configuration);
    }
  }
  const probes = readProbes(words, configuration);
  return { what: "outcome", probes: namesOf(probes), outcome: readOutcome(words, probes) };
}

/** `database`, `database, auth-health and websocket`, `every probe`, `every probe inside`, `every probe of backend`, `every probe behind cloud-sql`. */
function readProbes(words: Words, configuration: Configuration): ConfiguredProbe[] {
  const start = words.next;
  if (words.has("every")) {
    words.one("probe");
    let chosen = [...configuration.probes];
    for (;;) {
      const { text } = words.next;
      if (words.has("inside", "outside")) chosen = chosen.filter(({ vantage }) => vantage === text);
      else if (words.has("of", "behind")) chosen = chosen.filter(membership(words, text === "behind", configuration));
      else break;
    }
    if (chosen.length > 0) return chosen;
    throw new Misunderstood("there is no such probe in the configuration", {
      start: start.start,
      end: words.next.start,
    });
  }
  const named = [readProbe(words, configuration)];
  while (words.has(",", "and")) named.push(readProbe(words, configuration));
  return named;
}

function membership(words: Words, behind: boolean, configuration: Configuration): (probe: ConfiguredProbe) => boolean {
  const component = words.known(
    "component",
    configuration.components.map(({ name }) => name),
  );
  if (!behind) return (probe) => probe.component === component;
  const dependents = new ComponentGraph(configuration.components).dependentsOf(component);
  return (probe) => dependents.includes(probe.component);
}

function readProbe(words: Words, { probes, components }: Configuration): ConfiguredProbe {
  const word = words.name("the name of a probe or a metric");
  const found = probes.find(({ name }) => name === word.text);
  if (found) return found;
  const names = probes.map(({ name }) => name);
  if (components.some(({ name }) => name === word.text)) {
    throw new Misunderstood(
      `"${word.text}" is a component, and probes are what one sees: write every probe of ${word.text}, or every probe behind ${word.text} for what depends on it as well`,
      word,
    );
  }
  const metric = word.text.includes("_") ? nearestMetric(word.text) : undefined;
  const suggestion = metric ?? nearest(word.text, names);
  const instead = suggestion === undefined ? `the probes are ${names.join(", ")}` : `did you mean "${suggestion}"?`;
  throw new Misunderstood(`there is no probe and no metric "${word.text}": ${instead}`, word, suggestion);
}

function readOutcome(words: Words, probes: readonly ConfiguredProbe[]): Outcome {
  if (words.has("fail", "fails")) {
    const share = /^\d+$/.test(words.next.text) ? readShare(words) : undefined;
    return { outcome: "fails", failure: readFailure(words, probes[0]), ...(share === undefined ? {} : { share }) };
  }
  if (words.has("work", "works")) return { outcome: "good" };
  if (words.has("is", "are")) return { outcome: words.one("good", "silent") === "good" ? "good" : "silent" };
  throw words.unexpected('"fails", "is good" or "is silent"', nearest(words.next.text, ["fails", "is"]));
}

function readShare(words: Words): { runs: number; of: number } {
  const start = words.next;
  const runs = words.whole("in how many runs it fails");
  if (!words.has("runs")) words.has("run");
  words.one("of", "in");
  const of = words.whole("of how many runs");
  words.has("runs");
  if (runs > 0 && runs < of) return { runs, of };
  throw new Misunderstood(
    `it fails in ${runs} of ${of} runs: the first number must be less than the second, and not 0`,
    {
      start: start.start,
      end: words.next.start,
    },
  );
}

function readMetric(words: Words, name: string, metric: NamedMetric, configuration: Configuration): Effect {
  const labels = { ...metric.matchers, ...readLabels(words, metric) };
  const able = configuration.probes.filter((probe) => yieldsMetric(probe, metric.metric));
  const start = words.next;
  const probes = words.has("of") ? readProbes(words, configuration) : able;
  if (probes.length === 0) {
    throw new Misunderstood(
      `no probe of the configuration yields ${name}: say whose it is, as in ${name} of PROBE is …`,
      {
        start: 0,
        end: start.start,
      },
    );
  }
  return {
    what: "metric",
    probes: namesOf(probes),
    sample: { metric: metric.metric, labels, values: readValues(words, name, metric) },
  };
}

function readLabels(words: Words, { labels }: NamedMetric): Record<string, string> {
  const read: Record<string, string> = {};
  if (!words.has("{")) return read;
  do {
    const label = words.known("label", labels);
    words.one("=");
    setEntry(read, label, words.name("the value of the label").text);
  } while (words.has(","));
  words.one("}");
  return read;
}

function readValues(words: Words, name: string, { unit }: NamedMetric): SampleCourse["values"] {
  const value = (): number => words.value(name, unit);
  if (words.has("is", "are")) {
    if (words.has("missing", "absent")) return undefined;
    if (!words.has("between")) {
      const only = value();
      return { first: only, last: only, shape: "ramp" };
    }
    const first = value();
    words.one("and");
    return { first, last: value(), shape: "noise" };
  }
  if (words.has("goes", "rises", "falls", "grows")) {
    words.one("from");
    const first = value();
    words.one("to");
    return { first, last: value(), shape: "ramp" };
  }
  throw words.unexpected(`"is 93%", "is between 60% and 80%", "goes from 50% to 90%" or "is missing"`);
}

function readArrival(words: Words, configuration: Configuration): Effect {
  let probes: readonly ConfiguredProbe[] = configuration.probes;
  if (words.has("of")) probes = readProbes(words, configuration);
  if (words.has("from")) {
    const vantage = words.one("inside", "outside");
    probes = probes.filter((probe) => probe.vantage === vantage);
  }
  return { what: "arrival", probes: namesOf(probes), delays: readDelays(words) };
}

function readDelays(words: Words): number[] {
  if (words.has("are")) {
    words.one("lost");
    return [];
  }
  words.one("come");
  if (!words.has("twice")) {
    const late = words.duration();
    words.one("late");
    return [late];
  }
  if (!words.has(",")) return [0, 0];
  const apart = words.duration();
  words.one("apart");
  return [0, apart];
}

function readUnhealthy(words: Words): Effect {
  const vantages: Vantage[] = words.has("inside")
    ? ["inside"]
    : words.has("outside")
      ? ["outside"]
      : ["inside", "outside"];
  words.one("is");
  words.one("unhealthy");
  return { what: "unhealthy", vantages, message: words.quoted() ?? "the control probe failed" };
}

function readFinding(words: Words, configuration: Configuration): Effect {
  const check = words.name("the name of a check").text;
  const able = configuration.probes.filter((probe) => yieldsMetric(probe, "configuration_ok"));
  const start = words.next;
  const probes = words.has("of") ? readProbes(words, configuration) : able;
  if (probes.length === 0) {
    throw new Misunderstood(
      `no probe of the configuration makes checks: say whose it is, as in check ${check} of PROBE finds …`,
      {
        start: 0,
        end: start.start,
      },
    );
  }
  words.one("finds");
  const observed = words.name("what was found").text;
  let expected = "";
  if (words.has("instead")) {
    words.one("of");
    expected = words.name("what was expected").text;
  }
  const explanation = words.has("because") ? words.name("the explanation").text : "";
  return { what: "finding", probes: namesOf(probes), finding: { check, ok: false, observed, expected, explanation } };
}

function readAnswer(words: Words, { channels }: Configuration): Effect {
  const channel = words.known(
    "channel",
    channels.map(({ name }) => name),
  );
  if (words.has("is")) {
    words.one("down");
    return { what: "answer", channel, status: 0 };
  }
  words.one("answers");
  return { what: "answer", channel, status: words.whole("a status such as 503") };
}

const deeds = ["acknowledge", "resolve", "reopen", "note", "mute", "write", "silence", "restart"] as const;

function readDeed(words: Words, configuration: Configuration): Deed {
  const word = words.name("what is done");
  switch (word.text) {
    case "acknowledge":
      return { deed: "edit", fields: { status: "acknowledged", ...readNote(words) } };
    case "resolve":
      return { deed: "edit", fields: { status: "resolved", ...readNote(words) } };
    case "reopen":
      return { deed: "edit", fields: { status: "open", ...readNote(words) } };
    case "note":
      return { deed: "edit", fields: { note: words.name('the note, such as "on it"').text } };
    case "mute":
      words.one("for");
      return { deed: "edit", fields: {}, silenceMs: words.duration() };
    case "write": {
      const field = words.known("field that operators edit", ["status", "note", "silenced_until"]);
      return { deed: "edit", fields: { [field]: words.name("the value").text } };
    }
    case "silence":
      return readSilence(words, configuration);
    case "restart":
      return { deed: "restart" };
    default: {
      const suggestion = nearest(word.text, deeds);
      const instead = suggestion === undefined ? `one can ${deeds.join(", ")}` : `did you mean "${suggestion}"?`;
      throw new Misunderstood(`"${word.text}" cannot be done at an instant: ${instead}`, word, suggestion);
    }
  }
}

function readNote(words: Words): { note?: string } {
  const note = words.quoted();
  return note === undefined ? {} : { note };
}

function readSilence(words: Words, { environment, components, rules, probes }: Configuration): Deed {
  const scope = words.one("component", "rule", "everything");
  const built = probes.map(({ name }) => `${name} failing`);
  const name =
    scope === "component"
      ? words.known(
          "component",
          components.map((component) => component.name),
        )
      : scope === "rule"
        ? words.known("rule", [...rules.map((rule) => rule.name), ...built])
        : environment;
  words.one("for");
  const forMs = words.duration();
  const reason = words.quoted() ?? "";
  return { deed: "silence", scope: scope === "everything" ? "environment" : scope, name, forMs, reason };
}

function namesOf(probes: readonly ConfiguredProbe[]): ReadonlySet<string> {
  return new Set(probes.map(({ name }) => name));
}

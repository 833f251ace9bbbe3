/** The sentences of a timeline: `database fails in connect (timeout)`, `vpc_connector_utilization is 93%`, `acknowledge`. */

import { type NamedMetric, namedMetric, nearestMetric } from "../../functions/evaluate/condition/names.ts";
import { ComponentGraph } from "../../functions/evaluate/graph.ts";
import type { Check } from "../../functions/probe/google/configuration/check.ts";
import { checks } from "../../functions/probe/google/configuration/checks.ts";
import type { Subject } from "../../functions/probe/google/configuration/judgement.ts";
import { subjectsOf } from "../../functions/probe/google/configuration/needs.ts";
import { gcpConfiguration } from "../../functions/probe/probers/gcp_configuration.ts";
import type { Configuration, ConfiguredProbe } from "../../shared/config/model.ts";
import { type Finding, type FindingMeaning, findingMeanings, type Vantage } from "../../shared/messages/report.ts";
import { type Severity, severities } from "../../shared/messages/severity.ts";
import { isOf, yieldsMetric } from "../../shared/metrics/yields.ts";
import { setEntry } from "../../shared/runtime/entries.ts";
import { nearest } from "../../shared/text/nearest.ts";
import type { Effect, OperatorAction, Outcome, SampleCourse } from "./effect.ts";
import { readFailure } from "./failure.ts";
import { Misunderstood, Tokens } from "./file/tokens.ts";
import { readChange, readLog } from "./occurrence.ts";

/** Understands what is the case during a phase. @throws Misunderstood */
export function effectOf(sentence: string, configuration: Configuration): Effect {
  const tokens = new Tokens(sentence);
  const effect = readEffect(tokens, configuration);
  tokens.end();
  return effect;
}

/** Understands what somebody does at an instant. @throws Misunderstood */
export function actionOf(sentence: string, configuration: Configuration): OperatorAction {
  const tokens = new Tokens(sentence);
  const action = readAction(tokens, configuration);
  tokens.end();
  return action;
}

function readEffect(tokens: Tokens, configuration: Configuration): Effect {
  const first = tokens.next;
  if (first.kind === "plain") {
    if (tokens.has("reports")) return readArrival(tokens, configuration);
    if (tokens.has("prober")) return readUnhealthy(tokens);
    if (tokens.has("check")) return readFinding(tokens, configuration);
    if (tokens.has("channel")) return readAnswer(tokens, configuration);
    if (tokens.has("log")) return readLog(tokens, configuration);
    const metric = namedMetric(first.text);
    if (metric !== undefined) {
      tokens.take();
      return readMetric(tokens, first.text, metric, configuration);
    }
  }
  const probes = readProbes(tokens, configuration);
  return { what: "outcome", probes: namesOf(probes), outcome: readOutcome(tokens, probes) };
}

/** `database`, `database, auth-health and websocket`, `every probe`, `every probe inside`, `every probe of backend`, `every probe behind cloud-sql`. */
function readProbes(tokens: Tokens, configuration: Configuration): ConfiguredProbe[] {
  const start = tokens.next;
  if (tokens.has("every")) {
    tokens.one("probe");
    let chosen = [...configuration.probes];
    for (;;) {
      const { text } = tokens.next;
      if (tokens.has("inside", "outside")) chosen = chosen.filter(({ vantage }) => vantage === text);
      else if (tokens.has("of", "behind")) chosen = chosen.filter(membership(tokens, text === "behind", configuration));
      else break;
    }
    if (chosen.length > 0) return chosen;
    throw new Misunderstood("there is no such probe in the configuration", {
      start: start.start,
      end: tokens.next.start,
    });
  }
  const named = [readProbe(tokens, configuration)];
  while (tokens.has(",", "and")) named.push(readProbe(tokens, configuration));
  return named;
}

function membership(
  tokens: Tokens,
  behind: boolean,
  configuration: Configuration,
): (probe: ConfiguredProbe) => boolean {
  const component = tokens.known(
    "component",
    configuration.components.map(({ name }) => name),
  );
  if (!behind) return (probe) => probe.component === component;
  const dependents = new ComponentGraph(configuration.components).dependentsOf(component);
  return (probe) => dependents.includes(probe.component);
}

function readProbe(tokens: Tokens, { probes, components }: Configuration): ConfiguredProbe {
  const word = tokens.name("the name of a probe or a metric");
  const found = probes.find(({ name }) => name === word.text);
  if (found) return found;
  const names = probes.map(({ name }) => name);
  if (components.some(({ name }) => name === word.text)) {
    throw new Misunderstood(
      `"${word.text}" is a component, but a probe is expected: write every probe of ${word.text}, or every probe behind ${word.text} for what depends on it as well`,
      word,
    );
  }
  const metric = word.text.includes("_") ? nearestMetric(word.text) : undefined;
  const suggestion = metric ?? nearest(word.text, names);
  const instead = suggestion === undefined ? `the probes are ${names.join(", ")}` : `did you mean "${suggestion}"?`;
  throw new Misunderstood(`there is no probe and no metric "${word.text}": ${instead}`, word, suggestion);
}

function readOutcome(tokens: Tokens, probes: readonly ConfiguredProbe[]): Outcome {
  if (tokens.has("fail", "fails")) {
    const share = /^\d+$/.test(tokens.next.text) ? readShare(tokens) : undefined;
    return { outcome: "fails", failure: readFailure(tokens, probes[0]), ...(share === undefined ? {} : { share }) };
  }
  if (tokens.has("work", "works")) return { outcome: "good" };
  if (tokens.has("is", "are")) return { outcome: tokens.one("good", "silent") === "good" ? "good" : "silent" };
  throw tokens.unexpected('"fails", "is good" or "is silent"', nearest(tokens.next.text, ["fails", "is"]));
}

function readShare(tokens: Tokens): { runs: number; of: number } {
  const start = tokens.next;
  const runs = tokens.whole("in how many runs it fails");
  if (!tokens.has("runs")) tokens.has("run");
  tokens.one("of", "in");
  const of = tokens.whole("of how many runs");
  tokens.has("runs");
  if (runs > 0 && runs < of) return { runs, of };
  throw new Misunderstood(
    `it fails in ${runs} of ${of} runs: the first number must be less than the second, and not 0`,
    {
      start: start.start,
      end: tokens.next.start,
    },
  );
}

function readMetric(tokens: Tokens, name: string, metric: NamedMetric, configuration: Configuration): Effect {
  const { probe, component, vantage, ...labels } = { ...metric.matchers, ...readLabels(tokens, metric, configuration) };
  const identity = Object.fromEntries(
    Object.entries({ probe, component, vantage }).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const able = configuration.probes.filter((one) => yieldsMetric(one, metric.metric));
  const start = tokens.next;
  const named = tokens.has("of") ? readProbes(tokens, configuration) : able;
  const probes = named.filter((one) => isOf(one, identity));
  if (probes.length === 0) {
    const whose = named.length === 0 ? "" : " with these labels";
    throw new Misunderstood(
      `no probe of the configuration yields ${name}${whose}: say whose it is, as in ${name} of PROBE is …`,
      {
        start: 0,
        end: start.start,
      },
    );
  }
  return {
    what: "metric",
    probes: namesOf(probes),
    sample: { metric: metric.metric, labels, values: readValues(tokens, name, metric) },
  };
}

function readLabels(tokens: Tokens, { labels }: NamedMetric, configuration: Configuration): Record<string, string> {
  const read: Record<string, string> = {};
  if (!tokens.has("{")) return read;
  do {
    const label = tokens.known("label", labels);
    tokens.one("=");
    const known = identities(configuration).get(label);
    setEntry(
      read,
      label,
      known === undefined ? tokens.name("the value of the label").text : tokens.known(label, known),
    );
  } while (tokens.has(","));
  tokens.one("}");
  return read;
}

/** The values of the labels whose values the configuration names. */
function identities({ probes, components }: Configuration): ReadonlyMap<string, readonly string[]> {
  return new Map([
    ["probe", probes.map(({ name }) => name)],
    ["component", components.map(({ name }) => name)],
    ["vantage", ["inside", "outside"]],
  ]);
}

function readValues(tokens: Tokens, name: string, { unit }: NamedMetric): SampleCourse["values"] {
  const value = (): number => tokens.value(name, unit);
  if (tokens.has("is", "are")) {
    if (tokens.has("missing", "absent")) return undefined;
    if (!tokens.has("between")) {
      const only = value();
      return { first: only, last: only, shape: "ramp" };
    }
    const first = value();
    tokens.one("and");
    return { first, last: value(), shape: "noise" };
  }
  if (tokens.has("goes", "rises", "falls", "grows")) {
    tokens.one("from");
    const first = value();
    tokens.one("to");
    return { first, last: value(), shape: "ramp" };
  }
  throw tokens.unexpected(`"is 93%", "is between 60% and 80%", "goes from 50% to 90%" or "is missing"`);
}

function readArrival(tokens: Tokens, configuration: Configuration): Effect {
  let probes: readonly ConfiguredProbe[] = configuration.probes;
  if (tokens.has("of")) probes = readProbes(tokens, configuration);
  if (tokens.has("from")) {
    const vantage = tokens.one("inside", "outside");
    probes = probes.filter((probe) => probe.vantage === vantage);
  }
  return { what: "arrival", probes: namesOf(probes), delays: readDelays(tokens) };
}

function readDelays(tokens: Tokens): number[] {
  if (tokens.has("are")) {
    tokens.one("lost");
    return [];
  }
  tokens.one("come");
  if (!tokens.has("twice")) {
    const late = tokens.duration();
    tokens.one("late");
    return [late];
  }
  if (!tokens.has(",")) return [0, 0];
  const apart = tokens.duration();
  tokens.one("apart");
  return [0, apart];
}

function readUnhealthy(tokens: Tokens): Effect {
  const vantages: Vantage[] = tokens.has("inside")
    ? ["inside"]
    : tokens.has("outside")
      ? ["outside"]
      : ["inside", "outside"];
  tokens.one("is");
  tokens.one("unhealthy");
  return { what: "unhealthy", vantages, message: tokens.quoted() ?? "the control probe failed" };
}

function readFinding(tokens: Tokens, configuration: Configuration): Effect {
  const check = tokens.name("the name of a check").text;
  const known = checks.find(({ name }) => name === check);
  const stated = readAbout(tokens, configuration);
  const able = configuration.probes.filter((probe) => yieldsMetric(probe, "configuration_ok"));
  const start = tokens.next;
  const probes = tokens.has("of") ? readProbes(tokens, configuration) : able;
  if (probes.length === 0) {
    throw new Misunderstood(
      `no probe of the configuration makes checks: say whose it is, as in check ${check} of PROBE finds …`,
      {
        start: 0,
        end: start.start,
      },
    );
  }
  tokens.one("finds");
  const observed = tokens.name("what was found").text;
  let expected = "";
  if (tokens.has("instead")) {
    tokens.one("of");
    expected = tokens.name("what was expected").text;
  }
  // A check of ours has its own severity, reason and remedy, and often one resource that it can speak of.
  const about = {
    ...(known === undefined ? {} : { severity: known.severity }),
    ...(known?.tells === undefined ? {} : { tells: [...known.tells] }),
    ...(known === undefined || stated.resource !== undefined ? {} : onlySubject(known, probes[0])),
    ...stated,
  };
  const why = tokens.has("because") ? tokens.name("the explanation").text : known?.why;
  const remedy = tokens.has("remedy")
    ? tokens.name("what to do").text
    : known?.remedy.replaceAll("RESOURCE", about.resource ?? "RESOURCE");
  const explanation = [why, remedy].filter((part) => part !== undefined).join(" ");
  return {
    what: "finding",
    probes: namesOf(probes),
    finding: {
      check,
      ok: false,
      observed,
      expected,
      explanation,
      ...(remedy === undefined ? {} : { remedy }),
      ...about,
    },
  };
}

/** The only resource that a check can speak of, by the settings of the probe that makes it; nothing where there are several. */
function onlySubject({ reads }: Check, probe: ConfiguredProbe | undefined): Partial<Subject> {
  if (probe?.kind !== gcpConfiguration.kind) return {};
  const settings = gcpConfiguration.settings.safeParse(probe.settings);
  const [only, ...others] = settings.success ? subjectsOf(reads, settings.data) : [];
  return only === undefined || others.length > 0 ? {} : only;
}

type About = Partial<Pick<Finding, "component" | "resource" | "severity" | "tells">>;

/** `{component="cloud-sql", resource="orders", severity="critical", tells="hits_some"}`: what a finding speaks of, and what it means. */
function readAbout(tokens: Tokens, { components }: Configuration): About {
  if (!tokens.has("{")) return {};
  let about: About = {};
  do {
    const label = tokens.known("label of a finding", ["component", "resource", "severity", "tells"]);
    tokens.one("=");
    if (label === "resource") about = { ...about, resource: tokens.name("the name of a resource").text };
    else if (label === "severity") about = { ...about, severity: tokens.known("severity", severities) as Severity };
    else if (label === "tells")
      about = { ...about, tells: [...(about.tells ?? []), tokens.known("meaning", findingMeanings) as FindingMeaning] };
    else {
      const names = components.map(({ name }) => name);
      about = { ...about, component: tokens.known("component", names) };
    }
  } while (tokens.has(","));
  tokens.one("}");
  return about;
}

function readAnswer(tokens: Tokens, { channels }: Configuration): Effect {
  const channel = tokens.known(
    "channel",
    channels.map(({ name }) => name),
  );
  if (tokens.has("is")) {
    tokens.one("down");
    return { what: "answer", channel, status: 0 };
  }
  tokens.one("answers");
  return { what: "answer", channel, status: tokens.whole("a status such as 503") };
}

const actions = ["acknowledge", "resolve", "reopen", "note", "mute", "write", "silence", "change", "restart"] as const;

function readAction(tokens: Tokens, configuration: Configuration): OperatorAction {
  const word = tokens.name("what is done");
  switch (word.text) {
    case "acknowledge":
      return { action: "edit", fields: { status: "acknowledged", ...readNote(tokens) } };
    case "resolve":
      return { action: "edit", fields: { status: "resolved", ...readNote(tokens) } };
    case "reopen":
      return { action: "edit", fields: { status: "open", ...readNote(tokens) } };
    case "note":
      return { action: "edit", fields: { note: tokens.name('the note, such as "on it"').text } };
    case "mute":
      tokens.one("for");
      return { action: "edit", fields: {}, silenceMs: tokens.duration() };
    case "write": {
      const field = tokens.known("field that operators edit", ["status", "note", "silenced_until"]);
      return { action: "edit", fields: { [field]: tokens.name("the value").text } };
    }
    case "silence":
      return readSilence(tokens, configuration);
    case "change":
      return readChange(tokens, configuration);
    case "restart":
      return { action: "restart" };
    default: {
      const suggestion = nearest(word.text, actions);
      const instead = suggestion === undefined ? `one can ${actions.join(", ")}` : `did you mean "${suggestion}"?`;
      throw new Misunderstood(`"${word.text}" cannot be done at an instant: ${instead}`, word, suggestion);
    }
  }
}

function readNote(tokens: Tokens): { note?: string } {
  const note = tokens.quoted();
  return note === undefined ? {} : { note };
}

function readSilence(tokens: Tokens, { environment, components, rules, probes }: Configuration): OperatorAction {
  const scope = tokens.one("component", "rule", "everything");
  const built = probes.map(({ name }) => `${name} failing`);
  const name =
    scope === "component"
      ? tokens.known(
          "component",
          components.map((component) => component.name),
        )
      : scope === "rule"
        ? tokens.known("rule", [...rules.map((rule) => rule.name), ...built])
        : environment;
  tokens.one("for");
  const forMs = tokens.duration();
  const reason = tokens.quoted() ?? "";
  return { action: "silence", scope: scope === "everything" ? "environment" : scope, name, forMs, reason };
}

function namesOf(probes: readonly ConfiguredProbe[]): ReadonlySet<string> {
  return new Set(probes.map(({ name }) => name));
}

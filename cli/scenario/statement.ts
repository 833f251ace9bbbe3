/** The sentences of a timeline: `database fails in connect (timeout)`, `vpc_connector_utilization is 93%`, `acknowledge`. */

import { type NamedMetric, namedMetric, nearestMetric } from "../../functions/evaluate/condition/names.ts";
import { ComponentGraph } from "../../functions/evaluate/graph.ts";
import type { Configuration, ConfiguredProbe } from "../../shared/config/model.ts";
import type { Finding, Vantage } from "../../shared/messages/report.ts";
import { type Severity, severities } from "../../shared/messages/severity.ts";
import { isOf, yieldsMetric } from "../../shared/metrics/yields.ts";
import { setEntry } from "../../shared/runtime/entries.ts";
import { nearest } from "../../shared/text/nearest.ts";
import type { Deed, Effect, Outcome, SampleCourse } from "./effect.ts";
import { readFailure } from "./failure.ts";
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
  const { probe, component, vantage, ...labels } = { ...metric.matchers, ...readLabels(words, metric, configuration) };
  const identity = Object.fromEntries(
    Object.entries({ probe, component, vantage }).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const able = configuration.probes.filter((one) => yieldsMetric(one, metric.metric));
  const start = words.next;
  const named = words.has("of") ? readProbes(words, configuration) : able;
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
    sample: { metric: metric.metric, labels, values: readValues(words, name, metric) },
  };
}

function readLabels(words: Words, { labels }: NamedMetric, configuration: Configuration): Record<string, string> {
  const read: Record<string, string> = {};
  if (!words.has("{")) return read;
  do {
    const label = words.known("label", labels);
    words.one("=");
    const known = identities(configuration).get(label);
    setEntry(read, label, known === undefined ? words.name("the value of the label").text : words.known(label, known));
  } while (words.has(","));
  words.one("}");
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
  const about = readAbout(words, configuration);
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
  return {
    what: "finding",
    probes: namesOf(probes),
    finding: { check, ok: false, observed, expected, explanation, ...about },
  };
}

/** `{component="cloud-sql", resource="orders", severity="critical"}`: what a finding speaks of, and what it means. */
function readAbout(
  words: Words,
  { components }: Configuration,
): Partial<Pick<Finding, "component" | "resource" | "severity">> {
  if (!words.has("{")) return {};
  let about: Partial<Pick<Finding, "component" | "resource" | "severity">> = {};
  do {
    const label = words.known("label of a finding", ["component", "resource", "severity"]);
    words.one("=");
    if (label === "resource") about = { ...about, resource: words.name("the name of a resource").text };
    else if (label === "severity") about = { ...about, severity: words.known("severity", severities) as Severity };
    else {
      const names = components.map(({ name }) => name);
      about = { ...about, component: words.known("component", names) };
    }
  } while (words.has(","));
  words.one("}");
  return about;
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

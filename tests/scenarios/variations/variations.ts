/** Variations of every kind of outage, over several environments, reproducible by seed. */
import { stringify } from "yaml";
import { loadTests, type Scenario } from "../../../cli/scenario/file/load.ts";
import { type Played, play } from "../../../cli/scenario/play.ts";
import { Chance } from "./chance.ts";
import { type Graph, graphs } from "./graphs.ts";
import { type Outage, outages } from "./outages.ts";

/** One variation, ready to be played. */
export interface Variation {
  readonly name: string;
  readonly graph: string;
  readonly outage: Outage;
  readonly scenario: Scenario;
}

/** Result of the variation. */
export interface Verdict {
  readonly variation: Variation;
  readonly incidents: number;
  /** The cause at the opening and at the end. */
  readonly first: string;
  readonly cause: string;
  readonly verdict: string;
  readonly confidence: number;
  readonly changes: number;
  readonly isRight: boolean;
  /** No cause was named. */
  readonly isOpen: boolean;
  readonly isFirstRight: boolean;
  readonly isVerdictRight: boolean;
}

/**
 * Creates as many variations of each kind and environment as requested, where the environment can have the outage.
 * @param thin share of the probes that are removed, so that less is known; single failures of other probes are added
 */
export async function variations(seed: number, ofEach: number, thin = 0): Promise<Variation[]> {
  const made: Variation[] = [];
  for (const graph of graphs()) {
    for (const [kind, make] of Object.entries(outages)) {
      for (let index = 0; index < ofEach; index++) {
        const chance = new Chance(hash(`${seed}/${graph.name}/${kind}/${index}`));
        const outage = make(graph, chance);
        if (outage === undefined) continue;
        const name = `${graph.name}: ${kind} ${index}`;
        made.push({ name, graph: graph.name, outage, scenario: await scenarioOf(name, graph, outage, thin, chance) });
      }
    }
  }
  return made;
}

/** Plays one variation. */
export async function verdictOn(variation: Variation): Promise<Verdict> {
  const played: Played = await play(variation.scenario);
  const { cause, verdict } = variation.outage;
  // Incidents of the monitor itself are not incidents of the environment, unless the monitor was the outage.
  const incidents = played.incidents.filter(
    ({ fields }) => cause.includes("pathkeeper") || fields["verdict"] !== "monitor",
  );
  const [main] = [...incidents].sort((a, b) => severity(b.fields) - severity(a.fields));
  const events = played.events.filter(({ incident }) => incident === main?.id);
  const first = String(events[0]?.root_cause ?? "none");
  const named = String(main?.fields["root_cause"] ?? "none");
  return {
    variation,
    incidents: incidents.length,
    first,
    cause: named,
    verdict: String(main?.fields["verdict"] ?? "none"),
    confidence: Number(main?.fields["confidence"] ?? 0),
    changes: events.filter(({ event }) => event === "root_cause_changed").length,
    isRight: cause.includes(named),
    isOpen: named === "unknown",
    isFirstRight: cause.includes(first),
    isVerdictRight: main?.fields["verdict"] === verdict,
  };
}

function severity(fields: Played["incidents"][number]["fields"]): number {
  return ["info", "warning", "critical"].indexOf(String(fields["severity"]));
}

async function scenarioOf(name: string, graph: Graph, outage: Outage, thin: number, chance: Chance): Promise<Scenario> {
  const start = chance.between(8, 20);
  const end = start + chance.between(25, 50);
  const timeline: Record<string, string[]> = {};
  const put = (when: string, says: string): void => {
    timeline[when] = [...(timeline[when] ?? []), says];
  };
  for (const { after, says } of outage.effects) put(`from ${start + after}m to ${end}m`, says);
  if (thin > 0) {
    const probes = Object.keys(graph.configuration["probes"] as object);
    const says = outage.effects.map((effect) => effect.says).join(" ");
    const isHit = (probe: string): boolean => says.includes("every probe") || says.split(/[ ,]+/).includes(probe);
    const kept = new Set(outage.needs ?? []);
    const silent = probes.filter((probe) => !kept.has(probe) && chance.happens(thin));
    for (const probe of silent) put("from 0m", `${probe} is silent`);
    const others = probes.filter((probe) => !silent.includes(probe) && !isHit(probe));
    for (let blips = chance.between(0, 4); blips > 0 && others.length > 0; blips--) {
      put(`from ${chance.between(2, end)}m for 1m`, `${chance.one(others as [string, ...string[]])} fails`);
    }
  }
  const text = stringify({ config: graph.configuration, tests: [{ name, timeline, expect: { incidents: 1 } }] });
  const loaded = await loadTests(text, "variation.yaml");
  if (!("scenarios" in loaded))
    throw new Error(`${name}: ${loaded.problems.map(({ message }) => message).join("; ")}\n${text}`);
  return loaded.scenarios[0] as Scenario;
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value >>> 0;
}

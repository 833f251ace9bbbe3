/** A configuration in the making: entries with the comments that stand above them, and names that are valid and differ. */
import { drillComponent, monitorComponent } from "../../../shared/monitor.ts";

/** YAML content of an entry. */
export type Settings = Readonly<Record<string, unknown>>;

/** An entry of a section, and what stands above it: a line each, without the sign of a comment. */
export interface Entry {
  readonly settings: Settings;
  readonly comments: readonly string[];
}

/** A recovery stage, by its name. */
export type StageName = "basic health" | "websocket";

/** A configuration in the making. */
export interface Draft {
  readonly environment: string;
  readonly title: string;
  readonly googleCloud: { readonly project: string; readonly region?: string } | undefined;
  readonly components: ReadonlyMap<string, Entry>;
  readonly probes: ReadonlyMap<string, Entry>;
  /** Probes that cannot be discovered or would fail, ready to be filled in: YAML, which becomes comments. */
  readonly templates: readonly Template[];
  readonly rules: ReadonlyMap<string, Entry>;
  readonly baselines: ReadonlyMap<string, string>;
  readonly stages: ReadonlyMap<StageName, readonly string[]>;
  /** Resources that could not be read, as full sentences. */
  readonly unseen: readonly string[];
  /** Secrets that must be provided, with what each holds. */
  readonly secrets: ReadonlyMap<string, string>;
}

/** A probe that stands as a comment. */
export interface Template {
  /** Why it is one, and what to do about it; without the sign of a comment. */
  readonly says: readonly string[];
  readonly name: string;
  readonly settings: Settings;
}

/** Adds to a draft. */
export interface Drafting {
  /** The component of a part, by a key of its own: the same name for the same key, and another for every other. The first of `wanted` that is free. */
  component(key: string, ...wanted: readonly [string, ...string[]]): string;
  addComponent(name: string, settings: Settings, comments?: readonly string[]): void;
  /** Says that a component fails with another. An edge that would close a circle is left out, and stands as a comment. */
  depend(name: string, on: string): void;
  /** Adds a probe. @returns its name, which differs from every other */
  addProbe(wanted: string, settings: Settings, comments?: readonly string[]): string;
  addTemplate(template: Omit<Template, "name"> & { readonly wanted: string }): void;
  /** Adds a rule, once for each name. */
  addRule(name: string, settings: Settings, comments?: readonly string[]): void;
  addBaseline(metric: string, expectation: string): void;
  /** Adds a probe to a recovery stage. */
  proveBy(stage: StageName, probe: string): void;
  /** Says what could not be seen. */
  note(sentence: string): void;
  needSecret(name: string, holds: string): void;
  dependenciesOf(component: string): readonly string[];
  hasComponent(name: string): boolean;
  done(): Draft;
}

/** Names that no component may have. */
const reserved = new Set([monitorComponent.name, drillComponent.name, "unknown"]);
/** The longest name, in characters. */
const longest = 63;

/** Begins a draft. */
export function drafting(beginning: Pick<Draft, "environment" | "title" | "googleCloud">): Drafting {
  const components = new Map<string, { settings: Settings; comments: string[]; dependsOn: string[] }>();
  const probes = new Map<string, Entry>();
  const rules = new Map<string, Entry>();
  const baselines = new Map<string, string>();
  const stages = new Map<StageName, string[]>();
  const secrets = new Map<string, string>();
  const templates: Template[] = [];
  const unseen: string[] = [];
  const names = new Map<string, string>();
  const taken = new Set<string>(reserved);
  const probeNames = new Set<string>();

  const reaches = (from: string, to: string, seen = new Set<string>()): boolean => {
    if (from === to) return true;
    if (seen.has(from)) return false;
    seen.add(from);
    return (components.get(from)?.dependsOn ?? []).some((next) => reaches(next, to, seen));
  };
  return {
    component(key, ...wanted) {
      const known = names.get(key);
      if (known !== undefined) return known;
      const name = free(wanted.find((one) => !taken.has(nameOf(one))) ?? wanted[0], taken);
      names.set(key, name);
      return name;
    },
    addComponent(name, settings, comments = []) {
      components.set(name, { settings, comments: [...comments], dependsOn: [] });
    },
    depend(name, on) {
      const component = components.get(name);
      if (component === undefined || !components.has(on) || component.dependsOn.includes(on)) return;
      if (reaches(on, name))
        component.comments.push(`It also uses ${on}, which depends on it: only one direction can be listed here.`);
      else component.dependsOn.push(on);
    },
    addProbe(wanted, settings, comments = []) {
      const name = free(wanted, probeNames);
      probes.set(name, { settings, comments });
      return name;
    },
    addTemplate: ({ wanted, ...template }) => void templates.push({ name: free(wanted, probeNames), ...template }),
    addRule(name, settings, comments = []) {
      if (!rules.has(name)) rules.set(name, { settings, comments });
    },
    addBaseline: (metric, expectation) => void baselines.set(metric, expectation),
    proveBy(stage, probe) {
      stages.set(stage, [...(stages.get(stage) ?? []), probe]);
    },
    note: (sentence) => void unseen.push(sentence),
    needSecret: (name, holds) => void secrets.set(name, holds),
    dependenciesOf: (component) => components.get(component)?.dependsOn ?? [],
    hasComponent: (name) => components.has(name),
    done: () => ({
      ...beginning,
      components: new Map(
        [...components].map(([name, { settings, comments, dependsOn }]) => [
          name,
          { settings: { ...settings, ...(dependsOn.length === 0 ? {} : { depends_on: dependsOn }) }, comments },
        ]),
      ),
      probes,
      templates,
      rules,
      baselines,
      stages,
      unseen,
      secrets,
    }),
  };
}

/** A text as a name: lower-case letters, digits and hyphens, beginning with a letter. */
export function nameOf(text: string): string {
  const plain = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "");
  const name = /^[a-z]/.test(plain) ? plain : `host-${plain}`;
  return name.slice(0, longest).replace(/-+$/, "");
}

/** The first of `wanted`, `wanted-2`, `wanted-3` … that is not taken, which it is from now on. */
function free(wanted: string, taken: Set<string>): string {
  const base = nameOf(wanted);
  let name = base;
  for (let count = 2; taken.has(name); count++) {
    const end = `-${count}`;
    name = `${base.slice(0, longest - end.length).replace(/-+$/, "")}${end}`;
  }
  taken.add(name);
  return name;
}

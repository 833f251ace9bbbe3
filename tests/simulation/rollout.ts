/** Configurations deployed during a run, in which something is renamed or removed. */
import type { Configuration } from "../../shared/config/model.ts";

/** One change of the configuration. */
export interface Change {
  readonly description: string;
  /** Kind of entry that is renamed or removed. */
  readonly what: "component" | "channel" | "rule" | "probe";
  readonly how: "renamed" | "removed";
  readonly name: string;
  /** Milliseconds after the start. */
  readonly at: number;
}

/** Suffix appended to the old name. */
const suffix = "-renamed";

/** Returns everything in a configuration that can be renamed or removed. */
export function changesOf(configuration: Configuration, at: number): Change[] {
  const named = {
    component: configuration.components,
    channel: configuration.channels,
    rule: configuration.rules,
    probe: configuration.probes,
  };
  return Object.entries(named).flatMap(([what, list]) =>
    list.flatMap(({ name }) =>
      (["renamed", "removed"] as const).map((how) => ({
        description: `the ${what} ${name} is ${how}`,
        what: what as Change["what"],
        how,
        name,
        at,
      })),
    ),
  );
}

/** Returns the configuration after a change. */
export function changed(configuration: Configuration, change: Change): Configuration {
  return change.how === "renamed" ? renamed(configuration, change) : removed(configuration, change);
}

/** Returns the original name of a probe. */
export function formerName(name: string): string {
  return name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
}

/** Each name in the configurations of the simulation names one thing only, so it can be replaced everywhere. */
function renamed(configuration: Configuration, { name }: Change): Configuration {
  const text = JSON.stringify(configuration).replaceAll(JSON.stringify(name), JSON.stringify(`${name}${suffix}`));
  return JSON.parse(text) as Configuration;
}

function removed(configuration: Configuration, { what, name }: Change): Configuration {
  const { components, probes, rules, channels, routes, recovery } = configuration;
  const isGone = (probe: { readonly name: string; readonly component: string }): boolean =>
    what === "probe" ? probe.name === name : what === "component" && probe.component === name;
  const gone = new Set(probes.filter(isGone).map((probe) => probe.name));
  return {
    ...configuration,
    components: components
      .filter((one) => what !== "component" || one.name !== name)
      .map((one) => ({ ...one, dependsOn: one.dependsOn.filter((of) => what !== "component" || of !== name) })),
    probes: probes.filter((one) => !gone.has(one.name)),
    rules: rules.filter((one) => what !== "rule" || one.name !== name),
    channels: channels.filter((one) => what !== "channel" || one.name !== name),
    routes: routes.map((route) => ({
      ...route,
      channels: route.channels.filter((channel) => what !== "channel" || channel !== name),
    })),
    recovery: {
      ...recovery,
      stages: recovery.stages
        .map((stage) => ({ ...stage, probes: stage.probes.filter((probe) => !gone.has(probe)) }))
        .filter((stage) => stage.probes.length > 0),
    },
  };
}

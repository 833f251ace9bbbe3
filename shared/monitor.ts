/** The monitor itself, as one more component: every function may report of it, and incidents of it are kept apart from those of targets. */
import type { Component } from "./config/model.ts";

/** The built-in component that stands for the monitor. No configuration may have another of this name. */
export const monitorComponent: Component = {
  name: "pathkeeper",
  title: "Pathkeeper itself",
  layer: "platform",
  dependsOn: [],
};

/** The built-in component that a fire drill is of. No configuration may have another of this name, either. */
export const drillComponent: Component = {
  name: "fire-drill",
  title: "Fire drill",
  layer: "platform",
  dependsOn: [],
};

/** The name under which a fire drill is reported. */
export const drillProbe = "fire-drill";

/** The group in which functions report of the monitor itself; no probe group has this name. */
export const selfGroup = "self";

/** The name under which a function reports messages that were given up. */
export const deadLettersProbe = "dead-letters";

/** The name under which a run on one machine reports that its disk cannot be written. */
export const diskProbe = "disk";

/** Subjects of alerts by other functions, besides the channels, and the names of these alerts. */
export const selfRules: ReadonlyMap<string, string> = new Map([
  [deadLettersProbe, "Dead letters"],
  [diskProbe, "Disk cannot be written"],
]);

const channelPrefix = "channel/";

/** The name under which the notifier reports that notices do not reach a reader, and that they do again. @param reader its `readerName` */
export function channelProbe(reader: string): string {
  return `${channelPrefix}${reader}`;
}

/** The reader that a name of `channelProbe` speaks of; `undefined` where it is another name. */
export function channelOf(probe: string): string | undefined {
  return probe.startsWith(channelPrefix) ? probe.slice(channelPrefix.length) : undefined;
}

/**
 * Name of the alert about notifications that do not reach a reader, by which the notifier recognizes whom an incident of the monitor is
 * about.
 */
export function channelRule(reader: string): string {
  return `Notices do not reach ${reader}`;
}

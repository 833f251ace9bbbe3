/** Sets of labels: what tells one series, and one alert, from another. */
import { ownEntry } from "../../../shared/runtime/entries.ts";

/** Labels of one series or of one alert. */
export type Labels = Readonly<Record<string, string>>;

/**
 * The labels as one text, alike for equal sets. The component stands aside where there is a probe: a probe that is given to another
 * component in the configuration goes on with the alerts that it has.
 */
export function labelKey(labels: Labels): string {
  return keysOf(labels).own;
}

/** The key of the alert of a rule on these labels. */
export function alertKey(rule: string, labels: Labels): string {
  const keys = keysOf(labels);
  const known = keys.alerts.get(rule);
  if (known !== undefined) return known;
  const key = `${escaped(rule, /[\\|]/)}|${keys.own}`;
  keys.alerts.set(rule, key);
  return key;
}

/** One label in a key. */
export function labelPart(name: string, value: string): string {
  return `${escaped(name, /[\\,=]/)}=${escaped(value, /[\\,]/)}`;
}

/** A text in which what separates the parts of a key has a backslash before it, so that different parts make different keys. */
function escaped(text: string, separators: RegExp): string {
  return separators.test(text) ? text.replaceAll(new RegExp(separators, "g"), "\\$&") : text;
}

interface Keys {
  readonly own: string;
  /** By rule. */
  readonly alerts: Map<string, string>;
}

/** The labels of a series live as long as the series, and are asked for with every rule and every report. */
const known = new WeakMap<Labels, Keys>();

function keysOf(labels: Labels): Keys {
  const before = known.get(labels);
  if (before !== undefined) return before;
  const entries = Object.entries(labels).filter(([name]) => name !== "component" || labels["probe"] === undefined);
  const key = entries
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => labelPart(name, value))
    .join(",");
  const keys = { own: key, alerts: new Map<string, string>() };
  known.set(labels, keys);
  return keys;
}

/** The labels without some of them. */
export function without(labels: Labels, names: readonly string[]): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !names.includes(name)));
}

/** Returns whether two sets agree on every label that both have. */
export function agree(a: Labels, b: Labels): boolean {
  return Object.entries(a).every(([name, value]) => (ownEntry(b, name) ?? value) === value);
}

/** The most labels that a series may have of its own, and the longest name and value of one. */
const maxLabels = 8;
const longestName = 60;
const longestValue = 120;

/** Labels as they may be kept: what a target put into them must not fill the state. The same object where nothing is too long. */
export function boundedLabels(labels: Labels): Labels {
  const entries = Object.entries(labels);
  if (entries.length <= maxLabels && entries.every(([n, v]) => n.length <= longestName && v.length <= longestValue))
    return labels;
  const kept = entries.sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, maxLabels);
  return Object.fromEntries(
    kept.map(([name, value]) => [shortened(name, longestName), shortened(value, longestValue)]),
  );
}

/** A text cut to length, with a mark of the whole behind it, so that texts that differ stay different. */
function shortened(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 9).toWellFormed()}~${fnv1a(text)}`;
}

/** @see http://www.isthe.com/chongo/tech/comp/fnv/ */
function fnv1a(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}

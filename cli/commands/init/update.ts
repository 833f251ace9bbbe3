/** Compares a configuration with what there is now, and proposes what to add and what to delete. Nothing is written. */
import { isMap, isNode, isPair, isSeq, LineCounter, parseDocument } from "yaml";
import { at } from "../../../functions/probe/google/configuration/json.ts";
import type { Configuration } from "../../../shared/config/model.ts";
import { checkedConfiguration } from "../../checked-configuration.ts";
import { WrongUsage } from "../../command.ts";
import { readConfigurationFile } from "../../configuration.ts";
import { counted, type Terminal } from "../../terminal/terminal.ts";
import type { Endpoint } from "./addresses/endpoint.ts";
import { compose } from "./compose.ts";
import type { Draft, Settings } from "./draft.ts";
import type { Found } from "./found.ts";
import { type Subject, settingAt, subjectKinds, subjectsIn } from "./subjects.ts";
import { unseenSentences } from "./unseen.ts";
import { configurationOf } from "./written.ts";
import { entryLines, yaml } from "./yaml.ts";

/** Input of the comparison. */
export interface UpdateOptions {
  readonly file: string;
  readonly project: string | undefined;
  /** Only this region is compared. @default every region */
  readonly region: string | undefined;
  readonly endpoints: readonly Endpoint[];
  readonly terminal: Terminal;
  /** Reads a project. */
  readonly read: (project: string) => Promise<Found>;
}

/**
 * Shows what is new and what is gone.
 * @returns 1 where there is any, else 0
 * @throws WrongUsage where there is nothing to compare with
 */
export async function update({
  file,
  project: given,
  endpoints,
  terminal,
  read,
  region,
}: UpdateOptions): Promise<number> {
  const configuration = await checkedConfiguration(file);
  const { text } = await readConfigurationFile(file);
  const project = given ?? configuration.googleCloud?.project;
  if (project === undefined)
    throw new WrongUsage(
      `${file} has no google_cloud.project: specify the project to compare with, with --project PROJECT`,
    );
  const found = await read(project);
  const draft = compose({ found, endpoints, addresses: [], sightings: new Map(), ca: undefined });
  const proposed = configurationOf(draft);
  const changes = compare({ text, configuration }, { draft, configuration: proposed }, { found, region });
  const { print, paint } = terminal;
  for (const { sign, says, lines } of changes) {
    const style = sign === "+" ? "good" : "bad";
    print(paint("strong", `${sign} ${says}`));
    for (const { mark, line } of lines)
      print(mark === " " ? paint("faint", `  ${line}`) : paint(style, `${mark} ${line}`));
    print("");
  }
  print(...unseenSentences(found.unseen).map((sentence) => paint("faint", `not seen: ${sentence}`)));
  print(
    changes.length === 0
      ? paint("good", `${file} matches the resources of ${project}`)
      : `${counted(changes.length, "difference")} between ${file} and ${project}; nothing was written`,
  );
  return changes.length === 0 ? 0 : 1;
}

/** Something that is new or gone. */
export interface Change {
  readonly sign: "+" | "-";
  /** `the service billing is new`. */
  readonly says: string;
  readonly lines: readonly { readonly mark: "+" | "-" | " "; readonly line: string }[];
}

/** A configuration with its text. */
interface Written {
  readonly text: string;
  readonly configuration: Configuration;
}

/** Compares a configuration with a draft of what there is. Pure. */
export function compare(
  { text, configuration }: Written,
  { draft, configuration: proposed }: { readonly draft: Draft; readonly configuration: Configuration },
  { found, region }: { readonly found: Found; readonly region: string | undefined },
): readonly Change[] {
  const { project, seen, monitors } = found;
  const [before, now] = [subjectsIn(configuration, project), subjectsIn(proposed, project)];
  const [known, there] = [new Set(before.map(keyOf)), new Set(now.map(keyOf))];
  const isGone = (subject: Subject): boolean => {
    const reading = subjectKinds[subject.what];
    // A host of a probe's own may be anywhere; one of the load balancer's checks is of this project.
    if (reading === undefined || (subject.what === "host" && subject.path.length === 0)) return false;
    if (!seen.has(reading) || there.has(keyOf(subject))) return false;
    if (subject.what === "service" && monitors.includes(subject.name)) return false;
    return region === undefined || subject.region === undefined || subject.region === region;
  };
  // A service with its host is one thing that is new.
  const added = Map.groupBy(
    now.filter((subject) => !known.has(keyOf(subject))),
    (subject) => componentOf(subject, proposed, draft),
  );
  const gone = Map.groupBy(before.filter(isGone), keyOf);
  return [
    ...[...added.values()].map(
      (subjects): Change => ({
        sign: "+",
        says: `${[...new Set(subjects.map(keyOf))].join(", ")}: new`,
        lines: additions(subjects, configuration, draft, proposed),
      }),
    ),
    ...[...gone].map(
      ([key, subjects]): Change => ({
        sign: "-",
        says: `${key}: gone`,
        lines: deletions(subjects, text, configuration),
      }),
    ),
  ];
}

/** The component that a part of a draft is of: that of its probe, or the one that the configuration checks name. */
function componentOf({ probe, path }: Subject, { probes }: Configuration, draft: Draft): string {
  for (let length = path.length; length > 0; length--) {
    const component = at(settingAt(draft.probes.get(probe)?.settings, path.slice(0, length)), "component");
    if (typeof component === "string") return component;
  }
  return probes.find(({ name }) => name === probe)?.component ?? probe;
}

function keyOf({ what, name }: Subject): string {
  return `${what} ${name}`;
}

function additions(
  subjects: readonly Subject[],
  configuration: Configuration,
  draft: Draft,
  proposed: Configuration,
): Change["lines"] {
  const whole = new Set(subjects.filter(({ path }) => path.length === 0).map(({ probe }) => probe));
  const probes = proposed.probes.filter(({ name }) => whole.has(name));
  const components = new Set(probes.map(({ component }) => component));
  const own = [...components].filter((name) => !configuration.components.some((one) => one.name === name));
  const entries = (key: string, names: readonly string[], from: Draft["components"]): Change["lines"] => {
    const lines = names.flatMap((name) => {
      const entry = from.get(name);
      return entry === undefined ? [] : entryLines(name, entry);
    });
    return lines.length === 0
      ? []
      : [{ mark: " ", line: `${key}:` }, ...lines.map((line) => ({ mark: "+", line }) as const)];
  };
  const checks = subjects.filter(({ path }) => path.length > 0);
  return [
    ...entries("components", own, draft.components),
    ...entries("probes", [...whole], draft.probes),
    ...checks.flatMap(({ probe, path }): Change["lines"] => {
      const settings = draft.probes.get(probe)?.settings;
      const keys = path.filter((key) => typeof key === "string");
      const item = settingAt(settings, path);
      const key = String(keys.at(-1));
      const lines = path.some((one) => typeof one === "number") ? yaml([item as Settings]) : yaml({ [key]: item });
      const holder = path.some((one) => typeof one === "number") ? keys : keys.slice(0, -1);
      return [
        { mark: " ", line: `${["probes", probe, ...holder].join(": ")}:` },
        ...lines.map((line) => ({ mark: "+", line: `  ${line}` }) as const),
      ];
    }),
  ];
}

function deletions(subjects: readonly Subject[], text: string, { probes }: Configuration): Change["lines"] {
  const whole = new Set(subjects.filter(({ path }) => path.length === 0).map(({ probe }) => probe));
  const touched = new Set(probes.filter(({ name }) => whole.has(name)).map(({ component }) => component));
  const left = new Set(probes.filter(({ name }) => !whole.has(name)).map(({ component }) => component));
  const paths: (readonly (string | number)[])[] = [
    ...[...touched].filter((component) => !left.has(component)).map((component) => ["components", component]),
    ...[...whole].map((probe) => ["probes", probe]),
    ...subjects.filter(({ path }) => path.length > 0).map(({ probe, path }) => ["probes", probe, ...path]),
  ];
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, merge: true });
  const lines = text.split(/\r?\n/);
  return paths.flatMap((path): Change["lines"] => {
    const range = rangeOf(document.contents, path);
    if (range === undefined) return [];
    const [from, to] = [counter.linePos(range[0]).line, counter.linePos(Math.max(range[0], range[1] - 1)).line];
    return [
      { mark: " ", line: `line ${from}, ${path.join(".")}` },
      ...lines.slice(from - 1, to).map((line) => ({ mark: "-", line }) as const),
    ];
  });
}

/** From the key, or the entry of a list, to the end of its value. */
function rangeOf(root: unknown, path: readonly (string | number)[]): readonly [number, number] | undefined {
  let node: unknown = root;
  let start: number | undefined;
  for (const key of path) {
    if (isMap(node)) {
      const pair = node.items.find((one) => isPair(one) && String(one.key) === String(key));
      start = isNode(pair?.key) ? pair.key.range?.[0] : undefined;
      node = pair?.value;
    } else if (isSeq(node)) {
      node = node.items[Number(key)];
      start = isNode(node) ? node.range?.[0] : undefined;
    } else return undefined;
  }
  const end = isNode(node) ? node.range?.[1] : undefined;
  return start === undefined || end === undefined ? undefined : [start, end];
}

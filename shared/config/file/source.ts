/** The text of a configuration file: read as YAML, with the place of every key and value. */
import {
  type Alias,
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type ParsedNode,
  parseDocument,
  visit,
  type YAMLMap,
} from "yaml";
import { formatPath, inFileOrder, type Path, type Problem, type Problems, type Remark, type Spot } from "./problems.ts";
import { explained, type Flaw, oddKeys } from "./yaml-mistakes.ts";

/** A file that was read. */
export interface Source {
  /** The plain data; `undefined` where the file is no YAML and nothing more can be said of it. */
  readonly data: unknown;
  /** Gathers what is wrong at a place of this file. */
  readonly problems: Problems;
  /** Everything gathered so far, in the order of the file. */
  found(): { problems: Problem[]; warnings: Problem[] };
}

/** Maximum number of alias expansions in one file, nested ones included: far above need, far below harm. */
const maxAliases = 200;

/** Reads YAML 1.2 with anchors, aliases and merge keys. Never throws: what is wrong is among the problems. */
export function readSource(text: string, file: string): Source {
  const lines = new LineCounter();
  const errors: Problem[] = [];
  const warnings: Problem[] = [];
  const problemAt = ([start, end]: Extent, path: Path, remark: Remark): Problem => {
    const { line, col } = lines.linePos(start);
    const rest = text.slice(start, end).split(/\r?\n/, 1)[0] ?? "";
    return {
      file,
      line: Math.max(line, 1),
      column: Math.max(col, 1),
      length: Math.max(rest.trimEnd().length, 1),
      path: formatPath(path),
      message: remark.message,
      ...(remark.suggestion === undefined ? {} : { suggestion: remark.suggestion }),
      ...(remark.confidential ? { confidential: true } : {}),
    };
  };
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    merge: true,
    uniqueKeys: false,
    logLevel: "error",
  });
  const problems: Problems = {
    error: (spot, remark) => void errors.push(problemAt(extentOf(document, text, spot), spot.path, remark)),
    warn: (spot, remark) => void warnings.push(problemAt(extentOf(document, text, spot), spot.path, remark)),
  };
  const flaws = findFlaws(text, document);
  for (const { extent, message } of flaws.mistakes) errors.push(problemAt(extent, [], { message }));
  let data: unknown;
  if (flaws.readable) {
    try {
      data = document.toJS({ maxAliasCount: maxAliases });
    } catch (error) {
      const reason = error instanceof ReferenceError ? "its aliases unfold into too much" : (error as Error).message;
      problems.error({ path: [] }, { message: `the YAML cannot be read: ${reason}` });
    }
  }
  return { data, problems, found: () => ({ problems: inFileOrder(errors), warnings: inFileOrder(warnings) }) };
}

/** Start and end in the text, in characters. */
type Extent = readonly [start: number, end: number];

/** YAML errors of the file, and whether its data can be checked nevertheless. */
function findFlaws(text: string, document: Document.Parsed): { mistakes: Flaw[]; readable: boolean } {
  const mistakes: Flaw[] = duplicateKeys(document).map((key) => ({
    extent: extentOfNode(key),
    message: "this key stands twice in the same map: remove one of the two",
  }));
  // The errors after the first are mostly its consequences.
  const broken = document.errors[0] ?? document.warnings[0];
  if (broken) {
    return { mistakes: [...mistakes, explained(text, broken)], readable: false };
  }
  const odd: Flaw[] = oddKeys(text, document);
  visit(document, {
    Alias(_, alias, ancestors) {
      const target = alias.resolve(document);
      const name = alias.source;
      if (!target)
        odd.push({
          extent: extentOfNode(alias),
          message: `*${name} refers to nothing: put &${name} in front of a value above it${/^[\w-]+$/.test(name) ? "" : ", or write a plain text in quotes"}`,
        });
      else if (ancestors.includes(target))
        odd.push({ extent: extentOfNode(alias), message: `*${name} contains itself` });
    },
    Pair(_, pair) {
      if (isCollection(pair.key))
        odd.push({ extent: extentOfNode(pair.key), message: "a key must be a plain text, not a list or a map" });
    },
  });
  return { mistakes: [...mistakes, ...odd], readable: odd.length === 0 };
}

/** Returns the keys that stand in their map before. The parser would compare each key with all others, which takes long for thousands. */
function duplicateKeys(document: Document.Parsed): Node[] {
  const found: Node[] = [];
  visit(document, {
    Map(_, { items }) {
      const known = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (known.has(key.value)) found.push(key);
        known.add(key.value);
      }
    },
  });
  return found;
}

/** Returns the position of a spot in the text. A missing key is reported at its nearest existing parent. */
function extentOf(document: Document.Parsed, text: string, { path, part, within }: Spot): Extent {
  let value: ParsedNode | null | undefined = document.contents;
  let key: Node | undefined;
  for (const step of path) {
    const holder: unknown = isAlias(value) ? (value as Alias).resolve(document) : value;
    if (isMap<ParsedNode, ParsedNode | null>(holder)) {
      const pair = pairsOf(holder).get(String(step));
      if (!pair || !isNode(pair.key)) return extentOfNode(key ?? value);
      key = pair.key;
      value = pair.value;
    } else if (isSeq<ParsedNode>(holder) && typeof step === "number" && holder.items[step]) {
      value = holder.items[step];
      key = value;
    } else {
      return extentOfNode(key ?? value);
    }
  }
  if (part === "key" && key) return extentOfNode(key);
  const extent = extentOfNode(value);
  if (within && isScalar(value) && typeof value.value === "string") {
    const start = positionWithin(text, value.type ?? "PLAIN", value.value, extent[0], within.offset);
    return [start, start + within.length];
  }
  // A key with nothing behind it.
  return extent[0] === extent[1] && key ? extentOfNode(key) : extent;
}

type Entries = YAMLMap<ParsedNode, ParsedNode | null>;

/** The entries of each map by their keys, so that thousands of problems are placed quickly. */
const indexed = new WeakMap<Entries, ReadonlyMap<string, Entries["items"][number]>>();

function pairsOf(map: Entries): ReadonlyMap<string, Entries["items"][number]> {
  const known = indexed.get(map);
  if (known !== undefined) return known;
  // The first of a key counts.
  const made = new Map(
    map.items
      .toReversed()
      .flatMap((item) => (isScalar(item.key) ? [[String(item.key.value ?? ""), item] as const] : [])),
  );
  indexed.set(map, made);
  return made;
}

function extentOfNode(node: unknown): Extent {
  const range = isNode(node) ? node.range : undefined;
  if (!range) return [0, 0];
  // A list or a map is shown by its beginning.
  return [range[0], isCollection(node) ? range[0] : range[1]];
}

/**
 * The position in the text of character `offset` of a YAML text that begins at `start`. Folded lines, quotes and escapes make the text
 * longer than its value, so the value's own characters are found again one after the other.
 */
function positionWithin(text: string, type: string, value: string, start: number, offset: number): number {
  let position = start;
  if (type === "BLOCK_FOLDED" || type === "BLOCK_LITERAL") position = text.indexOf("\n", start) + 1;
  else if (type !== "PLAIN") position += 1;
  for (let index = 0; index <= Math.min(offset, value.length - 1); index++) {
    const character = value.charAt(index);
    if (/\s/.test(character)) continue;
    const found = text.indexOf(character, position);
    if (found < 0) return position;
    if (index === offset) return found;
    position = found + 1;
  }
  return position;
}

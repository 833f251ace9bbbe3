/** Requirements of a deployment, resource by resource, and the comparison of a plan with them. Pure. */
import type { Key, Need, Reference, Test } from "../../shared/deployment/need.ts";
import { at } from "../../shared/runtime/entries.ts";
import { type Resource, Unknown } from "./plan.ts";

/** Level of a finding: an error, a warning about something that may be intended, or a value that is known only after the apply. */
export type Level = "error" | "warning" | "open";

/** Something that a plan lacks, sets incorrectly, or has in excess. */
export interface Finding {
  readonly level: Level;
  /** Address of the resource, or what is missing. */
  readonly address: string;
  /** One sentence: the mistake and its consequence. */
  readonly says: string;
  /** Terraform code to write. */
  readonly write?: string;
  /** Source: documentation of Google or Terraform, or the design of the monitor. */
  readonly source?: string;
}

/** Texts for people, in any resource. */
const freePaths = ["description", "display_name", "timeouts", "deletion_policy", "title"];

/** Returns a test that a value is one of `values`. */
export function oneOf(...values: readonly unknown[]): Test {
  return { allowed: values.map(spoken).join(" or "), holds: (value) => values.some((one) => same(one, value)) };
}

/** Returns a test of a number, or of a text that begins with one. */
export function between(least: number, most: number, unit: string = ""): Test {
  return {
    allowed: `from ${least}${unit} to ${most}${unit}`,
    holds: (value) => {
      const number = Number.parseFloat(String(value));
      return String(value).replace(/^-?[\d.]+/, "") === unit && number >= least && number <= most;
    },
  };
}

/**
 * Compares resources with needs: exactly one resource must meet each need, every value must meet its requirement, and every resource must be needed.
 * @param types the types of resources that the needs cover: resources of other types are ignored
 */
export function findings(resources: readonly Resource[], needs: readonly Need[]): Finding[] {
  const claimed = new Map<Resource, Need>();
  const found: Finding[] = [];
  for (const need of needs) {
    const [first, ...others] = resources.filter(
      (one) => one.type === need.type && !claimed.has(one) && hasKey(one, need.key),
    );
    if (first === undefined) {
      found.push(missing(need));
      continue;
    }
    claimed.set(first, need);
    for (const other of others)
      found.push({
        level: "error",
        address: other.address,
        says: `duplicates ${need.type} ${keyOf(need)}: only one is needed ${need.why}`,
        write: `# remove ${other.address}`,
      });
  }
  for (const [resource, need] of claimed)
    found.push(...valueFindings(resource, need, resources), ...surplus(resource, need));
  for (const resource of resources) {
    if (
      claimed.has(resource) ||
      resource.type === "terraform_data" ||
      !resource.actions.some((action) => action !== "delete")
    )
      continue;
    if (found.some(({ address }) => address === resource.address)) continue;
    found.push({
      level: "error",
      address: resource.address,
      says: `${described(resource)} is not required by the configuration: it grants, costs or does more than necessary`,
      write: `# remove ${resource.address}`,
    });
  }
  return found;
}

function hasKey({ leaves, known }: Resource, key: Key): boolean {
  return Object.entries(key).every(
    ([path, value]) => same(value, leaves.get(path) ?? at(known, path)) || leaves.get(path) instanceof Unknown,
  );
}

function missing(need: Need): Finding {
  const known = Object.entries(need.values).flatMap(([path, { is }]) =>
    isTest(is) || path.includes(".") || path.includes("*") ? [] : [[path, is] as const],
  );
  const lines = [...Object.entries(need.key), ...known]
    .filter(([path]) => !path.includes("."))
    .map(([path, value]) => `  ${path} = ${JSON.stringify(value)}`);
  return {
    level: "error",
    address: `${need.type} ${keyOf(need)}`,
    says: `is missing: it is needed ${need.why}`,
    write: `resource "${need.type}" "NAME" {\n${lines.join("\n")}\n}`,
  };
}

function keyOf({ key }: { readonly key: Key }): string {
  return Object.entries(key)
    .map(([path, value]) => `${path.split(".").at(-1)} ${value}`)
    .join(", ");
}

function valueFindings(resource: Resource, need: Need, resources: readonly Resource[]): Finding[] {
  return Object.entries(need.values).flatMap(([path, requirement]): Finding[] => {
    if (path.endsWith("*")) return [];
    const { is, usual, why, from, size, write, source } = requirement;
    const value = resource.leaves.get(path) ?? usual;
    const line =
      write ??
      (isTest(is)
        ? `${path.split(".").at(-1)} = … # ${is.allowed}`
        : `${path.split(".").at(-1)} = ${JSON.stringify(is)}`);
    const common = { address: resource.address, ...(source === undefined ? {} : { source }) };
    if (value instanceof Unknown) {
      const verdict =
        size !== undefined && value.size !== undefined
          ? value.size === size
          : from === undefined
            ? undefined
            : refersTo(resource, value, from, resources);
      if (verdict === true) return [];
      if (verdict === false)
        return [
          {
            ...common,
            level: "error",
            says: `${path} refers to ${value.references.filter((one) => !one.startsWith("each.")).join(", ") || "nothing"}, but must refer to ${from?.type} ${keyOf({ key: from?.key ?? {} })}: ${why}`,
            write: line,
          },
        ];
      return [
        {
          ...common,
          level: "open",
          says: `${path} is known only after the apply: npx --no pathkeeper doctor checks it`,
        },
      ];
    }
    const fits =
      (isTest(is) ? is.holds(value) : same(is, value)) || (from !== undefined && same(given(from, resources), value));
    if (fits) return [];
    const wanted = isTest(is) ? is.allowed : spoken(is);
    return [
      {
        ...common,
        level: "error",
        says: `${path} is ${value === undefined ? "not set" : spoken(value)}, but must be ${wanted}: ${why}`,
        write: line,
      },
    ];
  });
}

/** Returns the value of a reference, if it is known. */
function given({ type, key, attribute, suffix = "" }: Reference, resources: readonly Resource[]): string | undefined {
  const value = at(resources.find((one) => one.type === type && hasKey(one, key))?.known, attribute ?? "id");
  return typeof value === "string" ? `${value}${suffix}` : undefined;
}

/** Returns true if an expression refers to the required resource; `undefined` if unknown. */
function refersTo(
  resource: Resource,
  { references }: Unknown,
  from: Reference,
  resources: readonly Resource[],
): boolean | undefined {
  const target = resources.find((one) => one.type === from.type && hasKey(one, from.key));
  if (target === undefined) return false;
  if (references.length === 0) return undefined;
  const name = `${target.type}.${target.name}`;
  const own = references.filter((one) => one === name || one.startsWith(`${name}[`) || one.startsWith(`${name}.`));
  const others = references.filter((one) => /^google_/.test(one) && !own.includes(one));
  if (own.length === 0) return references.some((one) => one.startsWith("local.")) ? undefined : false;
  if (others.some((one) => one.startsWith(`${target.type}.`))) return false;
  const literal = own.map((one) => /\["([^"]*)"\]|\[(\d+)\]/.exec(one)).find((match) => match !== null);
  if (literal) return String(target.index) === (literal[1] ?? literal[2]);
  if (target.index === undefined) return true;
  const named = references.flatMap((one) => /^each\.value\.(\w+)$/.exec(one)?.[1] ?? []);
  if (from.parts !== undefined && named.some((one) => one !== from.by && !from.parts?.includes(one))) return false;
  if (from.parts?.some((one) => !named.includes(one)) && references.some((one) => one.startsWith("each.value")))
    return false;
  if (references.includes("each.key")) return resource.index === target.index;
  return from.by === undefined ? undefined : references.includes(`each.value.${from.by}`);
}

/** Returns the attributes of a resource that no requirement needs. */
function surplus({ address, leaves }: Resource, { key, values, free = [] }: Need): Finding[] {
  const allowed = [...Object.keys(key), ...Object.keys(values), ...free, ...freePaths];
  return [...leaves].flatMap(([path, value]): Finding[] => {
    if (value instanceof Unknown) return [];
    const isAllowed = allowed.some(
      (one) =>
        path === one ||
        path.startsWith(`${one}.`) ||
        one.startsWith(`${path}.`) ||
        (one.endsWith("*") && path.startsWith(one.slice(0, -1))),
    );
    return isAllowed || isEmpty(value)
      ? []
      : [
          {
            level: "error",
            address,
            says: `sets ${path} to ${spoken(value)}, which the configuration does not require`,
            write: `# remove ${path}`,
          },
        ];
  });
}

function described({ leaves, type }: Resource): string {
  const words = ["role", "member", "topic", "subscription", "name"].flatMap((path) => {
    const value = leaves.get(path);
    return typeof value === "string" ? [`${path} ${value}`] : [];
  });
  return words.length === 0 ? type : `(${words.join(", ")})`;
}

function isTest(value: unknown): value is Test {
  return typeof value === "object" && value !== null && "holds" in value;
}

function isEmpty(value: unknown): boolean {
  return value === "" || (Array.isArray(value) && value.length === 0);
}

/** Returns true if two values are equal. Lists are compared as sets; numbers may also be strings. */
export function same(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b))
    return canonical([...a].map(canonical).sort()) === canonical([...b].map(canonical).sort());
  if (typeof a === "object" || typeof b === "object") return canonical(a) === canonical(b);
  return a !== undefined && b !== undefined && String(a) === String(b);
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value === "object" && value !== null)
    return `{${Object.entries(value)
      .filter(([, each]) => each !== undefined && each !== null)
      .sort(([x], [y]) => (x < y ? -1 : 1))
      .map(([name, each]) => `${name}:${canonical(each)}`)
      .join(",")}}`;
  return String(value);
}

function spoken(value: unknown): string {
  const text = typeof value === "string" ? `"${value}"` : JSON.stringify(value);
  return text === undefined ? "nothing" : text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

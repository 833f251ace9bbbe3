/**
 * Makes `schema.json`: names, types and flags of the resources in use, read from the code that was generated from the provider's schema.
 * Run by hand when a resource comes into use:
 *
 *     npm install --prefix /tmp/provider --ignore-scripts --legacy-peer-deps @cdktf/provider-google@16.12.1
 *     node tests/terraform/extract.ts /tmp/provider/node_modules/@cdktf/provider-google
 *
 * The package (MPL-2.0) stands for release 6.50.0 of hashicorp/google; it is large, will not move on, and is therefore no dependency.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dataInUse, resourcesInUse } from "./resources.ts";
import type { Attribute, Block, CtyType, NestedBlock, ProviderSchema } from "./schema.ts";

/** A structure in the generated code: a resource, or a block in it. */
interface Structure {
  /** Arguments, by their names in HCL, as written out. */
  readonly written: ReadonlyMap<
    string,
    { isBlock: boolean; type: string; storage: string; nested?: string; many: boolean }
  >;
  /** Flags by name, and how read-only attributes are read. */
  readonly flags: ReadonlyMap<string, { computed: boolean; optional: boolean; required: boolean; reader: string }>;
  /** Required arguments, and the allowed values, by their names in HCL. */
  readonly declared: ReadonlyMap<string, { required: boolean; values?: readonly string[] }>;
}

function extract(library: string, kind: "resource" | "data", name: string): Block {
  const bare = name.replace(/^google_/, "").replaceAll("_", "-");
  const folder = join(library, "lib", kind === "data" ? `data-google-${bare}` : bare);
  if (!existsSync(folder)) throw new Error(`the package has no ${kind} ${name}: ${folder}`);
  const code = readFileSync(join(folder, "index.js"), "utf8");
  const types = readFileSync(join(folder, "index.d.ts"), "utf8");
  const main = /class (\w+) extends cdktf\.Terraform(?:Resource|DataSource)/.exec(code)?.[1];
  if (main === undefined) throw new Error(`${folder} has no resource`);
  return blockOf(main, { code, types, main });
}

interface Generated {
  readonly code: string;
  readonly types: string;
  readonly main: string;
}

function blockOf(structure: string, generated: Generated): Block {
  const { written, flags, declared } = structureOf(structure, generated);
  const attributes: Record<string, Attribute> = {};
  const blocks: Record<string, NestedBlock> = {};
  for (const [name, { isBlock, type, storage, nested, many }] of written) {
    const required = declared.get(name)?.required ?? false;
    if (isBlock && nested !== undefined) {
      const nesting = name === "timeouts" ? "single" : type === "set" ? "set" : "list";
      blocks[name] = {
        nesting,
        ...(required ? { min: 1 } : {}),
        ...(many || nesting === "single" ? {} : { max: 1 }),
        block: blockOf(nested, generated),
      };
      continue;
    }
    const values = declared.get(name)?.values;
    attributes[name] = {
      type: ctyOf(type, storage),
      ...(required ? { required: true } : { optional: true }),
      ...(!required && (flags.get(name)?.computed || (structure === generated.main && computedByNature.has(name)))
        ? { computed: true as const }
        : {}),
      ...(values === undefined ? {} : { values }),
    };
  }
  for (const [name, { reader }] of flags) {
    if (attributes[name] === undefined && blocks[name] === undefined)
      attributes[name] = { type: readType(reader), computed: true };
  }
  return { attributes: sorted(attributes), ...(Object.keys(blocks).length === 0 ? {} : { blocks: sorted(blocks) }) };
}

/** The provider fills these in if they are omitted, which the generated code does not always show. */
const computedByNature = new Set(["id", "project", "region", "location", "email", "member", "name_prefix"]);

function structureOf(name: string, { code, types, main }: Generated): Structure {
  const isMain = name === main;
  const start = isMain
    ? code.indexOf("synthesizeHclAttributes()")
    : code.indexOf(`\nfunction ${lowerFirst(name)}ToHclTerraform(`);
  if (start < 0) throw new Error(`the code has no structure ${name}`);
  const end = code.indexOf(isMain ? "\n    }\n" : "\n}\n", start);
  const entry =
    /^ {8,12}(\w+): \{\n\s+value: (.*),\n\s+isBlock: (true|false),\n\s+type: "(\w+)",\n\s+storageClassType: "(\w+)"/gm;
  const written = new Map<
    string,
    { isBlock: boolean; type: string; storage: string; nested?: string; many: boolean }
  >();
  for (const [, key = "", value = "", isBlock, type = "", storage = ""] of code.slice(start, end).matchAll(entry)) {
    const nested = /(\w+)ToHclTerraform/.exec(value.replaceAll("cdktf.", "cdktf_"))?.[1];
    const own = nested?.startsWith("cdktf_") ? undefined : nested;
    written.set(key, {
      isBlock: isBlock === "true",
      type,
      storage,
      many: value.includes("listMapperHcl"),
      ...(own === undefined ? {} : { nested: upperFirst(own) }),
    });
  }
  const classStart = code.search(new RegExp(`\\nclass ${name}${isMain ? "" : "OutputReference"} extends`));
  const classEnd = code.indexOf("\nexports.", classStart);
  const flag = /\/\/ (\w+) - computed: (\w+), optional: (\w+), required: (\w+)\n(.*\n.*)/g;
  const flags = new Map<string, { computed: boolean; optional: boolean; required: boolean; reader: string }>();
  for (const [, key = "", computed, optional, required, reader = ""] of code
    .slice(classStart, classEnd)
    .matchAll(flag)) {
    flags.set(key, {
      computed: computed === "true",
      optional: optional === "true",
      required: required === "true",
      reader,
    });
  }
  return { written, flags, declared: declaredIn(types, isMain ? `${name}Config` : name) };
}

function declaredIn(types: string, name: string): Structure["declared"] {
  const start = types.search(new RegExp(`export interface ${name}(?: extends [\\w.]+)? \\{`));
  const body = start < 0 ? "" : types.slice(start, types.indexOf("\n}", start));
  const field = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s+readonly \w+(\?)?:/g;
  const declared = new Map<string, { required: boolean; values?: readonly string[] }>();
  for (const [, comment = "", optional] of body.matchAll(field)) {
    const key = /#(\w+) [\w]+#\w+\}/.exec(comment)?.[1];
    if (key === undefined) continue;
    const listed = /Possible values: \[([^\]]*)\]/.exec(comment)?.[1];
    const values = listed?.match(/"[^"]+"/g)?.map((value) => value.slice(1, -1));
    declared.set(key, { required: optional === undefined, ...(values === undefined ? {} : { values }) });
  }
  return declared;
}

function ctyOf(type: string, storage: string): CtyType {
  const scalar = /^(string|number|boolean)/.exec(storage)?.[1];
  const element: CtyType = scalar === undefined ? "dynamic" : scalar === "boolean" ? "bool" : (scalar as CtyType);
  if (type === "simple") return element;
  if (element === "dynamic") return "dynamic";
  return type === "list" || type === "set" || type === "map" ? [type, element] : "dynamic";
}

/** Returns the type of a read-only attribute, from the code that reads it. */
function readType(reader: string): CtyType {
  if (/getStringAttribute/.test(reader)) return "string";
  if (/getNumberAttribute/.test(reader)) return "number";
  if (/getBooleanAttribute/.test(reader)) return "bool";
  if (/cdktf\.StringMap/.test(reader)) return ["map", "string"];
  if (/getListAttribute/.test(reader)) return ["list", "string"];
  return "dynamic";
}

function sorted<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => a.localeCompare(b)));
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const [library] = process.argv.slice(2);
if (library === undefined) throw new Error("name the folder of the package, as the comment at the top says");
const schema: ProviderSchema = {
  resources: Object.fromEntries(resourcesInUse.map((name) => [name, extract(library, "resource", name)])),
  data: Object.fromEntries(dataInUse.map((name) => [name, extract(library, "data", name)])),
};
writeFileSync(new URL("schema.json", import.meta.url), `${JSON.stringify(schema)}\n`);

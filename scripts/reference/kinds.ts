/** The pages of the kinds of probe and of channel, with a table of their settings. */
import { z } from "zod";
import type { AnyChannelKind } from "../../functions/notify/channel.ts";
import { usualPace } from "../../functions/notify/deliver/pace.ts";
import type { AnyProber } from "../../functions/probe/prober.ts";
import { googleCloudEntry, keysOf } from "../../shared/config/schema.ts";
import { metrics } from "../../shared/metrics/catalogue.ts";
import { cell, generated } from "./markdown.ts";
import { metricsOf } from "./metrics.ts";

/** The part of a JSON Schema that the pages show. */
interface Property {
  readonly description?: string;
  readonly default?: unknown;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Property[];
  readonly properties?: Readonly<Record<string, Property>>;
  readonly required?: readonly string[];
  readonly items?: Property;
}

/** A kind of probe or of channel, as far as its page tells of it. */
interface Kind {
  readonly kind: string;
  readonly title: string;
  readonly settings: z.ZodType;
  readonly example: string;
  readonly notes?: string;
}

/** `docs/probers/KIND.md` */
export function proberPage(prober: AnyProber): string {
  return kindPage(prober, "probe", metricsOf(prober));
}

/** `docs/channels/KIND.md` */
export function channelPage(channel: AnyChannelKind): string {
  return kindPage(channel, "channel", paceOfKind(channel));
}

function kindPage(
  { kind, title, settings, example, notes = "" }: Kind,
  what: "probe" | "channel",
  measured: string,
): string {
  const schema = z.toJSONSchema(settings, { io: "input", unrepresentable: "any" }) as Property;
  const shared = what === "probe" ? "the [fields that all probes share](../configuration.md)" : "`kind`";
  const key = what === "probe" ? "probes" : "channels";
  const own = example
    .trimEnd()
    .split("\n")
    .map((line) => `    ${line}`);
  return `${generated}
# The ${what} \`${kind}\`

${title}

\`\`\`yaml
${key}:
  example:
    kind: ${kind}
${what === "probe" ? "    component: backend\n" : ""}${own.join("\n")}
\`\`\`

## Settings

Besides ${shared}:

| field | type | default | meaning |
|---|---|---|---|
${rowsOf(schema, "").join("\n")}
${measured}${notes === "" ? "" : `\n${notes.trim()}\n`}`;
}

/** Returns the rate limit of its service. Public channels have none: they are updated on every change. */
function paceOfKind({ public: isPublic, pace = usualPace, recipients }: AnyChannelKind): string {
  if (isPublic) return "";
  return `\n${recipients === undefined ? "It" : "Each recipient"} gets at most ${pace.perMinute} notices a minute and ${pace.atOnce} at once, unless \`per_minute\` of the channel says otherwise.\n`;
}

function rowsOf(schema: Property, prefix: string): string[] {
  const properties = Object.entries(schema.properties ?? {});
  // Entries of several lists are described once.
  const told = properties.map(([, { items }]) => JSON.stringify(items ?? null));
  return properties.flatMap(([name, property], position) => {
    const path = `${prefix}${name}`;
    const inherited = prefix === "" && keysOf(googleCloudEntry).includes(name);
    const required = schema.required?.includes(name) ?? false;
    const missing = required ? (inherited ? "of `google_cloud`" : "required") : "";
    const fallback = property.default === undefined ? missing : code(property.default);
    const row = `| \`${path}\` | ${typeOf(property)} | ${fallback} | ${cell(property.description ?? "")} |`;
    const isSecret = property.properties !== undefined && "secret" in property.properties;
    const inner = property.properties && !isSecret ? rowsOf(property, `${path}.`) : [];
    const isNew = told.indexOf(told[position] ?? "") === position;
    const items = property.items?.properties && isNew ? rowsOf(property.items, `${path}[].`) : [];
    return [row, ...inner, ...items];
  });
}

/** More choices than these are not listed in the table of settings. */
const maxListed = 20;

function typeOf(property: Property): string {
  if (property.const !== undefined) return code(property.const);
  if (property.enum?.length === Object.keys(metrics).length) return "name of a [metric](../metrics.md)";
  if (property.enum) return property.enum.map(code).join(", ");
  if (property.anyOf)
    return [...new Set(property.anyOf.flatMap((one) => String(typeOf(one)).split(" or ")))].join(" or ");
  if (property.properties && "secret" in property.properties) return "`{ secret: NAME }`";
  if (property.type === "array" && (property.items?.enum?.length ?? 0) > maxListed) return "list of names, as below";
  if (property.type === "array") return property.items ? `list of ${typeOf(property.items)}` : "list";
  return property.type ?? "any";
}

function code(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text === "{}" || text === "[]" ? "" : `\`${cell(text)}\``;
}

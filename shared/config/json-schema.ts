/** The JSON Schema of `monitor.yaml`, by which editors complete and check it while it is written. */
import { z } from "zod";
import { ownEntry } from "../runtime/entries.ts";
import { entryName } from "./fields.ts";
import { maintenanceEntry } from "./maintenance.ts";
import { channelEntry, routeEntry } from "./notification.ts";
import {
  componentEntry,
  controlEntry,
  googleCloudEntry,
  type Kind,
  keysOf,
  outline,
  probeEntry,
  ruleEntry,
  type Vocabulary,
} from "./schema.ts";
import { templateEntry } from "./templates.ts";

/** A JSON Schema, or a part of one. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * Makes the JSON Schema (draft 7, which editors understand best) from the schemas that load the file, with every kind of the
 * vocabulary. It knows form only: references between entries, conditions and baselines are left to `validate`.
 */
export function configurationJsonSchema(vocabulary: Vocabulary): JsonSchema {
  const { parts, definitions } = convert({
    outline,
    name: entryName(),
    component: componentEntry,
    probe: probeEntry,
    control: controlEntry,
    rule: ruleEntry,
    channel: channelEntry,
    route: routeEntry,
    template: templateEntry,
    maintenance: maintenanceEntry,
    ...prefixed("probe", vocabulary.probers),
    ...prefixed("channel", vocabulary.channels),
  });
  const part = (name: string): JsonSchema => ownEntry(parts, name) ?? {};
  const named = (entry: JsonSchema): JsonSchema => ({ propertyNames: part("name"), additionalProperties: entry });
  const off = { enum: ["off", false] };
  const control = kinded("control", vocabulary.probers, part, "probe");
  const sections: Readonly<Record<string, JsonSchema>> = {
    components: named(part("component")),
    probes: named(kinded("probe", vocabulary.probers, part)),
    control: {
      anyOf: [
        off,
        control,
        {
          type: "object",
          properties: { outside: { anyOf: [off, control] }, inside: { anyOf: [off, control] } },
          additionalProperties: false,
          minProperties: 1,
        },
      ],
    },
    monitoring_rules: { items: part("rule") },
    channels: named(kinded("channel", vocabulary.channels, part)),
    routes: { items: part("route") },
    templates: { items: part("template") },
    maintenance: { items: part("maintenance") },
  };
  const top = part("outline");
  const properties = Object.entries(propertiesOf(top)).map(([key, section]) => [
    key,
    { ...section, ...ownEntry(sections, key) },
  ]);
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "monitor.yaml",
    description: "What Pathkeeper watches, when it raises the alarm, and whom it tells.",
    ...top,
    properties: Object.fromEntries(properties),
    definitions,
  };
}

/** Converts all parts at once, so that what they define for themselves gets names that differ. */
function convert(schemas: Readonly<Record<string, z.ZodType>>): {
  parts: Readonly<Record<string, JsonSchema>>;
  definitions: JsonSchema;
} {
  const whole = z.toJSONSchema(z.object(schemas), { io: "input", target: "draft-7", unrepresentable: "any" });
  return { parts: propertiesOf(whole), definitions: (whole.definitions ?? {}) as JsonSchema };
}

function prefixed(what: string, kinds: Readonly<Record<string, Kind>>): Record<string, z.ZodType> {
  return Object.fromEntries(Object.values(kinds).map(({ kind, settings }) => [`${what} ${kind}`, settings]));
}

/**
 * An entry that has the keys of its section and those of its kind, and no others.
 * @param settings under which name the settings of the kinds stand. @default that of the section
 */
function kinded(
  what: string,
  kinds: Readonly<Record<string, Kind>>,
  part: (name: string) => JsonSchema,
  settings: string = what,
): JsonSchema {
  const known = Object.values(kinds);
  const common = part(what);
  const kind = {
    ...propertiesOf(common)["kind"],
    oneOf: known.map((one) => ({ const: one.kind, description: one.title })),
  };
  return {
    type: "object",
    required: common["required"],
    properties: { kind },
    allOf: known.map((one) => {
      const own = part(`${settings} ${one.kind}`);
      return {
        if: { properties: { kind: { const: one.kind } }, required: ["kind"] },
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema, and nothing here is awaited
        then: {
          ...own,
          ...(what === "probe" ? { required: notInherited(own["required"]) } : {}),
          properties: { ...propertiesOf(common), kind: true, ...propertiesOf(own) },
        },
      };
    }),
  };
}

/** A setting that `google_cloud` may give to all probes is required in no probe. */
function notInherited(required: unknown): readonly string[] {
  const inherited = keysOf(googleCloudEntry);
  return Array.isArray(required) ? required.filter((key) => !inherited.includes(key)) : [];
}

function propertiesOf(schema: JsonSchema): Readonly<Record<string, JsonSchema>> {
  return (schema["properties"] ?? {}) as Readonly<Record<string, JsonSchema>>;
}

/** The JSON Schema of `monitor.yaml`, by which editors complete and check it while it is written. */
import { z } from "zod";
import {
  channelEntry,
  componentEntry,
  entryName,
  type Kind,
  outline,
  probeEntry,
  routeEntry,
  ruleEntry,
  type Vocabulary,
} from "./schema.ts";

/** A JSON Schema, or a part of one. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * Makes the JSON Schema (draft 7, which editors understand best) from the schemas that load the file, with every kind of the
 * vocabulary. It knows form only: references between entries, conditions and baselines are left to `validate`.
 */
export function configurationJsonSchema(vocabulary: Vocabulary): JsonSchema {
  const top = jsonSchema(outline);
  const named = (entry: JsonSchema): JsonSchema => ({
    propertyNames: jsonSchema(entryName),
    additionalProperties: entry,
  });
  const listed = (entry: JsonSchema): JsonSchema => ({ items: entry });
  const sections: Readonly<Record<string, JsonSchema>> = {
    components: named(jsonSchema(componentEntry)),
    probes: named(kinded(jsonSchema(probeEntry), vocabulary.probers)),
    monitoring_rules: listed(jsonSchema(ruleEntry)),
    channels: named(kinded(jsonSchema(channelEntry), vocabulary.channels)),
    routes: listed(jsonSchema(routeEntry)),
  };
  const properties = Object.entries(propertiesOf(top)).map(([key, section]) => [key, { ...section, ...sections[key] }]);
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "monitor.yaml",
    description: "What Pathkeeper watches, when it raises the alarm, and whom it tells.",
    ...top,
    properties: Object.fromEntries(properties),
  };
}

/** An entry that has the keys of its section and those of its kind, and no others. */
function kinded(common: JsonSchema, kinds: Readonly<Record<string, Kind>>): JsonSchema {
  const known = Object.values(kinds);
  const kind = {
    ...propertiesOf(common)["kind"],
    oneOf: known.map((one) => ({ const: one.kind, description: one.title })),
  };
  return {
    type: "object",
    required: common["required"],
    properties: { kind },
    allOf: known.map((one) => {
      const own = jsonSchema(one.settings);
      return {
        if: { properties: { kind: { const: one.kind } }, required: ["kind"] },
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema, and nothing here is awaited
        then: { ...own, properties: { ...propertiesOf(common), kind: true, ...propertiesOf(own) } },
      };
    }),
  };
}

function propertiesOf(schema: JsonSchema): Readonly<Record<string, JsonSchema>> {
  return (schema["properties"] ?? {}) as Readonly<Record<string, JsonSchema>>;
}

function jsonSchema(schema: z.ZodType): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: "input", target: "draft-7", unrepresentable: "any" });
  return rest;
}

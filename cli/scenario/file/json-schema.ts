/** The JSON Schema of a file of whole-path tests, by which editors complete and check it while it is written. */
import { z } from "zod";
import type { JsonSchema } from "../../../shared/config/json-schema.ts";
import { expectEntry, fileEntry, incidentEntry, momentEntry, testEntry } from "./format.ts";

/** Pattern of a key that is an instant or also a phase. Durations are validated fully when the tests are loaded. */
const instant = "^\\s*at\\s+\\S+\\s*$";
const time = "^\\s*(at\\s+\\S+|from\\s+\\S+(\\s+(to|for)\\s+\\S+)?)\\s*$";

/**
 * Makes the JSON Schema (draft 7, which editors understand best) from the schemas that load the file. It knows form only: sentences, series
 * and the names of probes, metrics and channels are left to `test`.
 */
export function testsJsonSchema(): JsonSchema {
  const parts = { fileEntry, testEntry, expectEntry, incidentEntry, momentEntry };
  const whole = z.toJSONSchema(z.object(parts), { io: "input", target: "draft-7", unrepresentable: "any" });
  const part = (name: keyof typeof parts): JsonSchema => propertiesOf(whole)[name] ?? {};

  const incident = { ...part("incidentEntry"), patternProperties: { [instant]: part("momentEntry") } };
  const { incidents, alerts } = propertiesOf(part("expectEntry"));
  const expectations = changed(part("expectEntry"), {
    incidents: { description: incidents?.["description"], anyOf: [{ type: "integer", minimum: 0 }, listOf(incident)] },
    alerts: { ...alerts, propertyNames: { pattern: instant } },
  });
  const { timeline, expect } = propertiesOf(part("testEntry"));
  const test = changed(part("testEntry"), {
    timeline: { ...timeline, propertyNames: { pattern: time } },
    expect: {
      description: expect?.["description"],
      anyOf: [{ const: "silence" }, { ...expectations, minProperties: 1 }],
    },
  });
  const { tests } = propertiesOf(part("fileEntry"));
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Tests of a configuration",
    description: "What happens to an environment, and what is expected of Pathkeeper: for npx --no pathkeeper test.",
    ...changed(part("fileEntry"), { tests: { ...tests, items: test } }),
    ...(whole.definitions === undefined ? {} : { definitions: whole.definitions }),
  };
}

function listOf(items: JsonSchema): JsonSchema {
  return { type: "array", items };
}

/** An object with some of its properties said more exactly. */
function changed(schema: JsonSchema, properties: Readonly<Record<string, JsonSchema>>): JsonSchema {
  return { ...schema, properties: { ...propertiesOf(schema), ...properties } };
}

function propertiesOf(schema: JsonSchema): Readonly<Record<string, JsonSchema>> {
  return (schema["properties"] ?? {}) as Readonly<Record<string, JsonSchema>>;
}

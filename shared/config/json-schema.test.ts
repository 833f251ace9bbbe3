import { describe, expect, it } from "vitest";
import { configurationJsonSchema, type JsonSchema } from "./json-schema.ts";
import { vocabulary } from "./testdata/vocabulary.ts";

const schema = configurationJsonSchema(vocabulary);

/** Returns the value at a pointer such as `properties/probes`. */
function at(pointer: string): unknown {
  return pointer.split("/").reduce<unknown>((value, key) => (value as JsonSchema | undefined)?.[key], schema);
}

describe("the JSON Schema", () => {
  it("has every section, and allows no other", () => {
    expect(Object.keys(at("properties") as JsonSchema)).toEqual([
      "environment",
      "title",
      "timezone",
      "google_cloud",
      "components",
      "probes",
      "control",
      "monitoring_rules",
      "baselines",
      "capacity",
      "recovery",
      "channels",
      "routes",
      "templates",
      "incident_url",
      "maintenance",
      "export",
      "watchdog",
      "availability",
    ]);
    expect([schema["$schema"], schema["required"], schema["additionalProperties"]]).toEqual([
      "http://json-schema.org/draft-07/schema#",
      ["environment"],
      false,
    ]);
  });

  it("knows a control probe: off, one for both vantage points, or one for each", () => {
    const [off, one, each] = at("properties/control/anyOf") as [JsonSchema, JsonSchema, JsonSchema];
    expect(off).toEqual({ enum: ["off", false] });
    expect(Object.keys((one["properties"] as JsonSchema) ?? {})).toEqual(["kind"]);
    expect(JSON.stringify(one)).not.toContain('"component"');
    expect(each).toMatchObject({ properties: { outside: { anyOf: [off, one] }, inside: {} } });
  });

  it("knows every kind, with the keys that it shares and its own", () => {
    const probe = "properties/probes/additionalProperties";
    expect(at(`${probe}/properties/kind/oneOf`)).toEqual([
      { const: "http", description: "Fetches a URL." },
      { const: "postgres", description: "Connects to a database." },
      { const: "cloud_run", description: "Reads the metrics of a service." },
    ]);
    expect(at(`${probe}/required`)).toEqual(["kind", "component"]);
    expect(at(`${probe}/allOf/0/if`)).toEqual({ properties: { kind: { const: "http" } }, required: ["kind"] });
    expect(at(`${probe}/allOf/0/then`)).toMatchObject({
      additionalProperties: false,
      required: ["url"],
      properties: {
        kind: true,
        schedule: { type: "string", default: "every 1m", examples: ["every 1m", "every 15s", "*/15 * * * *"] },
        url: { type: "string", format: "uri", description: "The address that is fetched." },
        slow: { type: "string", examples: ["10s", "5m"] },
      },
    });
    expect(at(`${probe}/allOf/2/then/required`), "what google_cloud can give is not required").toEqual(["service"]);
    expect(at("properties/channels/additionalProperties/allOf/0/then/required")).toEqual(["to"]);
  });

  it("describes every key of every section", () => {
    for (const entry of ["properties", "properties/components/additionalProperties/properties"]) {
      for (const [key, value] of Object.entries(at(entry) as JsonSchema))
        expect(value, `${entry}/${key}`).toHaveProperty("description");
    }
    for (const list of ["monitoring_rules", "routes"]) {
      for (const [key, value] of Object.entries(at(`properties/${list}/items/properties`) as JsonSchema))
        expect(value, `${list}/${key}`).toHaveProperty("description");
    }
  });

  it("resolves every reference", () => {
    const references = [...JSON.stringify(schema).matchAll(/"\$ref":"#\/([^"]*)"/g)].map(([, pointer = ""]) => pointer);
    expect(references.length).toBeGreaterThan(0);
    for (const pointer of references) expect(at(pointer), pointer).toBeTypeOf("object");
  });

  it("restricts names as loading does", () => {
    const pattern = new RegExp(String((at("properties/components/propertyNames") as JsonSchema)["pattern"]));
    expect([pattern.test("cloud-sql"), pattern.test("Cloud_SQL")]).toEqual([true, false]);
  });
});

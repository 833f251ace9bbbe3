/** The JSON Schema of test files accepts what `test` accepts, and complains of what an editor should complain of. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv, type ValidateFunction } from "ajv";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { testsJsonSchema } from "./json-schema.ts";

const validate: ValidateFunction = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(testsJsonSchema());

/** Every file of tests in the project. */
const root = join(import.meta.dirname, "../../..");
const files = [
  "examples/netra-staging/outage.test.yaml",
  "tests/simulation/outages.yaml",
  ...readdirSync(join(root, "tests/scenarios"))
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => `tests/scenarios/${name}`),
];

/** Returns the schema errors of a text, each as its position and message. */
function complaints(text: string): string[] {
  validate(parse(text));
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

/** A test in a file. */
function fileOf(test: string): string {
  return `tests:\n  - name: One\n${test.replaceAll(/^(?=.)/gm, "    ")}`;
}

describe("the JSON Schema of test files", () => {
  it.each(files)("accepts %s", (path) => {
    expect(complaints(readFileSync(join(root, path), "utf8"))).toEqual([]);
  });

  it("accepts every file of docs/testing.md", () => {
    const page = readFileSync(join(root, "docs/testing.md"), "utf8");
    const shown = [...page.matchAll(/```yaml\n(config:[\s\S]*?)```/g)].map(([, text = ""]) => text);
    expect(shown.length).toBeGreaterThan(0);
    for (const text of shown) expect(complaints(text)).toEqual([]);
  });

  it.each([
    ["a file without tests", "config: monitor.yaml", " must have required property 'tests'"],
    [
      "a key that nobody knows",
      "conf: x\ntests: [{ name: One, expect: silence }]",
      " must NOT have additional properties",
    ],
    ["a test that expects nothing", fileOf("timeline: {}"), "/tests/0 must have required property 'expect'"],
    ["an empty expectation", fileOf("expect: {}"), "/tests/0/expect must NOT have fewer than 1 properties"],
    [
      "a time that is none",
      fileOf("expect: silence\ntimeline: { after 3m: x }"),
      "/tests/0/timeline property name must be valid",
    ],
    [
      "a severity that is none",
      fileOf("expect: { incidents: [{ severity: bad }] }"),
      "/tests/0/expect/incidents/0/severity must be equal to one of the allowed values",
    ],
    [
      "a key of an incident that nobody knows",
      fileOf("expect: { incidents: [{ cause: x }] }"),
      "/tests/0/expect/incidents/0 must NOT have additional properties",
    ],
    [
      "a moment with a key of the end",
      fileOf("expect: { incidents: [{ at 3m: { title: x } }] }"),
      "/tests/0/expect/incidents/0/at 3m must NOT have additional properties",
    ],
    [
      "an event that is none",
      fileOf("expect: { notifications: { hook: [open] } }"),
      "/tests/0/expect/notifications/hook/0 must be equal to one of the allowed values",
    ],
  ])("reports %s", (_, text, complaint) => {
    expect(complaints(text)).toContain(complaint);
  });

  it("describes every key", () => {
    const undescribed: string[] = [];
    const look = (schema: unknown, path: string): void => {
      if (typeof schema !== "object" || schema === null) return;
      for (const [key, value] of Object.entries(schema)) {
        if (key === "properties")
          for (const [name, property] of Object.entries(value as Record<string, Record<string, unknown>>))
            if (property["description"] === undefined) undescribed.push(`${path}/${name}`);
        look(value, `${path}/${key}`);
      }
    };
    look(testsJsonSchema(), "");
    expect(undescribed).toEqual([]);
  });
});

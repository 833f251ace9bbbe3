import { describe, expect, it } from "vitest";
import { compile, readCompiled } from "./compile.ts";
import { loadConfiguration } from "./load.ts";
import { vocabulary } from "./testdata/vocabulary.ts";

const loaded = loadConfiguration(
  `environment: shop
components: { backend: { layer: application } }
probes: { health: { kind: http, component: backend, url: https://a.example/, expect_status: [200], alert: off } }
`,
  "monitor.yaml",
  vocabulary,
);
const configuration = "problems" in loaded ? undefined : loaded.configuration;

describe("a compiled configuration", () => {
  it("is read as loaded, and compiles to the same text each time", () => {
    if (!configuration) throw new Error("the configuration must load");
    const text = compile(configuration);
    expect(readCompiled(text)).toEqual(configuration);
    expect(compile(readCompiled(text))).toBe(text);
  });

  it.each([
    ["environment: shop", "the compiled configuration is not JSON: compile monitor.yaml again"],
    ["null", "this is not a compiled configuration: compile monitor.yaml"],
    ["[]", "this is not a compiled configuration: compile monitor.yaml"],
    ['{"version":3,"configuration":{}}', "the configuration was compiled for version 3, this is 2: compile it again"],
    [
      '{"version":2,"digest":"0","configuration":{}}',
      "the compiled configuration was altered: change monitor.yaml and compile it again",
    ],
  ])("%s is refused", (text, message) => {
    expect(() => readCompiled(text)).toThrow(message);
  });
});

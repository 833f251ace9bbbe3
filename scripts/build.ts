/**
 * `npm run build [-- --config FILE] [--out DIR] [--embedded]`: bundles the functions with their configuration, ready to be deployed.
 * Exit code 1 when the configuration is not right, with every problem of it.
 */
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { explainProblems, readConfigurationFile } from "../cli/configuration.ts";
import { deploymentOf } from "../cli/deployment/deployment.ts";
import { processTerminal, table } from "../cli/terminal/terminal.ts";
import { bundle } from "./bundle/bundle.ts";
import { functionNames } from "./bundle/names.ts";

/** What is built where no configuration is named, so that a newcomer sees it work. */
const example = "examples/netra-staging/monitor.yaml";

const { values } = parseArgs({
  options: {
    config: { type: "string", default: example },
    out: { type: "string", default: "dist" },
    embedded: { type: "boolean", default: false },
  },
});
const terminal = processTerminal();
const { text, loaded } = await readConfigurationFile(values.config);
if ("configuration" in loaded) {
  const { configuration } = loaded;
  terminal.note(`bundling for ${configuration.environment}, as ${values.config} has it`);
  const rows: string[][] = [];
  for (const name of functionNames) {
    const directory = join(values.out, name);
    const { bytes } = await bundle({ name, configuration, directory, embedded: values.embedded });
    rows.push([relative(process.cwd(), directory), `${(bytes / 1e6).toFixed(1)} MB`]);
  }
  const deployment = deploymentOf(configuration, createHash("sha256").update(text).digest("hex"));
  await writeFile(join(values.out, "deployment.json"), `${JSON.stringify(deployment, null, 2)}\n`);
  terminal.print(...table(rows));
} else {
  terminal.print(...explainProblems(loaded.problems, text, "bad", terminal));
  process.exitCode = 1;
}

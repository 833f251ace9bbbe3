/**
 * `npm run build [-- options]`: bundles the functions with their configuration, ready to be deployed.
 * Exit code 1 when the configuration is not valid, with every problem of it; 2 for wrong usage.
 */
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { type Options, type OptionValues, readArguments, WrongUsage } from "../cli/command.ts";
import { explainProblems, readConfigurationFile } from "../cli/configuration.ts";
import { deploymentOf } from "../cli/deployment/deployment.ts";
import { estimate } from "../cli/estimate/estimate.ts";
import { version } from "../cli/main.ts";
import { list } from "../cli/terminal/columns.ts";
import { optionEntries } from "../cli/terminal/help.ts";
import { processTerminal, table } from "../cli/terminal/terminal.ts";
import { bundle } from "./bundle/bundle.ts";
import { functionNames } from "./bundle/names.ts";

const options = {
  config: {
    type: "string",
    value: "FILE",
    // So that a newcomer sees it work.
    default: "examples/netra-staging/monitor.yaml",
    help: "the configuration",
  },
  out: { type: "string", value: "DIR", default: "dist", help: "the folder to write to" },
  embedded: { type: "boolean", default: false, help: "for npm start -- --bundles DIR on one machine" },
} as const satisfies Options;

const terminal = processTerminal();
const args = process.argv.slice(2);
try {
  if (args.some((argument) => argument === "--help" || argument === "-h")) {
    const usage = ["Usage: npm run build -- [options]", "", "Bundle the functions with their configuration."];
    terminal.print(...usage, "", "Options:", ...list(optionEntries(options)), "");
    terminal.print("Examples:", "  npm run build -- --config monitor.yaml");
  } else process.exitCode = await build(readArguments(args, { options }).values);
} catch (error) {
  if (!(error instanceof WrongUsage)) throw error;
  terminal.note(`build: ${error.message} (usage: npm run build -- [options])`);
  process.exitCode = 2;
}

/** @returns the exit code */
async function build({ config, out, embedded }: OptionValues<typeof options>): Promise<number> {
  const { text, loaded } = await readConfigurationFile(config);
  if ("problems" in loaded) {
    terminal.print(...explainProblems(loaded.problems, text, "bad", terminal));
    return 1;
  }
  const { configuration } = loaded;
  terminal.note(`bundling for ${configuration.environment}, as ${config} has it`);
  const rows: string[][] = [];
  for (const name of functionNames) {
    const directory = join(out, name);
    const { bytes } = await bundle({ name, configuration, directory, embedded });
    rows.push([relative(process.cwd(), directory), `${(bytes / 1e6).toFixed(1)} MB`]);
  }
  const monthly_cost = Math.round(estimate(configuration).charged * 100) / 100;
  const deployment = deploymentOf(configuration, createHash("sha256").update(text).digest("hex"));
  await writeFile(
    join(out, "deployment.json"),
    `${JSON.stringify({ ...deployment, version: version(), monthly_cost }, null, 2)}\n`,
  );
  terminal.print(...table(rows));
  return 0;
}

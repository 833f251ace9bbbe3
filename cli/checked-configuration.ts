/** The configuration of a command that works by it and cannot begin before it is right. */
import type { Configuration } from "../shared/config/model.ts";
import { program, WrongUsage } from "./command.ts";
import { keptConfiguration, readConfigurationFile, usualConfiguration } from "./configuration.ts";
import { counted } from "./terminal/terminal.ts";

/**
 * Reads a configuration that must be right.
 * @param advice what to do when it cannot be read
 * @throws WrongUsage when there is no such file, or with the first of its problems
 */
export async function checkedConfiguration(name: string, advice?: string): Promise<Configuration> {
  const { loaded } = await readConfigurationFile(name, advice);
  if ("configuration" in loaded) return loaded.configuration;
  const [first, ...others] = loaded.problems;
  const place = first === undefined ? name : `${first.file}:${first.line}:${first.column}`;
  const more =
    others.length === 0 ? "" : `; and ${counted(others.length, "problem")} more, shown by ${program} validate`;
  throw new WrongUsage(`${place}  ${first?.message ?? "invalid configuration"}${more}`);
}

/**
 * Reads the configuration of a command with `--data`: the file of `--config`, else the one that the system in `--data` runs, else `monitor.yaml`.
 * @throws WrongUsage when there is no such file, or with the first of its problems
 */
export async function configurationFor({
  config,
  data,
}: {
  config?: string | undefined;
  data?: string | undefined;
}): Promise<{ readonly file: string; readonly configuration: Configuration }> {
  if (config === undefined && data !== undefined) {
    const file = keptConfiguration(data);
    return { file, configuration: await checkedConfiguration(file, `npm start -- --data ${data} writes it`) };
  }
  const file = config ?? usualConfiguration;
  return { file, configuration: await checkedConfiguration(file) };
}

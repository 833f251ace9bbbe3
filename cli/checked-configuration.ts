/** The configuration of a command that works by it and cannot begin before it is right. */
import type { Configuration } from "../shared/config/model.ts";
import { WrongUsage } from "./command.ts";
import { readConfigurationFile } from "./configuration.ts";
import { counted } from "./terminal.ts";

/**
 * Reads a configuration that must be right.
 * @throws WrongUsage when there is no such file, or with the first of its problems
 */
export async function checkedConfiguration(name: string): Promise<Configuration> {
  const { loaded } = await readConfigurationFile(name);
  if ("configuration" in loaded) return loaded.configuration;
  const [first, ...others] = loaded.problems;
  const place = first === undefined ? name : `${first.file}:${first.line}:${first.column}`;
  const more =
    others.length === 0 ? "" : `; and ${counted(others.length, "problem")} more, which pathkeeper validate shows`;
  throw new WrongUsage(`${place}  ${first?.message ?? "the configuration is not right"}${more}`);
}

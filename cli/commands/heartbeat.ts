/** `pathkeeper heartbeat`: reports, on behalf of a job, that it ran, so that a probe of the kind heartbeat does not miss it. */

import { existsSync } from "node:fs";
import { insteadOf } from "../../shared/config/file/problems.ts";
import type { Heartbeat } from "../../shared/messages/heartbeat.ts";
import { nearest } from "../../shared/text/nearest.ts";
import { topics } from "../../shared/topology.ts";
import { type Command, defineCommand, WrongUsage } from "../command.ts";
import { keptConfiguration, readConfigurationFile, usualConfiguration } from "../configuration.ts";
import { publisherOf } from "../publisher.ts";
import { storeOptions } from "../store.ts";
import type { Terminal } from "../terminal/terminal.ts";

const { database: _, ...systemOptions } = storeOptions;

/** The command. */
export const heartbeat: Command = defineCommand({
  summary: "Report that a job ran, to the heartbeat probe that expects it",
  operand: { form: "NAME", help: "the name of the job, as set in beat of its probe" },
  options: {
    fail: { type: "string", value: "MESSAGE", help: "report that the job failed, and why" },
    ...systemOptions,
    config: {
      type: "string",
      value: "FILE",
      help: "the configuration that contains the probe of the job",
      usual: "DIR/monitor.yaml with --data DIR, else monitor.yaml if it exists",
    },
  },
  examples: [
    ["heartbeat nightly-backup --project my-project", "Report a successful backup"],
    ['heartbeat nightly-backup --project my-project --fail "disk full"', "Report a failed backup"],
  ],
  async run({ config, ...values }, terminal, [name = ""]) {
    await mustBeAwaited(name, { config, ...values }, terminal);
    const publisher = await publisherOf(values);
    const message: Heartbeat = { name, ok: values.fail === undefined, message: values.fail };
    try {
      await publisher.publish(topics.heartbeats, [{ data: message }]);
    } catch (error) {
      terminal.note(`pathkeeper heartbeat: ${(error as Error).message}`);
      return 1;
    } finally {
      await publisher.close();
    }
    terminal.print(`${name} reported ${message.ok ? "that it ran" : "a failure"}`);
    return 0;
  },
});

/**
 * Refuses a report that the evaluator would drop because no probe waits for it. Where no configuration is at hand, as on the machine of a job, nothing is
 * known of that; an invalid one says nothing either, and a report is worth more than a check.
 */
async function mustBeAwaited(
  name: string,
  { config, data }: { config?: string | undefined; data?: string | undefined },
  { note }: Pick<Terminal, "note">,
): Promise<void> {
  const usual = data === undefined ? usualConfiguration : keptConfiguration(data);
  if (config === undefined && !existsSync(usual)) return;
  const file = config ?? usual;
  const { loaded } = await readConfigurationFile(file);
  if (!("configuration" in loaded)) {
    note(`pathkeeper heartbeat: ${file} is invalid, so the name of the job was not checked`);
    return;
  }
  const known = [...new Set(loaded.configuration.probes.flatMap(({ awaits }) => awaits ?? []))];
  if (known.includes(name)) return;
  throw new WrongUsage(`${file} has no probe for the job "${name}": ${insteadOf(nearest(name, known), known, "jobs")}`);
}

/** `pathkeeper heartbeat`: reports, on behalf of a job, that it ran, so that a probe of the kind heartbeat does not miss it. */
import type { Heartbeat } from "../../shared/messages/heartbeat.ts";
import { topics } from "../../shared/topology.ts";
import { type Command, defineCommand } from "../command.ts";
import { publisherOf } from "../publisher.ts";
import { storeOptions } from "../store.ts";

const { database: _, ...systemOptions } = storeOptions;

/** The command. */
export const heartbeat: Command = defineCommand({
  summary: "Report that a job ran, to the probe of kind heartbeat that expects it",
  operand: { form: "NAME", help: "the job, as the setting beat of its probe names it" },
  options: {
    fail: { type: "string", value: "MESSAGE", help: "report that the job failed, and why" },
    ...systemOptions,
  },
  examples: [
    ["heartbeat nightly-backup --project my-project", "Report a backup that went well"],
    ['heartbeat nightly-backup --project my-project --fail "disk full"', "Report one that failed"],
  ],
  async run(values, terminal, [name = ""]) {
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

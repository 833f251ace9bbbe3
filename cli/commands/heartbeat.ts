/** `pathkeeper beat`: reports, on behalf of a job, that it ran, so that a probe of the kind heartbeat does not miss it. */
import type { Beat } from "../../shared/messages/beat.ts";
import { topics } from "../../shared/topology.ts";
import { type Command, readArguments, WrongUsage } from "../command.ts";
import { publisherOf } from "../publisher.ts";

/** The command. */
export const beat: Command = {
  summary: "report that a job ran, for the probe of the kind heartbeat that waits for it",
  usage: "beat NAME [--fail MESSAGE] [--project PROJECT | --data DIR]",
  async run(args, terminal) {
    const options = { fail: { type: "string" }, project: { type: "string" }, data: { type: "string" } } as const;
    const { values, positionals } = readArguments(args, options, true);
    const [name, ...others] = positionals;
    if (name === undefined || others.length > 0) throw new WrongUsage("one name is needed, that of the job");
    const publisher = await publisherOf(values);
    const message: Beat = { name, ok: values.fail === undefined, message: values.fail };
    try {
      await publisher.publish(topics.heartbeats, [{ data: message }]);
    } catch (error) {
      terminal.note(`pathkeeper beat: ${(error as Error).message}`);
      return 1;
    } finally {
      await publisher.close();
    }
    terminal.print(`${name} reported ${message.ok ? "that it ran" : "a failure"}`);
    return 0;
  },
};

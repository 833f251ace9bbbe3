/** `pathkeeper schema`: the JSON Schema of the configuration, for editors. */
import { configurationJsonSchema } from "../shared/config/json-schema.ts";
import { type Command, readArguments } from "./command.ts";
import { vocabulary } from "./vocabulary.ts";

/** The command. */
export const schema: Command = {
  summary: "print the JSON Schema of monitor.yaml, for editors",
  usage: "schema",
  async run(args, terminal) {
    readArguments(args, {});
    terminal.print(JSON.stringify(configurationJsonSchema(vocabulary), null, 2));
    return 0;
  },
};

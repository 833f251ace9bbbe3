/** `pathkeeper schema`: the JSON Schemas of the files that people write, for editors. */
import { configurationJsonSchema } from "../../shared/config/json-schema.ts";
import { type Command, readArguments } from "../command.ts";
import { testsJsonSchema } from "../scenario/file/json-schema.ts";
import { vocabulary } from "../vocabulary.ts";

/** The command. */
export const schema: Command = {
  summary: "print the JSON Schema of monitor.yaml, or of files of tests, for editors",
  usage: "schema [--tests]",
  async run(args, terminal) {
    const { values } = readArguments(args, { tests: { type: "boolean", default: false } });
    const made = values.tests ? testsJsonSchema() : configurationJsonSchema(vocabulary);
    terminal.print(JSON.stringify(made, null, 2));
    return 0;
  },
};

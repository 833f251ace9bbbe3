/** `pathkeeper schema`: the JSON Schemas of the files that people write, for editors. */
import { configurationJsonSchema } from "../../shared/config/json-schema.ts";
import { type Command, defineCommand } from "../command.ts";
import { testsJsonSchema } from "../scenario/file/json-schema.ts";
import { vocabulary } from "../vocabulary.ts";

/** The command. */
export const schema: Command = defineCommand({
  summary: "Print the JSON Schema of monitor.yaml, or of test files, for editors",
  options: { tests: { type: "boolean", default: false, help: "print the schema of test files instead" } },
  examples: [["schema > monitor.schema.json", "Save the schema for your editor"]],
  async run(values, terminal) {
    const made = values.tests ? testsJsonSchema() : configurationJsonSchema(vocabulary);
    terminal.print(JSON.stringify(made, null, 2));
    return 0;
  },
});

/**
 * Starts the servers of the suite until it is interrupted, and prints each as a line of JSON: the check, and the result that a monitor must
 * report. With an argument, starts only those with a matching protocol or name: `npm run conformance -- certificate`.
 */
import { Stand } from "./stand.ts";
import { suite } from "./suite.ts";

const [word = ""] = process.argv.slice(2);
const stand = new Stand();
for (const [protocol, cases] of Object.entries(suite))
  for (const { name, serve, verdict } of cases) {
    if (!`${protocol} ${name}`.toLowerCase().includes(word.toLowerCase())) continue;
    const expected = verdict === "up" ? verdict : { ...verdict, says: String(verdict.says) };
    process.stdout.write(`${JSON.stringify({ protocol, name, look: await serve(stand), expected })}\n`);
  }
process.once("SIGINT", () => void stand.stop());
process.once("SIGTERM", () => void stand.stop());

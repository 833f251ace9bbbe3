/** A process that does the work of the function, with everything that the function loads, over 10,000 series. Run by evaluate.ts. */
import "@google-cloud/functions-framework";
import "../shared/adapters/firestore.ts";
import "../shared/adapters/pubsub.ts";
import { MemoryStore } from "../shared/adapters/memory.ts";
import { environmentOf, groupOf, reportOf, start } from "./support.ts";

const size = { groups: 20, seriesEach: 500, rules: 10 };

function tell(what: string): void {
  console.log(`${what}\t${(process.memoryUsage.rss() / 1e6).toFixed(0)}`);
}

tell("loading the framework and Google's clients");
const evaluate = start(environmentOf(size), new MemoryStore());
for (const [what, firing] of [
  ["15 minutes, none firing", 0],
  ["15 minutes more, 1 % firing", 0.01],
] as const) {
  for (let round = 0; round < 15; round++) {
    for (let group = 0; group < size.groups; group++) {
      await evaluate(reportOf(groupOf(group), group, size.seriesEach, round + (firing > 0 ? 15 : 0), firing));
    }
  }
  tell(what);
}

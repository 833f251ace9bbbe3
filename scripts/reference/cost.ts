/** The page of what the monitor costs. */
import { prices } from "../../cli/estimate/prices.ts";
import { numberFormat } from "../../shared/text/formatters.ts";
import { generated } from "./markdown.ts";

/** `docs/cost.md` */
export function costPage(): string {
  const rows = Object.values(prices).map(({ unit, dollars, free, freeFor, source, asOf, from }) => {
    const bytes = /^bytes/.test(unit);
    const amount = bytes ? `${gibibytes(free)} GiB` : numberFormat("en-US").format(free);
    const price = bytes ? `$${(dollars * 1024 ** 3).toFixed(4)} a GiB` : `$${dollars.toPrecision(3)}`;
    const free_ = from === undefined ? `${amount}, for the ${freeFor}` : `not charged before ${from}`;
    return `| ${unit} | ${price} | ${free_} | [${new URL(source).hostname}](${source}) | ${asOf} |`;
  });
  return `${generated}
# Cost

\`npx --no pathkeeper cost\` estimates a month of 30 days from the configuration alone, and \`validate\` says it in one sentence. It counts what the
monitor does while all is well: runs by schedule, how long each kind of probe usually takes, messages, documents, series read from Cloud Monitoring.
An outage makes probes wait for their timeouts and costs a little more; the estimate says nothing of the watched environment itself, of which a
VPC connector, if the module makes one, is the dearest: two e2-micro instances, about $12 a month. A status page is counted with 10,000 readers a month,
each of whom is sent 50 kB; how many will come is anybody's guess, and a gibibyte that they are sent is $0.12 beyond what is free.

What is paid for is the time in which a function answers, so the pace and the slowest probe of a group decide: rounds under a minute keep a function
busy all the time (43,200 minutes a month are 2.6 million vCPU-seconds, about $58), and a journey that waits for an agent is best run every few minutes.

An interval under a minute is the most expensive setting: four probes every 15 seconds keep one instance busy for 45 seconds of every minute, about $46 a month. \`cost\` and
\`validate\` say so when one group costs more than all others together, with what a slower pace would cost. \`cost\` lists the cost of each group.

Not in the sum: prices of alerting that Cloud Monitoring has announced, and Firestore's use where another database of the project has the free quota. \`cost\` prints both.

## By hand

The example netra-staging, worked out without the program, as it is and with every probe and component ten times. Only lines that cost something after the free tiers are shown. A test
compares both with the estimate.

| use | the example | dollars | ten times | dollars |
|---|---|---|---|---|
| vCPU-seconds of probes | 43,200 × 0.95 + 43,200 × 0.65 + 8,640 × 12.15 + 2,880 × 1.65 + 90 × 361 + 486 = 211,824 | | 43,200 × (2 × 0.95 + 0.15), the rest as before = 259,344 | |
| vCPU-seconds of the evaluator | (98,730 reports + 43,200 ticks) × 0.15 = 21,290 | | (141,930 + 43,200) × 0.15 = 27,770 | |
| vCPU-seconds of the notifier | 8,640 × 0.5 + 48 = 4,368 | | 4,368 | |
| vCPU-seconds, together | 237,482 − 180,000 free | 1.38 | 291,482 − 180,000 free | 2.68 |
| jobs | 9 − 3 free | 0.60 | 9 − 3 free | 0.60 |
| time series read | 39 × 43,200 + 8 × 2,880 + 9 × 180 = 1.71 million − 1 million free | 0.35 | 17.1 million − 1 million free | 8.05 |
| custom metrics | (34 + 15) × 43,200 + (10 + 22) × 8,640 + 20,000 points × 8 bytes = 18 MiB of 150 free | 0.00 | (340 + 15) × 43,200 + (100 + 220) × 8,640 + 200,000 points = 140 MiB of 150 free | 0.00 |
| secret versions | 9 − 6 free | 0.18 | 9 − 6 free | 0.18 |
| accesses to secrets | 9 × 8,640 − 10,000 free | 0.20 | the same | 0.20 |
| images | 4 functions × 2 × 160 MiB − 0.5 GiB free | 0.08 | the same | 0.08 |
| sent to the internet | 593,460 runs × 3 kB − 1 GiB free | 0.08 | 5.93 million runs × 3 kB − 1 GiB free | 1.87 |
| status pages written | 17,472 − 5,000 free | 0.06 | the same | 0.06 |
| **together** | | **2.93** | | **13.72** |

## Prices

List prices of us-central1 in US dollars. Free amounts are those of a month, and shared with everything else of the same billing account or project.

| unit | price | free | source | as of |
|---|---|---|---|---|
${rows.join("\n")}
`;
}

function gibibytes(bytes: number): string {
  return numberFormat("en-US", { maximumFractionDigits: 2 }).format(bytes / 1024 ** 3);
}

/** The page on the cost of the monitor. */
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

\`npx --no pathkeeper cost\` estimates the cost of a 30-day month from the configuration alone, and \`validate\` states the total in one sentence. The estimate
covers normal operation: scheduled runs, the usual duration of each kind of probe, messages, documents, and series read from Cloud Monitoring. During an outage,
probes wait for their timeouts, which costs a little more. The watched environment itself is not included. Its most expensive part is a VPC connector, if the
module creates one: two e2-micro instances, about $12 a month. The estimate assumes that a status page has 10,000 readers a month and sends 50 kB to each. The
actual number may differ; each gibibyte beyond the free amount costs $0.12.

Google charges for the time in which a function handles requests, so the interval and the slowest probe of a group determine the cost. Rounds under a minute keep
a function busy all the time (43,200 minutes a month are 2.6 million vCPU-seconds, about $58). Run a journey that waits for an agent only every few minutes.

An interval under a minute is the most expensive setting: four probes every 15 seconds keep one instance busy for 45 seconds of every minute, about $46 a month.
If one group costs more than all others together, \`cost\` and \`validate\` report it, with the cost at a longer interval. \`cost\` lists the cost of each group.

The total excludes two items, which \`cost\` prints separately: the prices for alerting that Cloud Monitoring has announced, and the use of Firestore if another
database of the project has the free quota.

## By hand

This table calculates the cost of the example netra-staging by hand, once as it is and once with ten copies of every probe and component. It shows only the lines that cost something after
the free tiers. A test compares both with the estimate.

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

These are list prices for us-central1 in US dollars. Free amounts are per month, and are shared with all other use of the same billing account or project.

| unit | price | free | source | as of |
|---|---|---|---|---|
${rows.join("\n")}
`;
}

function gibibytes(bytes: number): string {
  return numberFormat("en-US", { maximumFractionDigits: 2 }).format(bytes / 1024 ** 3);
}

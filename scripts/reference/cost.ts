/** The page of what the monitor costs. */
import { prices } from "../../cli/estimate/prices.ts";
import { numberFormat } from "../../shared/text/formatters.ts";
import { generated } from "./markdown.ts";

/** `docs/cost.md` */
export function costPage(): string {
  const rows = Object.values(prices).map(({ unit, dollars, free, freeFor, source, asOf }) => {
    const bytes = /^bytes/.test(unit);
    const amount = bytes ? `${gibibytes(free)} GiB` : numberFormat("en-US").format(free);
    const price = bytes ? `$${(dollars * 1024 ** 3).toFixed(4)} a GiB` : `$${dollars.toPrecision(3)}`;
    return `| ${unit} | ${price} | ${amount}, for the ${freeFor} | [${new URL(source).hostname}](${source}) | ${asOf} |`;
  });
  return `${generated}
# Cost

\`npx --no pathkeeper cost\` estimates a month of 30 days from the configuration alone, and \`validate\` says it in one sentence. It counts what the
monitor does while all is well: runs by schedule, how long each kind of probe usually takes, messages, documents, series read from Cloud Monitoring.
An outage makes probes wait for their time-outs and costs a little more; the estimate says nothing of the watched environment itself, of which a
VPC connector, if the module makes one, is the dearest: two e2-micro instances, about $12 a month. A status page is counted with 10,000 readers a month,
each of whom is sent 50 kB; how many will come is anybody's guess, and a gibibyte that they are sent is $0.12 beyond what is free.

What is paid for is the time in which a function answers, so the pace and the slowest probe of a group decide: rounds under a minute keep a function
busy all the time (43,200 minutes a month are 2.6 million vCPU-seconds, about $58), and a journey that waits for an agent is best run every few minutes.

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

/** `pathkeeper cost`: what the monitor will cost in a month, by service, from the configuration alone. */
import { numberFormat } from "../../shared/text/formatters.ts";
import { checkedConfiguration } from "../checked-configuration.ts";
import { type Command, defineCommand, program } from "../command.ts";
import { configOperand, configOption, namedConfiguration, usualConfiguration } from "../configuration.ts";
import { type CostLine, type Estimate, estimate } from "../estimate/estimate.ts";
import { type Terminal, table } from "../terminal/terminal.ts";

/** The command. */
export const cost: Command = defineCommand({
  summary: "Estimate the monthly cost of the monitor by service, at list price and after the free tiers",
  operand: configOperand,
  options: { ...configOption, json: { type: "boolean", default: false, help: "print the estimate as JSON" } },
  examples: [["cost production.yaml", "Estimate the cost of a configuration before it is deployed"]],
  async run(values, terminal, operands) {
    const file = namedConfiguration(values.config, operands) ?? usualConfiguration;
    const made = estimate(await checkedConfiguration(file));
    if (values.json) terminal.print(JSON.stringify(made, null, 2));
    else terminal.print(...costLines(made, terminal));
    return 0;
  },
});

/** The estimate as a table, with what it rests on. */
export function costLines(made: Estimate, { paint }: Pick<Terminal, "paint">): string[] {
  const head = ["service", "a month", "", "list price", "after free tiers"].map((cell) => paint("faint", cell));
  const current = made.lines.filter(({ from }) => from === undefined);
  const rows = current.map((line, index) => [
    line.service === current[index - 1]?.service ? "" : line.service,
    amountOf(line),
    line.unit.replace(/^bytes of |^bytes /, ""),
    dollars(line.list),
    dollars(line.charged),
  ]);
  const sum = ["together", "", "", dollars(made.list), dollars(made.charged)].map((cell) => paint("strong", cell));
  const groups = made.groups.map(({ group, schedule, probes, list }) => [
    group,
    schedule,
    counted(probes),
    dollars(list),
  ]);
  const groupHead = ["group", "runs", "probes", "list price"].map((cell) => paint("faint", cell));
  return [
    ...table([head, ...rows, sum]),
    "",
    ...table([groupHead, ...groups]),
    ...made.advice.flatMap((advice) => ["", `${paint("warning", "note")}  ${advice}`]),
    "",
    ...footnotes(made),
  ];
}

/** The estimate in one sentence. */
export function costSentence(made: Estimate): string {
  return `about ${dollars(made.charged)} a month after the free tiers, ${dollars(made.list)} without; ${program} cost has it by service`;
}

function footnotes({ alternative, lines, withoutDatabaseQuota }: Estimate): string[] {
  const announced = lines.filter(({ from }) => from !== undefined);
  const later = announced.reduce((total, { list }) => total + list, 0);
  return [
    "US dollars, list prices of us-central1, 30 days without incidents; docs/cost.md lists the source of each figure.",
    "Free tiers apply per billing account or project, and are shared with its other workloads.",
    `Firestore's free quota applies to one database per project: if another database uses it, add ${dollars(withoutDatabaseQuota)}.`,
    `Cloud Monitoring has announced charges for alerting from ${announced[0]?.from} at the earliest: add about ${dollars(later)} for the alarms of the module.`,
    `The same coverage with Cloud Monitoring's own checks: ${dollars(alternative.charged)} a month (${counted(alternative.syntheticRuns)} runs of synthetic monitors, ${counted(alternative.uptimeRuns)} of uptime checks).`,
  ];
}

function amountOf({ unit, amount }: CostLine): string {
  if (!unit.startsWith("bytes")) return counted(amount);
  const gibibytes = amount / 1024 ** 3;
  return gibibytes >= 1 ? `${gibibytes.toFixed(1)} GiB` : `${Math.ceil(gibibytes * 1024)} MiB`;
}

function counted(amount: number): string {
  return numberFormat("en-US").format(Math.round(amount));
}

function dollars(amount: number): string {
  return `$${amount.toFixed(2)}`;
}

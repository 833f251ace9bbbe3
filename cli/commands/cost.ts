/** `pathkeeper cost`: what the monitor will cost in a month, by service, from the configuration alone. */
import { numberFormat } from "../../shared/text/formatters.ts";
import { checkedConfiguration } from "../checked-configuration.ts";
import { type Command, defineCommand, program } from "../command.ts";
import { configOperand, configOption, namedConfiguration, usualConfiguration } from "../configuration.ts";
import { type CostLine, type Estimate, estimate } from "../estimate/estimate.ts";
import { type Terminal, table } from "../terminal/terminal.ts";

/** The command. */
export const cost: Command = defineCommand({
  summary: "Estimate what the monitor costs in a month, by service, at list price and after the free tiers",
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
  const head = ["service", "a month", "", "list price", "after what is free"].map((cell) => paint("faint", cell));
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
    ...made.advice.flatMap((advice) => ["", `${paint("doubtful", "note")}  ${advice}`]),
    "",
    ...footnotes(made),
  ];
}

/** The estimate in one sentence. */
export function costSentence(made: Estimate): string {
  return `about ${dollars(made.charged)} a month after what is free, ${dollars(made.list)} without; ${program} cost has it by service`;
}

function footnotes({ alternative, lines, withoutDatabaseQuota }: Estimate): string[] {
  const announced = lines.filter(({ from }) => from !== undefined);
  const later = announced.reduce((total, { list }) => total + list, 0);
  return [
    "US dollars, list prices of us-central1, 30 days, while all is well; docs/cost.md has the source of each figure.",
    "What is free belongs to the billing account or the project: it is less where others use it too.",
    `Firestore's free quota is for one database of a project: where another has it, ${dollars(withoutDatabaseQuota)} more.`,
    `Cloud Monitoring has announced prices for alerting from ${announced[0]?.from} at the earliest: about ${dollars(later)} more for the alarms of the module.`,
    `The same watch with Cloud Monitoring's own checks: ${dollars(alternative.charged)} a month (${counted(alternative.syntheticRuns)} runs of synthetic monitors, ${counted(alternative.uptimeRuns)} of uptime checks).`,
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

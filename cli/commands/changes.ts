/** `pathkeeper changes`: what was changed in the environment lately, and `changes report`, by which a pipeline says what it has changed. */
import { existsSync } from "node:fs";
import type { Change } from "../../functions/evaluate/cause/knowledge/changes.ts";
import { changesOf } from "../../functions/evaluate/cause/knowledge/changes.ts";
import { readEnvironment } from "../../functions/evaluate/commit/incidents.ts";
import { insteadOf } from "../../shared/config/file/problems.ts";
import type { Configuration } from "../../shared/config/model.ts";
import type { ChangeReport } from "../../shared/messages/change.ts";
import type { ProbeResult } from "../../shared/messages/report.ts";
import { StoreError } from "../../shared/ports.ts";
import { nearest } from "../../shared/text/nearest.ts";
import { parseDuration, spokenDuration } from "../../shared/text/units.ts";
import { topics } from "../../shared/topology.ts";
import { checkedConfiguration } from "../checked-configuration.ts";
import { type Command, defineCommand, WrongUsage } from "../command.ts";
import { configOption, keptConfiguration, namedConfiguration, usualConfiguration } from "../configuration.ts";
import { runLocally } from "../local-probes.ts";
import { secretsFrom, secretsOption } from "../places.ts";
import { publisherOf } from "../publisher.ts";
import { storeOf, storeOptions } from "../store.ts";
import { failureSentence } from "../terminal/results.ts";
import { type Terminal, table } from "../terminal/terminal.ts";

interface Values {
  readonly config?: string | undefined;
  readonly secrets?: string | undefined;
  readonly project?: string | undefined;
  readonly data?: string | undefined;
}

/** The command. */
export const changes: Command = defineCommand({
  summary: "Show recent changes, or report a change",
  operand: {
    form: "[report COMPONENT WHAT...]",
    help: "report a change to a component, such as a release (without it, changes are shown)",
  },
  options: {
    since: { type: "string", value: "TIME", default: "2h", help: "how far back changes are shown" },
    ...configOption,
    ...secretsOption,
    ...storeOptions,
    at: { type: "string", value: "INSTANT", help: "when the reported change was made", usual: "now" },
    by: { type: "string", value: "NAME", help: "who or what made the reported change" },
    link: { type: "string", value: "URL", help: "a URL with details of the reported change" },
    json: { type: "boolean", default: false, help: "print the changes as JSON" },
  },
  examples: [
    ["changes --since 2h", "Show the audit-log changes of the last two hours"],
    ["changes --data ./watch", "Also show changes that were reported to the system on this machine"],
    ['changes report backend "released 1.4.2" --project my-project', "Report a release from a pipeline"],
  ],
  async run(values, terminal, [action, component, ...words]) {
    if (action === undefined) return await show(values, terminal);
    if (action !== "report" && component === undefined && existsSync(action))
      return await show({ ...values, config: namedConfiguration(values.config, [action]) }, terminal);
    if (action !== "report")
      throw new WrongUsage(`unexpected argument "${action}": write report COMPONENT WHAT, or nothing`);
    if (component === undefined || words.length === 0)
      throw new WrongUsage(
        'report needs a component and what was changed, for example: report backend "released 1.4.2"',
      );
    return await report({ ...values, component, what: words.join(" ") }, terminal);
  },
});

async function report(
  {
    component,
    what,
    at,
    by,
    link,
    ...values
  }: Values & Pick<ChangeReport, "component" | "what" | "at" | "by" | "link">,
  terminal: Terminal,
): Promise<number> {
  if (at !== undefined && Number.isNaN(Date.parse(at)))
    throw new WrongUsage(`--at ${at} is an invalid time: use RFC 3339, for example 2025-09-16T12:00:00Z`);
  if (link !== undefined && !/^https?:\/\/\S+$/.test(link))
    throw new WrongUsage(`--link ${link} is an invalid URL: use one that starts with https://`);
  await mustExist(component, values);
  const message: Omit<ChangeReport, "kind"> = {
    component,
    what,
    ...(at === undefined ? {} : { at: new Date(at).toISOString() }),
    ...(by === undefined ? {} : { by }),
    ...(link === undefined ? {} : { link }),
  };
  const publisher = await publisherOf(values);
  try {
    await publisher.publish(topics.changes, [{ data: message }]);
  } catch (error) {
    terminal.note(`pathkeeper changes: ${(error as Error).message}`);
    return 1;
  } finally {
    await publisher.close();
  }
  terminal.print(`reported: ${component} ${what}`);
  return 0;
}

/** The file of the configuration, whether or not there is one: that of `--config`, else of the system in `--data`, else of this folder. */
function fileOf({ config, data }: Values): string {
  return config ?? (data === undefined ? usualConfiguration : keptConfiguration(data));
}

/** Refuses a component that there is not, where the configuration is at hand; a pipeline may not have it. */
async function mustExist(component: string, values: Values): Promise<void> {
  const file = fileOf(values);
  if (values.config === undefined && !existsSync(file)) return;
  const names = (await checkedConfiguration(file)).components.map(({ name }) => name);
  if (!names.includes(component))
    throw new WrongUsage(
      `unknown component "${component}": ${insteadOf(nearest(component, names), names, "components")}`,
    );
}

async function show(
  { since, json, ...values }: Values & { readonly since: string; readonly json: boolean },
  terminal: Terminal,
): Promise<number> {
  const lookback = parseDuration(since);
  if (lookback === undefined || lookback <= 0)
    throw new WrongUsage(`--since ${since} is an invalid duration: use a value such as 30m or 2h`);
  const knowsStore = values.project !== undefined || values.data !== undefined;
  const file = fileOf(values);
  const configuration =
    knowsStore && values.config === undefined && !existsSync(file) ? undefined : await checkedConfiguration(file);
  const reading = configuration === undefined ? [] : configuration.probes.filter(readsChanges);
  if (reading.length === 0 && !knowsStore)
    throw new WrongUsage(
      `${file} has no probe of kind audit_logs, which reads changes: add one, or name the monitor with --project or --data`,
    );
  const from = Date.now() - lookback;
  const results = configuration === undefined ? [] : await readBy(configuration, reading, since, values);
  try {
    const found = [
      ...results.flatMap((result) => changesOf(result) ?? []),
      ...(knowsStore ? await reportedTo(values) : []),
    ];
    const shown = [...new Map(found.map((change) => [change.id, change])).values()]
      .filter(({ at, elsewhere }) => at >= from && elsewhere !== true)
      .sort((a, b) => b.at - a.at);
    if (json)
      terminal.print(
        JSON.stringify(
          shown.map((change) => ({ ...change, at: new Date(change.at).toISOString() })),
          null,
          2,
        ),
      );
    else print(shown, results.some(isUnread) ? undefined : lookback, terminal);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    terminal.note(`pathkeeper changes: the reported changes cannot be read: ${error.message}`);
    return 1;
  }
  const problems = results.flatMap((result) => [
    ...(result.success ? [] : [failureSentence(result)]),
    ...(result.unchecked ?? []).map(({ explanation }) => explanation),
  ]);
  for (const problem of problems) terminal.note(`pathkeeper changes: ${problem}`);
  return problems.length > 0 ? 1 : 0;
}

function readsChanges({ yields = [] }: Configuration["probes"][number]): boolean {
  return yields.some(({ metric }) => metric === "recent_changes");
}

async function readBy(
  configuration: Configuration,
  probes: Configuration["probes"],
  lookback: string,
  values: Values,
): Promise<readonly ProbeResult[]> {
  const reports = await runLocally({
    configuration,
    probes: probes.map((probe) => ({ ...probe, settings: { ...probe.settings, lookback } })),
    secrets: await secretsFrom({ ...values, config: fileOf(values) }),
    system: values,
    trigger: "diagnosis",
    group: (vantage) => `${vantage}-diagnosis`,
  });
  return reports.flatMap(({ results }) => results);
}

async function reportedTo(values: Values): Promise<readonly Change[]> {
  const store = await storeOf(values);
  try {
    return (await readEnvironment(store)).changes ?? [];
  } finally {
    await store.close();
  }
}

/** Returns true if a probe could not read the changes. */
function isUnread({ success, changes }: ProbeResult): boolean {
  return !success || changes === undefined;
}

/** @param lookback how long nothing was changed where nothing is shown; absent where that is not known */
function print(shown: readonly Change[], lookback: number | undefined, terminal: Terminal): void {
  if (shown.length === 0) {
    if (lookback !== undefined) terminal.print(`No changes in the last ${spokenDuration(lookback)}.`);
    return;
  }
  const rows = shown.map(({ at, components, what, resource, by }) => [
    `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC`,
    terminal.paint("strong", components.length === 0 ? "-" : components.join(", ")),
    `${what}${resource === undefined || what.includes(resource) ? "" : ` (${resource})`}${by === undefined ? "" : `, by ${by}`}`,
  ]);
  terminal.print(...table(rows));
}

/** `pathkeeper validate`: every problem of a configuration with its place, or what it will do and when. */
import { capacitySums } from "../../shared/config/capacity.ts";
import type { Configuration } from "../../shared/config/model.ts";
import { type ResolvedRole, roleOfLayer } from "../../shared/config/roles.ts";
import { nextTrigger, triggerCron } from "../../shared/config/schedule.ts";
import { nextPeriods } from "../../shared/maintenance.ts";
import type { Vantage } from "../../shared/messages/report.ts";
import { dateFormat } from "../../shared/text/formatters.ts";
import { type Command, defineCommand } from "../command.ts";
import {
  configOperand,
  configOption,
  explainProblems,
  keptConfiguration,
  namedConfiguration,
  readConfigurationFile,
  usualConfiguration,
} from "../configuration.ts";
import { estimate } from "../estimate/estimate.ts";
import { secretsFrom } from "../places.ts";
import { type CheckedSecret, checkedSecrets } from "../secret-check.ts";
import { counted, type Terminal, table } from "../terminal/terminal.ts";
import { costSentence } from "./cost.ts";

/** The command. */
export const validate: Command = defineCommand({
  summary: "Check a configuration: list every problem with line and column, or show the schedules and the monthly cost",
  operand: configOperand,
  options: {
    ...configOption,
    secrets: { type: "boolean", default: false, help: "also list the secrets that cannot be read on this machine" },
    data: { type: "string", value: "DIR", help: "the data folder of npm start -- --data DIR on this machine" },
    json: {
      type: "boolean",
      default: false,
      help: "print problems, warnings, roles, schedules, maintenance windows and cost as JSON",
    },
  },
  examples: [
    ["validate", "Check monitor.yaml in the current folder"],
    ["validate --secrets", "Also check that every secret can be read"],
    ["validate production.yaml --json", "Check another file and print JSON"],
  ],
  async run(values, terminal, operands) {
    const { data } = values;
    const usual = data === undefined ? usualConfiguration : keptConfiguration(data);
    const named = namedConfiguration(values.config, operands) ?? usual;
    const { file, text, loaded } = await readConfigurationFile(named);
    const secrets =
      values.secrets && "configuration" in loaded
        ? await checkedSecrets(loaded.configuration, await secretsFrom({ config: file, data }))
        : undefined;
    const missing = (secrets ?? []).filter(({ reason }) => reason !== undefined);
    const problems = "problems" in loaded ? loaded.problems : [];
    const now = Date.now();
    const maintenance = "configuration" in loaded ? windowsOf(loaded.configuration, now) : [];
    const schedules = "configuration" in loaded ? schedulesOf(loaded.configuration, now) : [];
    if (values.json) {
      const { warnings } = loaded;
      const made =
        "configuration" in loaded ? { roles: rolesOf(loaded.configuration), cost: estimate(loaded.configuration) } : {};
      terminal.print(
        JSON.stringify(
          {
            ok: problems.length === 0 && missing.length === 0,
            problems,
            warnings,
            schedules,
            maintenance,
            ...made,
            ...(secrets === undefined ? {} : { secrets }),
          },
          null,
          2,
        ),
      );
      return problems.length === 0 && missing.length === 0 ? 0 : 1;
    }
    terminal.print(...explainProblems(problems, text, "bad", terminal));
    terminal.print(...explainProblems(loaded.warnings, text, "warning", terminal));
    if ("configuration" in loaded) describe(loaded.configuration, file, schedules, maintenance, terminal);
    if (secrets !== undefined) terminal.print(...secretLines(secrets, terminal));
    terminal.print(verdict(problems.length, loaded.warnings.length, file, terminal));
    return problems.length === 0 && missing.length === 0 ? 0 : 1;
  },
});

/** Each secret that cannot be read here, with who needs it and where it is looked for, and how many can. */
function secretLines(secrets: readonly CheckedSecret[], { paint }: Pick<Terminal, "paint">): string[] {
  if (secrets.length === 0) return ["  no secrets are needed", ""];
  const missing = secrets.filter(({ reason }) => reason !== undefined);
  return [
    ...missing.map(({ used_by, reason }) => `  ${paint("bad", reason ?? "")} (needed by ${used_by.join(", ")})`),
    `  ${secrets.length - missing.length} of ${counted(secrets.length, "secret")} can be read here`,
    "",
  ];
}

/** Returns the role of each component, by its name. */
function rolesOf({ components }: Configuration): Record<string, ResolvedRole> {
  return Object.fromEntries(components.map(({ name, layer, role }) => [name, role ?? roleOfLayer(layer)]));
}

/** One probe group and when it runs next. */
export interface Schedule {
  readonly group: string;
  readonly vantage: Vantage;
  /** As written in the file. */
  readonly schedule: string;
  /** When Cloud Scheduler triggers it, in UTC. Intervals under a minute run as rounds inside one triggered minute. */
  readonly cron: string;
  /** RFC 3339; `null` for a schedule that never comes. */
  readonly next: string | null;
  readonly probes: readonly string[];
}

/** The groups of a configuration, in the order of its probes. */
export function schedulesOf(configuration: Configuration, now: number): Schedule[] {
  return [...Map.groupBy(configuration.probes, (probe) => probe.group)].flatMap(([group, probes]) => {
    const [first] = probes;
    if (!first) return [];
    const { vantage, schedule } = first;
    const next = nextTrigger(schedule, now);
    const names = probes.map((probe) => probe.name);
    const at = next === undefined ? null : new Date(next).toISOString();
    return [{ group, vantage, schedule, cron: triggerCron(schedule), next: at, probes: names }];
  });
}

/** One maintenance window and when it comes next. */
export interface Window {
  readonly name: string;
  /** Absent for all. */
  readonly components?: readonly string[];
  /** The next three times, one that is running included; RFC 3339. Empty for what is over. */
  readonly next: readonly { readonly from: string; readonly to: string }[];
}

/** The maintenance windows of a configuration, in its order. */
export function windowsOf({ maintenance = [] }: Configuration, now: number): Window[] {
  return maintenance.map((window) => ({
    name: window.name,
    ...(window.components === undefined ? {} : { components: window.components }),
    next: nextPeriods(window, now, 3).map(({ from, to }) => ({
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
    })),
  }));
}

function windowRows(windows: readonly Window[], timezone: string | undefined, paint: Terminal["paint"]): string[][] {
  const range = ({ from, to }: { from: string; to: string }, zone: string): string => {
    const [begin, end] = [wallTime(from, zone), wallTime(to, zone)];
    return `${begin} - ${end.slice(0, 10) === begin.slice(0, 10) ? end.slice(11) : end}`;
  };
  const head = ["maintenance", "next times, UTC", ...(timezone === undefined ? [] : [timezone]), "components"];
  const rows = windows.flatMap(({ name, components, next }) => {
    const what = components?.join(", ") ?? "all";
    if (next.length === 0) return [[name, "over", ...(timezone === undefined ? [] : [""]), what]];
    return next.map((period, index) => [
      index === 0 ? name : "",
      range(period, "Etc/UTC"),
      ...(timezone === undefined ? [] : [range(period, timezone)]),
      index === 0 ? what : "",
    ]);
  });
  return [head.map((cell) => paint("faint", cell)), ...rows];
}

function describe(
  configuration: Configuration,
  file: string,
  schedules: readonly Schedule[],
  maintenance: readonly Window[],
  { print, paint }: Terminal,
): void {
  const { environment, title, timezone, components, probes, rules, baselines, recovery, channels, routes } =
    configuration;
  const contents = [
    counted(components.length, "component"),
    counted(probes.length, "probe"),
    counted(rules.length, "rule"),
    counted(baselines.length, "baseline"),
    counted(recovery.stages.length, "recovery stage"),
    counted(channels.length, "channel"),
    counted(routes.length, "route"),
  ];
  print(`${paint("strong", title)} (${environment}) from ${file}`, `  ${contents.join(", ")}`, "");
  const roles = Object.entries(rolesOf(configuration)).map(([name, role]) => [
    name,
    role === "unknown" ? paint("warning", role) : role,
  ]);
  if (roles.length > 0) print(...table([["component", "role"].map((cell) => paint("faint", cell)), ...roles]), "");
  const sums = capacitySums(configuration);
  if (sums.length > 0)
    print(...sums.map(({ text, demand, limit }) => `  ${text}: ${demand > limit ? "too much" : "it fits"}`), "");
  if (schedules.length === 0) return;
  const isLocal = !/^(Etc\/)?(UTC|GMT|Universal|Zulu)$/.test(timezone);
  const head = ["group", "schedule", "next run, UTC", ...(isLocal ? [timezone] : []), "probes"];
  const rows = schedules.map(({ group, schedule, next, probes: names }) => [
    group,
    schedule,
    wallTime(next, "Etc/UTC"),
    ...(isLocal ? [wallTime(next, timezone)] : []),
    names.join(", "),
  ]);
  print(...table([head.map((cell) => paint("faint", cell)), ...rows]), "");
  if (maintenance.length > 0) print(...table(windowRows(maintenance, isLocal ? timezone : undefined, paint)), "");
  const made = estimate(configuration);
  print(
    `  costs ${costSentence(made)}`,
    ...made.advice.map((advice) => `  ${paint("warning", "note")}  ${advice}`),
    "",
  );
}

/** `2025-09-16 14:05`, as a clock on the wall of that zone shows it. */
function wallTime(instant: string | null, timeZone: string): string {
  if (instant === null) return "never";
  // Swedish writes date and time in the order of ISO 8601.
  const clock = dateFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "short" });
  return clock.format(new Date(instant));
}

function verdict(problems: number, warnings: number, file: string, { paint }: Terminal): string {
  const warned = warnings === 0 ? "" : paint("warning", `, ${counted(warnings, "warning")}`);
  if (problems > 0) return `${paint("bad", `${counted(problems, "problem")} in ${file}`)}${warned}`;
  return `${paint("good", `${file} is valid`)}${warned}`;
}

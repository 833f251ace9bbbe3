/** `pathkeeper rehearse`: proves a plan of Terraform before it is applied. */

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { text as readAll } from "node:stream/consumers";
import { isDeepStrictEqual } from "node:util";
import { ownEntry } from "../../shared/runtime/entries.ts";
import { type Command, defineCommand, program, WrongUsage } from "../command.ts";
import { readConfigurationFile } from "../configuration.ts";
import { deploymentOf } from "../deployment/deployment.ts";
import type { Finding } from "../rehearse/need.ts";
import { NoPlan, type PlannedMonitor, readPlan } from "../rehearse/plan.ts";
import { type Rehearsal, rehearse as rehearsalOf } from "../rehearse/rehearse.ts";
import { counted, type Style, type Terminal } from "../terminal/terminal.ts";

/** The command. */
export const rehearse: Command = defineCommand({
  summary:
    "Check a Terraform plan: every connection from schedule to alarm, missing and excess grants, and what Google would reject",
  operand: { form: "[PLAN.json]", help: "the output of `terraform show -json PLAN` (default: standard input)" },
  options: {
    config: {
      type: "string",
      value: "FILE",
      help: "also compare the plan with this configuration",
      usual: "the configuration the plan was built from",
    },
    json: { type: "boolean", default: false, help: "print the findings as JSON" },
  },
  input: "< plan.json",
  examples: [
    ["rehearse plan.json", "Show what the plan lacks, with the Terraform to add"],
    [
      "rehearse --config monitor.yaml plan.json",
      "Also find bundles that were built from another configuration or version",
    ],
  ],
  async run(values, terminal, operands) {
    const [file] = operands;
    const monitors = read(await textOf(file));
    const outdated =
      values.config === undefined
        ? []
        : await Promise.all(monitors.map((monitor) => outdatedBundles(monitor, values.config ?? "")));
    const rehearsals = monitors.map((monitor, at): Rehearsal => {
      const made = rehearsalOf(monitor, monitors);
      return { ...made, findings: [...(outdated[at] ?? []), ...made.findings] };
    });
    if (values.json) terminal.print(JSON.stringify({ monitors: rehearsals }, null, 2));
    else terminal.print(...rehearsals.flatMap((made) => lines(made, terminal)));
    return rehearsals.some(({ findings }) => findings.some(({ level }) => level === "error")) ? 1 : 0;
  },
});

async function textOf(file: string | undefined): Promise<string> {
  if (file !== undefined) {
    try {
      return await readFile(file, "utf8");
    } catch (error) {
      throw new WrongUsage(`cannot read ${file}: ${(error as Error).message}`, { cause: error });
    }
  }
  if (process.stdin.isTTY)
    throw new WrongUsage("no plan: specify a file, or pipe terraform show -json PLAN into the command");
  return readAll(process.stdin);
}

function read(text: string): PlannedMonitor[] {
  try {
    return readPlan(text);
  } catch (error) {
    if (error instanceof NoPlan) throw new WrongUsage(error.message, { cause: error });
    throw error;
  }
}

/** A plan whose bundles were built from another configuration, or by another version. */
async function outdatedBundles({ deployment: planned }: PlannedMonitor, config: string): Promise<Finding[]> {
  const { monthly_cost: _estimated, version: _built, ...deployment } = planned;
  const { text, loaded } = await readConfigurationFile(config);
  if (!("configuration" in loaded))
    throw new WrongUsage(`${config} is invalid: ${program} validate ${config} shows why`);
  const wanted = deploymentOf(loaded.configuration, createHash("sha256").update(text).digest("hex"));
  const built: unknown = JSON.parse(JSON.stringify(wanted));
  if (
    loaded.configuration.environment !== deployment.environment ||
    isDeepStrictEqual(built, withoutNulls(deployment, built))
  )
    return [];
  return [
    {
      level: "error",
      address: "deployment.json",
      says: `was built from another configuration than ${config}, or by another version of pathkeeper`,
      write: `# npm run build -- --config ${config}, then plan again`,
    },
  ];
}

/** Terraform gives a list of objects one type, so that what one lacks is null. */
function withoutNulls(value: unknown, like: unknown): unknown {
  if (Array.isArray(value))
    return value.map((each, at) => withoutNulls(each, Array.isArray(like) ? like[at] : undefined));
  if (typeof value !== "object" || value === null) return value;
  const known = (like ?? {}) as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, each]) => each !== null || ownEntry(known, key) !== undefined)
      .map(([key, each]) => [key, withoutNulls(each, ownEntry(known, key))]),
  );
}

const words: Readonly<Record<Finding["level"], readonly [string, Style]>> = {
  error: ["error", "bad"],
  warning: ["warning", "warning"],
  open: ["after the apply", "faint"],
};

function lines(
  { module, environment, resources, requirements, findings }: Rehearsal,
  { paint }: Pick<Terminal, "paint">,
): string[] {
  const errors = findings.filter(({ level }) => level === "error").length;
  const head = `${environment}${module === "" ? "" : ` (${module})`}: ${counted(resources, "resource")}, ${counted(requirements, "requirement")}`;
  const verdict =
    errors === 0
      ? paint("good", "the plan is valid")
      : paint("bad", `${counted(errors, "error")}: do not apply this plan`);
  return [
    `${head}: ${verdict}`,
    ...findings.flatMap(({ level, address, says, write, source }) => {
      const [word, style] = words[level];
      return [
        "",
        `${paint(style, word)}  ${paint("strong", address)} ${says}`,
        ...(write === undefined ? [] : write.split("\n").map((line) => `    ${line}`)),
        ...(source === undefined ? [] : [paint("faint", `    ${source}`)]),
      ];
    }),
  ];
}

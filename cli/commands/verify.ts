/** `pathkeeper verify`: proves a recovery as the evaluator does, stage by stage, with fresh probes from here. */

import {
  enterStage,
  outcomeOf,
  validationGroup,
  withResults,
} from "../../functions/evaluate/incident/recovery/recovery.ts";
import { type Plan, planOf } from "../../functions/evaluate/plan.ts";
import type { ConfiguredProbe } from "../../shared/config/model.ts";
import type { ProbeResult, Report } from "../../shared/messages/report.ts";
import type { Secrets } from "../../shared/ports.ts";
import { formatValue } from "../../shared/text/units.ts";
import { configurationFor } from "../checked-configuration.ts";
import { type Command, defineCommand, WrongUsage } from "../command.ts";
import { configOperand, configOption, namedConfiguration } from "../configuration.ts";
import { runLocally } from "../local-probes.ts";
import { secretsFrom, secretsOption } from "../places.ts";
import { type SystemOptions, storeOptions } from "../store.ts";
import { openProgress } from "../terminal/progress.ts";
import { resultRow, stepLines } from "../terminal/results.ts";
import { counted, type Terminal, table } from "../terminal/terminal.ts";

/** The command. */
export const verify: Command = defineCommand({
  summary: "Verify a recovery: run fresh probes stage by stage, and compare them with the baselines",
  operand: configOperand,
  options: {
    ...configOption,
    ...storeOptions,
    ...secretsOption,
    json: { type: "boolean", default: false, help: "print the outcome of each stage as JSON" },
  },
  examples: [["verify", "Verify the recovery stages of monitor.yaml, up to the first failure"]],
  async run(values, terminal, operands) {
    const { file, configuration } = await configurationFor({
      ...values,
      config: namedConfiguration(values.config, operands),
    });
    const plan = planOf(configuration);
    const secrets = await secretsFrom({ ...values, config: file });
    const stages = stagesOf(plan);
    if (stages.length === 0) {
      throw new WrongUsage(`${file} has no recovery stages to verify: add them under recovery.stages`);
    }
    const progress = openProgress();
    const verified: VerifiedStage[] = [];
    for (const stage of stages) {
      const isOver = verified.some(({ outcome }) => outcome === "failed");
      const waiting = new Set(stage.probes.map(({ name }) => name));
      const showProgress = (): void =>
        progress.show(`stage ${stage.stage}, ${stage.name}: waiting for ${[...waiting].join(", ")}`);
      showProgress();
      const done = isOver
        ? notRun(stage)
        : await verifyStage(stage, plan, { secrets, system: values }, ({ probe }) => {
            waiting.delete(probe);
            showProgress();
          });
      progress.clear();
      verified.push(done);
      if (!values.json) terminal.print(...stageLines(done, terminal), "");
    }
    const failed = verified.find(({ outcome }) => outcome === "failed");
    if (values.json) {
      const { environment } = plan.configuration;
      terminal.print(JSON.stringify({ ok: failed === undefined, environment, stages: verified }, null, 2));
    } else {
      terminal.print(verdict(failed, verified, terminal));
    }
    return failed === undefined ? 0 : 1;
  },
});

/** One stage as it went, in the form of `--json`. */
export interface VerifiedStage {
  /** From 1, in the order of the configuration. */
  readonly stage: number;
  readonly name: string;
  /** `not_run`: a stage before it failed. */
  readonly outcome: "passed" | "failed" | "not_run";
  /** In seconds. */
  readonly duration: number;
  /** Why it failed, in sentences; empty for one that did not. */
  readonly reasons: readonly string[];
  /** One for each vantage point that its probes stand for. */
  readonly reports: readonly Report[];
}

/** A stage that has something to verify. */
interface Stage {
  readonly stage: number;
  readonly name: string;
  readonly probes: readonly ConfiguredProbe[];
}

function stagesOf({ configuration, probes }: Plan): Stage[] {
  return configuration.recovery.stages
    .map(({ name, probes: names }, index) => ({
      stage: index + 1,
      name,
      probes: names.flatMap((probe) => probes.get(probe) ?? []),
    }))
    .filter((stage) => stage.probes.length > 0);
}

async function verifyStage(
  { stage, name, probes }: Stage,
  plan: Plan,
  from: { readonly secrets: Secrets; readonly system: SystemOptions },
  onResult: (result: ProbeResult) => void,
): Promise<VerifiedStage> {
  const startedAt = performance.now();
  const reports = await runLocally({
    configuration: plan.configuration,
    ...from,
    probes,
    trigger: "validation",
    group: validationGroup,
    onResult,
  });
  const results = reports.flatMap((report) => report.results);
  const judged = outcomeOf(withResults(enterStage(stage - 1, 0), results, plan), plan);
  const duration = (performance.now() - startedAt) / 1000;
  if (judged.outcome === "passed") return { stage, name, outcome: "passed", duration, reasons: [], reports };
  const blind = reports.flatMap(({ prober_unhealthy: why }) => (why === undefined ? [] : [why]));
  const reasons = judged.outcome === "failed" ? [...blind, ...judged.reasons] : ["some probes returned no result"];
  return { stage, name, outcome: "failed", duration, reasons, reports };
}

function notRun({ stage, name }: Stage): VerifiedStage {
  return { stage, name, outcome: "not_run", duration: 0, reasons: [], reports: [] };
}

function stageLines({ stage, name, outcome, duration, reasons, reports }: VerifiedStage, terminal: Terminal): string[] {
  const { paint } = terminal;
  const title = `stage ${stage}, ${name}:`;
  if (outcome === "not_run") return [paint("faint", `${title} not run`)];
  const word = outcome === "passed" ? paint("good", "passed") : paint("bad", "failed");
  const results = reports.flatMap((report) => report.results);
  const rows = table(
    results.map((result) => resultRow(result, terminal)),
    "    ",
  );
  return [
    `${paint("strong", title)} ${word} in ${formatValue(duration, "seconds")}`,
    ...rows.flatMap((row, position) => {
      const result = results[position];
      return [row, ...(result ? stepLines(result, terminal).map((line) => `      ${line}`) : [])];
    }),
    ...reasons.map((reason) => paint("bad", `  because ${reason}`)),
  ];
}

function verdict(failed: VerifiedStage | undefined, stages: readonly VerifiedStage[], { paint }: Terminal): string {
  if (failed === undefined) return paint("good", `recovered: ${counted(stages.length, "stage")} passed`);
  return paint("bad", `not recovered: stage ${failed.stage}, ${failed.name}, failed`);
}

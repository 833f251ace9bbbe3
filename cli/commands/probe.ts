/** `pathkeeper probe`: runs probes once, from here, and shows what they saw. */

import { insteadOf } from "../../shared/config/file/problems.ts";
import type { ConfiguredProbe } from "../../shared/config/model.ts";
import type { Report } from "../../shared/messages/report.ts";
import { nearest } from "../../shared/text/nearest.ts";
import { configurationFor } from "../checked-configuration.ts";
import { type Command, defineCommand, WrongUsage } from "../command.ts";
import { configOperand, configOption, namedConfiguration } from "../configuration.ts";
import { runLocally, runnable } from "../local-probes.ts";
import { secretsFrom, secretsOption } from "../places.ts";
import { storeOptions } from "../store.ts";
import { openProgress } from "../terminal/progress.ts";
import { failureSentence, findingLines, recordLines, resultHead, resultRow, stepLines } from "../terminal/results.ts";
import { counted, table } from "../terminal/terminal.ts";

/** The command. */
export const probe: Command = defineCommand({
  summary: "Run probes once from this machine, and show their results",
  operand: configOperand,
  options: {
    ...configOption,
    probe: { type: "string", multiple: true, value: "NAME", help: "run this probe only" },
    ...storeOptions,
    ...secretsOption,
    json: { type: "boolean", default: false, help: "print one report per vantage point, as one JSON object per line" },
  },
  examples: [
    ["probe", "Run every probe of monitor.yaml"],
    ["probe --data ./watch", "Run the probes of the system that npm start stores in ./watch"],
    ["probe --probe backend --probe database", "Run two probes"],
  ],
  async run(values, terminal, operands) {
    const { file, configuration } = await configurationFor({
      ...values,
      config: namedConfiguration(values.config, operands),
    });
    const wanted = chosen(configuration.probes, values.probe);
    const probes = runnable(wanted, values, terminal);
    if (wanted.length === 0) throw new WrongUsage(`${file} has no probes: add one under probes`);

    const progress = openProgress();
    const waiting = new Set(probes.map(({ name }) => name));
    const showProgress = (): void => progress.show(`waiting for ${[...waiting].join(", ")}`);
    showProgress();
    const reports = await runLocally({
      configuration,
      probes,
      secrets: await secretsFrom({ ...values, config: file }),
      system: values,
      trigger: "diagnosis",
      group: (vantage) => `${vantage}-diagnosis`,
      onResult: (result) => {
        waiting.delete(result.probe);
        showProgress();
      },
    });
    progress.clear();

    const results = reports.flatMap((report) => report.results);
    const failed = results.filter(({ success }) => !success).length;
    if (values.json) {
      terminal.print(...reports.map((report) => JSON.stringify(report)));
    } else {
      const { paint } = terminal;
      const head = [...resultHead, "why"].map((cell) => paint("faint", cell));
      const rows = results.map((result) => [...resultRow(result, terminal), failureSentence(result)]);
      terminal.print(...table([head, ...rows]), "");
      for (const result of results) {
        const steps = stepLines(result, terminal);
        if (steps.length > 0) terminal.print(paint("strong", result.probe), ...steps.map((line) => `  ${line}`), "");
      }
      terminal.print(...results.flatMap((result) => findingLines(result, terminal)));
      terminal.print(...results.flatMap((result) => recordLines(result, terminal)));
      terminal.print(...remarks(reports).map((remark) => paint("bad", `  ${remark}`)));
      const all = counted(results.length, "probe");
      terminal.print(
        failed === 0 ? paint("good", `${all}, nothing failed`) : paint("bad", `${failed} of ${all} failed`),
      );
    }
    return failed === 0 ? 0 : 1;
  },
});

/** Returns remarks about the runs themselves. */
function remarks(reports: readonly Report[]): string[] {
  return reports.flatMap(({ vantage, prober_unhealthy: why }) =>
    why === undefined ? [] : [`results from ${vantage} are ignored: ${why}`],
  );
}

/** The probes of these names, or all of them. @throws WrongUsage for a name that there is not, with the nearest one */
function chosen(probes: readonly ConfiguredProbe[], names: readonly string[] | undefined): readonly ConfiguredProbe[] {
  if (names === undefined) return probes;
  const known = probes.map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new WrongUsage(`unknown probe "${unknown}": ${insteadOf(nearest(unknown, known), known, "probes")}`);
  }
  return probes.filter(({ name }) => names.includes(name));
}

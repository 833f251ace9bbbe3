/** `pathkeeper watch`: runs the probes on their schedules, from here, until all of them have been healthy for long enough. */
import type { Configuration } from "../../shared/config/model.ts";
import type { ProbeResult } from "../../shared/messages/report.ts";
import { dateFormat } from "../../shared/text/formatters.ts";
import { formatDuration, spokenDuration } from "../../shared/text/units.ts";
import { configurationFor } from "../checked-configuration.ts";
import { type Command, defineCommand, WrongUsage } from "../command.ts";
import { configOperand, configOption, namedConfiguration } from "../configuration.ts";
import { runnable } from "../local-probes.ts";
import { secretsFrom, secretsOption } from "../places.ts";
import { storeOptions } from "../store.ts";
import { openProgress } from "../terminal/progress.ts";
import { failureSentence } from "../terminal/results.ts";
import { counted, type Terminal } from "../terminal/terminal.ts";
import { clearDuration, type LastResult, type Position, watchUntilHealthy } from "../until-healthy.ts";

/** The command. */
export const watch: Command = defineCommand({
  summary: "Run the probes on their schedules until all of them have been healthy for the clear duration",
  operand: configOperand,
  options: { ...configOption, ...storeOptions, ...secretsOption },
  examples: [["watch && echo recovered", "Wait until everything works again"]],
  async run(values, terminal, operands) {
    const { file, configuration: whole } = await configurationFor({
      ...values,
      config: namedConfiguration(values.config, operands),
    });
    const probes = runnable(whole.probes, values, terminal);
    const configuration = { ...whole, probes };
    if (whole.probes.length === 0) throw new WrongUsage(`${file} has no probes: add one under probes`);
    const clearMs = clearDuration(probes);

    const interruption = new AbortController();
    const interrupt = (): void => interruption.abort();
    process.once("SIGINT", interrupt);
    const progress = openProgress();
    const lines = changeLines(configuration, terminal);
    const healthy = await watchUntilHealthy({
      configuration,
      secrets: await secretsFrom({ ...values, config: file }),
      system: values,
      clearMs,
      signal: interruption.signal,
      onResult: (result, before) => {
        const changed = lines(result, before);
        if (changed === undefined) return;
        progress.clear();
        terminal.print(changed);
      },
      onWait: (position) => progress.show(positionLine(position, clearMs)),
    });
    progress.clear();
    process.off("SIGINT", interrupt);
    if (healthy) {
      const all = probes.length === 1 ? "the probe has" : `all ${probes.length} probes have`;
      terminal.print(terminal.paint("good", `${all} been healthy for ${formatDuration(clearMs)}`));
      return 0;
    }
    // By the custom of shells. Returning would wait for the probes that are under way.
    process.exit(130);
  },
});

/** A line for each result that is not like the one before. */
function changeLines(
  { probes, timezone }: Configuration,
  { paint }: Terminal,
): (result: ProbeResult, before: LastResult | undefined) => string | undefined {
  const width = Math.max(...probes.map(({ name }) => name.length));
  // Swedish writes the time as everybody reads it.
  const clock = dateFormat("sv-SE", { timeZone: timezone, timeStyle: "medium" });
  return (result, before) => {
    const { probe, at, success, failure } = result;
    const known = before?.result.failure;
    if (before?.success === success && known?.kind === failure?.kind && known?.phase === failure?.phase)
      return undefined;
    const word = success ? paint("good", "ok    ") : paint("bad", "failed");
    return `${clock.format(new Date(at))}  ${probe.padEnd(width)}  ${word}  ${failureSentence(result)}`.trimEnd();
  };
}

function positionLine({ results, probes, healthySince, now }: Position, clearMs: number): string {
  const healthy = [...results.values()].filter(({ success }) => success).length;
  const share = `${healthy} of ${counted(probes.length, "probe")} healthy`;
  if (healthySince !== undefined) {
    return `${share} for ${spokenDuration(Math.min(now - healthySince, clearMs))} of ${spokenDuration(clearMs)}`;
  }
  const failing = probes.map(({ name }) => name).filter((name) => results.get(name)?.success === false);
  return failing.length === 0 ? share : `${share}, failing: ${failing.join(", ")}`;
}

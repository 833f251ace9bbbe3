/** Speed of replaying a record. */
import { rehearse } from "../cli/replay/replay.ts";
import { planOf } from "../functions/evaluate/plan.ts";
import { environmentOf, groupOf, recordOf, reportOf } from "./support.ts";

/** Replays a day of one group of 20 probes that contains an outage of half an hour, and prints the speed. */
export async function replaySpeed(): Promise<void> {
  const series = 20;
  const minutes = 1_440;
  const plan = planOf(environmentOf({ groups: 1, seriesEach: series, rules: 10 }));
  const reports = Array.from({ length: minutes }, (_, round) =>
    reportOf(groupOf(0), 0, series, round, round >= 600 && round < 630 ? 0.1 : 0),
  );
  let events = 0;
  const started = performance.now();
  const onEvent = (): void => {
    events += 1;
  };
  await rehearse({ plan, record: recordOf(reports), onEvent });
  const seconds = (performance.now() - started) / 1000;
  console.log(
    `\nReplay: a day of ${series} probes and 10 rules, ${minutes} reports and as many ticks, in ${seconds.toFixed(2)} s: ${Math.round(minutes / seconds)} reports a second, ${events} events\n`,
  );
}

/** Time series that one run of a probe has Google return, which is what reading Cloud Monitoring is billed by. */
import type { ConfiguredProbe } from "../../shared/config/model.ts";
import { ownEntry } from "../../shared/runtime/entries.ts";

/** Each kind reads every metric once and has Google aggregate it; the pages of the kinds say the same. */
const seriesOfKind: Readonly<Record<string, number>> = {
  cloud_monitoring: 1,
  vpc_connector: 5,
  cloud_sql: 9,
  cloud_run: 9,
  load_balancer: 7,
};

/** How many series one run returns, at the least one for each query. */
export function seriesOfARun({ kind }: Pick<ConfiguredProbe, "kind">): number {
  return ownEntry(seriesOfKind, kind) ?? 0;
}

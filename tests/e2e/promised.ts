/** Expected outcome of every run of the demo's outage. */
import type { Outcome } from "../../local/demo/outcome.ts";

type Promised = Pick<Outcome, "ok" | "problems" | "deliveries"> & {
  readonly incidents: readonly Partial<Outcome["incidents"][number]>[];
};

/** One incident with the right cause, one opening and one all-clear in each channel. */
export const asPromised: Promised = {
  ok: true,
  problems: [],
  incidents: [{ status: "resolved", severity: "critical", verdict: "platform" }],
  deliveries: {
    "team-email": { opened: 1, resolved: 1 },
    "leadership-email": { opened: 1, resolved: 1 },
    "ops-hook": { opened: 1, resolved: 1 },
  },
};

/** Maximum duration of a run of the whole system, in milliseconds: longer than its script and its timeout together, even on a busy machine. */
export const deadline = 400_000;

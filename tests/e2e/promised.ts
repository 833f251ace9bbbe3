/** What every run of the demo's outage must come to. */
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

/** How long a run of the whole system may take, in milliseconds: longer than its script and its patience together, on a busy machine. */
export const deadline = 400_000;

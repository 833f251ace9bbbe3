/** The prober `service_health`: whether Google itself has an incident that affects the environment. */
import { z } from "zod";
import type { Finding, Unchecked } from "../../../shared/messages/report.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { spokenDuration } from "../../../shared/text/units.ts";
import {
  activeEvents,
  type EventEntry,
  eventsOf,
  type HealthEvent,
  pageOf,
  serviceHealthAccess,
} from "../google/events.ts";
import { regional } from "../google/readings.ts";
import { isDisabled, refusalOf } from "../google/refusal.ts";
import type { SeenFailure } from "../net/faults.ts";
import type { Prober } from "../prober.ts";
import { always } from "../yields.ts";

const settings = lazily(() =>
  z.strictObject({
    ...regional(),
    products: z
      .array(z.string().min(1))
      .default([])
      .describe("Products to include, by a part of their name, such as Cloud Run and Cloud SQL. Default: all."),
    not_enabled: z
      .enum(["fail", "ignore"])
      .default("fail")
      .describe("Whether the probe fails if the API is not enabled in the project."),
  }),
);

/** Settings of a `service_health` probe. */
export type ServiceHealthSettings = z.output<ReturnType<typeof settings>>;

/** The events that Google reported. */
export interface ServiceHealthObservation {
  readonly now: number;
  readonly failure?: SeenFailure;
  /** Whether the API is not enabled in the project, and the settings allow that. */
  readonly disabled?: true;
  readonly entries: readonly EventEntry[];
}

/** The prober `service_health`. */
export const serviceHealth: Prober<ServiceHealthSettings, ServiceHealthObservation> = {
  kind: "service_health",
  title: "Reads from Personalized Service Health whether a Google incident affects the region and the products in use.",
  role: "region",
  reach: "control_plane",
  get settings() {
    return settings();
  },
  example: `project: shop-staging
region: us-central1
products: [Cloud Run, Cloud SQL, VPC, Load Balancing]
`,
  notes: `## Findings

Each active incident becomes a finding with its title, start time, symptoms, and a link to its page in the console. \`service_health_incidents\` is
their number. The probe itself does not fail because of them: use a rule such as \`service_health_incidents > 0\` to alert on them. Incidents in
zones of the region, in its multi-region and in all regions count as well; those that Google has found not to affect the project do not.

## Permissions and cost

The probe requires the API \`servicehealth.googleapis.com\` to be enabled in the project, and \`roles/servicehealth.viewer\` there for its identity
(permission \`servicehealth.events.list\`). If the API is not enabled, the probe fails with the command that enables it; with \`not_enabled:
ignore\`, it only reports it. Google announces incidents minutes after they begin, so a schedule of 5 minutes is sufficient.
`,
  secondhand: true,

  delayed: true,
  environmentWide: true,
  usualSeconds: 0.4,
  reads: ["service_health_events"],
  yields: () => always("service_health_incidents"),

  async observe({ project, not_enabled }, world) {
    const now = world.now();
    try {
      return { now, entries: await activeEvents(project, world) };
    } catch (error) {
      if (not_enabled === "ignore" && isDisabled(error)) return { now, disabled: true, entries: [] };
      return { now, entries: [], failure: refusalOf(error, serviceHealthAccess(project), world.signal) };
    }
  },

  assess({ project, region, products }, { now, failure, disabled, entries }) {
    if (failure) return { failure, measurements: [] };
    if (disabled) return { measurements: [], unchecked: [notEnabled(project)] };
    const events = eventsOf(entries, region, products);
    return {
      measurements: [{ metric: "service_health_incidents", value: events.length }],
      findings:
        events.length === 0 ? [quiet(region)] : events.slice(0, maxFindings).map((event) => found(event, project, now)),
    };
  },
};

/** More than these add no information. */
const maxFindings = 10;
const check = "google_incident";
const expected = "no Google incident";

function quiet(region: string): Finding {
  return {
    check,
    ok: true,
    observed: "no Google incident",
    expected,
    explanation: `Google reports no active incident that affects ${region}.`,
  };
}

function found(event: HealthEvent, project: string, now: number): Finding {
  const { id, title, startedAt, confirmed, relevance, symptom, workaround, products, locations } = event;
  const since = startedAt === undefined ? "" : ` since ${timeOf(startedAt)} (${spokenDuration(now - startedAt)})`;
  const where = locations.length === 0 ? "" : ` in ${locations.join(", ")}`;
  const state = confirmed ? "" : ", not confirmed yet";
  const sentences = [
    `It affects ${products.join(", ") || "products that Google does not name"}${where}${since}${state}.`,
    // Comes before the part that may be cut off.
    `${pageOf(project)}.`,
    ...(relevance === "IMPACTED" ? ["Google has verified that it affects this project."] : []),
    ...(symptom === "" ? [] : [`Symptoms: ${shortened(symptom)}`]),
    ...(workaround === "" ? [] : [`Workaround: ${shortened(workaround)}`]),
  ];
  return {
    check,
    ok: false,
    observed: `"${shortened(title)}"`,
    expected,
    explanation: sentences.join(" "),
    resource: id,
    severity: "warning",
  };
}

function notEnabled(project: string): Unchecked {
  return {
    checks: [check],
    resource: "Service Health",
    explanation: `It is not enabled in the project ${project}: run gcloud services enable servicehealth.googleapis.com --project ${project}`,
  };
}

/** Returns Google's text as a whole sentence that leaves room for the others: a finding is cut at 300 characters. */
function shortened(text: string): string {
  const plain = text.replaceAll(/\s+/g, " ").trim();
  const first = /^.{1,90}?[.!?](?= |$)/.exec(plain)?.[0] ?? plain;
  return first.length > 90 ? `${first.slice(0, 89)}…` : first;
}

function timeOf(instant: number): string {
  return `${new Date(instant).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

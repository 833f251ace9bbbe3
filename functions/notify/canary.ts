/** Canary messages at the notifier: each is planned for a channel without a destination, rendered, classified and recorded like any notice. */
import { z } from "zod";
import type { Configuration } from "../../shared/config/model.ts";
import { canaryProbe, parseCanaryNotice } from "../../shared/messages/canary.ts";
import type { Report } from "../../shared/messages/report.ts";
import { monitorComponent } from "../../shared/monitor.ts";
import { lazily } from "../../shared/runtime/lazily.ts";
import type { ChannelKind } from "./channel.ts";
import { classifyHttp } from "./deliver/classify.ts";
import { selfReport } from "./deliver/self-report.ts";
import { plan } from "./plan/plan.ts";

const noSettings = lazily((): z.ZodType<Record<string, never>, unknown> => z.strictObject({}));

/** A channel kind without a destination. */
const nowhere: ChannelKind<Record<string, never>> = {
  kind: "null",
  title: "Tells nobody.",
  get settings() {
    return noSettings();
  },
  example: "",
  render: (_, notice) => ({
    transport: "http",
    v: 2,
    method: "POST",
    url: "",
    headers: {},
    body: JSON.stringify(notice.event),
    allowPrivate: false,
  }),
  classify: classifyHttp,
};

/**
 * Runs a canary through the steps of a notice.
 * @returns the report of its arrival; `undefined` if it would not be sent, or belongs to another environment
 */
export function arrivedCanary(data: unknown, configuration: Configuration, now: number): Report | undefined {
  const { canary, environment, vantage, event } = parseCanaryNotice(data);
  if (environment !== configuration.environment) return undefined;
  const channel = { name: nowhere.kind, kind: nowhere.kind, settings: {} };
  const own: Configuration = {
    environment,
    title: environment,
    timezone: configuration.timezone,
    components: [],
    probes: [],
    rules: [],
    baselines: [],
    recovery: { stages: [] },
    channels: [channel],
    routes: [{ channels: [channel.name] }],
  };
  const { deliveries } = plan(
    event,
    { configuration: own, kinds: { [nowhere.kind]: nowhere }, silences: [], ledger: [] },
    now,
  );
  const attempts = deliveries.map(() => nowhere.classify({ status: 204, headers: {}, body: "" }));
  if (attempts.length !== 1 || attempts[0]?.outcome !== "delivered") return undefined;
  const result = {
    probe: canaryProbe(vantage),
    component: monitorComponent.name,
    at: canary,
    success: true,
    measurements: [],
  };
  return selfReport(environment, `canary/${vantage}/${canary}`, [result]);
}

/** `pathkeeper drill`: a fire drill through the real way, from a report to every channel, with the time that it takes. */
import { setTimeout as pause } from "node:timers/promises";
import { incidentId } from "../../functions/evaluate/incident/record/id.ts";
import { type Delivery, deliveries, isFinal, parseDelivery } from "../../functions/notify/deliver/ledger.ts";
import { selfReport } from "../../functions/notify/deliver/self-report.ts";
import { type Reader, readerName } from "../../shared/documents/delivery-summary.ts";
import type { Report } from "../../shared/messages/report.ts";
import { drillComponent, drillProbe } from "../../shared/monitor.ts";
import { PublishError, type Publisher, type Store, StoreError } from "../../shared/ports.ts";
import { parseDuration, spokenDuration } from "../../shared/text/units.ts";
import { topics } from "../../shared/topology.ts";
import { configurationFor } from "../checked-configuration.ts";
import { type Command, defineCommand, WrongUsage } from "../command.ts";
import { configOperand, configOption, namedConfiguration } from "../configuration.ts";
import { publisherOf } from "../publisher.ts";
import { storeOf, storeOptions } from "../store.ts";
import { openProgress } from "../terminal/progress.ts";
import { counted, type Terminal, table } from "../terminal/terminal.ts";

/** The longest wait, in milliseconds. */
const longestWaitMs = 3_600_000;

/** The command. */
export const drill: Command = defineCommand({
  summary: "Run a fire drill: send a test incident to every channel, and show how long each notification takes",
  operand: configOperand,
  options: {
    ...configOption,
    ...storeOptions,
    wait: { type: "string", value: "TIME", default: "2m", help: "how long to wait for the channels" },
    json: { type: "boolean", default: false, help: "print the state of each channel and recipient as JSON" },
  },
  examples: [
    ["drill --data ./watch", "Test the channels of the system on this machine"],
    ["drill --project my-project --config production.yaml", "Test the channels of the system in the cloud"],
  ],
  async run({ config, ...values }, terminal, operands) {
    const waitMs = parseDuration(values.wait);
    if (waitMs === undefined || waitMs <= 0)
      throw new WrongUsage(`--wait ${values.wait} is an invalid duration: use a value such as 2m or 30s`);
    if (waitMs > longestWaitMs) throw new WrongUsage(`--wait ${values.wait} is too long: use at most 1h`);
    const { environment, channels } = (
      await configurationFor({ ...values, config: namedConfiguration(config, operands) })
    ).configuration;
    if (channels.length === 0) throw new WrongUsage("the configuration has no channels to notify");
    const store = await storeOf(values);
    const publisher = await publisherOf(values);
    try {
      const startedAt = Date.now();
      const incident = await startDrill(environment, publisher, startedAt);
      if (!values.json) terminal.note(`Fire drill ${incident}: it resolves by itself in two to three minutes.`);
      const told = await whatBecame(store, incident, channels.length, startedAt + waitMs);
      const shown = told.map((delivery) => outcomeOf(delivery, startedAt));
      if (values.json) terminal.print(JSON.stringify({ incident, channels: shown }, null, 2));
      else show(shown, waitMs, terminal);
      return shown.length > 0 && shown.every(({ state }) => state !== "not told") ? 0 : 1;
    } catch (error) {
      if (!(error instanceof StoreError || error instanceof PublishError)) throw error;
      terminal.note(`pathkeeper drill: ${error.message}`);
      return 1;
    } finally {
      await Promise.all([publisher.close(), store.close()]);
    }
  },
});

/**
 * Starts a fire drill.
 * @param at milliseconds since the epoch
 * @returns the id of its incident
 * @throws PublishError
 */
export async function startDrill(
  environment: string,
  publisher: Pick<Publisher, "publish">,
  at: number,
): Promise<string> {
  await publisher.publish(topics.measurements, [{ data: drillReport(environment, at) }]);
  return incidentId(at, drillComponent.name);
}

/** The report that starts a fire drill. @param at milliseconds since the epoch */
export function drillReport(environment: string, at: number): Report {
  const instant = new Date(at).toISOString();
  return selfReport(environment, `${drillProbe}/${instant}`, [
    {
      probe: drillProbe,
      component: drillComponent.name,
      at: instant,
      success: false,
      failure: { kind: "internal", phase: "drill", message: "started by hand" },
      measurements: [],
    },
  ]);
}

/** Outcome of the drill for one channel or recipient. */
interface Outcome extends Reader {
  readonly state: "told" | "left out" | "not told";
  /** From the start of the drill until the notice was accepted, in milliseconds. */
  readonly after_ms?: number;
  /** Reason why it was not notified, or not yet. */
  readonly reason?: string;
}

function outcomeOf(delivery: Delivery, startedAt: number): Outcome {
  const { channel, recipient, status, reason, attempts, delivered_at } = delivery;
  const reader = { channel, ...(recipient === undefined ? {} : { recipient }) };
  if (delivered_at !== undefined) return { ...reader, state: "told", after_ms: delivered_at.getTime() - startedAt };
  if (status === "suppressed") return { ...reader, state: "left out", reason };
  return { ...reader, state: "not told", reason: status === "rejected" ? reason : (attempts.at(-1)?.answer ?? status) };
}

/** The entries of the ledger once every reader is done with, or as they stand when the time is over. */
async function whatBecame(store: Store, incident: string, channels: number, until: number): Promise<Delivery[]> {
  const progress = openProgress();
  for (;;) {
    const stored = await store.query({ collection: deliveries, where: [["incident", "==", incident]], limit: 10_000 });
    const told = stored.flatMap(({ fields }) => parseDelivery(fields) ?? []).filter(({ event }) => event === "opened");
    const known = Map.groupBy(told, ({ channel }) => channel);
    const done = [...known.values()].filter((own) => own.every(isFinal)).length;
    progress.show(`${done} of ${counted(channels, "channel")} …`);
    if ((known.size >= channels && done === known.size) || Date.now() >= until) {
      progress.clear();
      return told;
    }
    await pause(250);
  }
}

function show(outcomes: readonly Outcome[], waitMs: number, { print, paint }: Terminal): void {
  if (outcomes.length === 0) {
    print(
      `No channel was notified within ${spokenDuration(waitMs)}: check that the functions are running, and read their logs.`,
    );
    return;
  }
  const several = Map.groupBy(outcomes, ({ channel }) => channel);
  const rows = outcomes.map(({ channel, recipient, state, after_ms: afterMs, reason = "" }) => [
    several.get(channel)?.length === 1 ? channel : readerName({ channel, recipient }),
    paint(state === "told" ? "good" : state === "left out" ? "faint" : "bad", state),
    afterMs === undefined ? "" : `after ${(afterMs / 1000).toFixed(1)} s`,
    reason,
  ]);
  print(...table(rows));
}

/**
 * Tests a WebSocket that must outlive the limits on its path, from the schedule to the incident: the request uses its own subscription
 * through a real broker, the probe function holds a real connection, and the evaluator judges the report. The connection is held for one
 * second.
 */
import { createServer } from "node:http";
import { expect, it, onTestFinished } from "vitest";
import { configurationOf } from "../cli/commands/replay.fixtures.ts";
import { VirtualWorld } from "../cli/virtual/world.ts";
import { measured } from "../functions/probe/fixtures.ts";
import { probeHandler } from "../functions/probe/handler.ts";
import { serveWebSocket } from "../functions/probe/websocket.fixtures.ts";
import { Broker } from "../local/engine/broker/broker.ts";
import { openReceiver } from "../local/engine/broker/receiver.ts";
import { googleApi } from "../shared/adapters/google-api.ts";
import { groupsWithRounds } from "../shared/config/schedule.ts";
import { scheduledRequest } from "../shared/messages/probe-request.ts";
import type { Report } from "../shared/messages/report.ts";
import { silentLogger } from "../shared/runtime/logger.ts";
import { longestAckDeadline, subscriptionsWith } from "../shared/topology.ts";

const minute = 60_000;

it("holds a connection while the subscription waits, and reports what ended it early", async () => {
  let isCut = true;
  let opened = 0;
  const port = await serveWebSocket(
    (socket) => {
      opened++;
      // The connection ends as a limit on the path ends it: without a close frame.
      if (isCut) setTimeout(() => socket.terminate(), 300);
    },
    createServer((_request, response) => response.end("well")),
  );
  const configuration = configurationOf(`
environment: shop
components:
  edge: { title: Load balancer, layer: platform }
  chat: { title: Chat, layer: application, depends_on: [edge], impact: Open chats break off }
control: { kind: http, url: "http://127.0.0.1:${port}/" }
probes:
  lifetime: { kind: websocket, component: chat, url: "ws://127.0.0.1:${port}/ws", schedule: every 15m, hold: 1s, timeout: 5s }
`);
  const [lifetime] = configuration.probes;
  if (lifetime === undefined) throw new Error("there is one probe");
  const way = subscriptionsWith(groupsWithRounds(configuration.probes)).find(
    ({ name }) => name === `probe-${lifetime.group}`,
  );
  if (way === undefined) throw new Error("the group has a subscription of its own");
  expect(way.ackDeadlineSeconds).toBe(longestAckDeadline);

  const reports: Report[] = [];
  const handle = probeHandler({
    configuration,
    vantage: "outside",
    secrets: { read: async () => "" },
    google: googleApi("http://127.0.0.1:1"),
    clock: { now: () => Date.now() },
    logger: silentLogger,
    warm: async () => {},
    publisher: {
      publish: async (_topic, messages) => messages.map(({ data }) => String(reports.push(data as Report))),
      close: async () => {},
    },
  });
  const target = await openReceiver(async ({ message, path }) => {
    await handle(message, path);
    return 204;
  });
  onTestFinished(() => target.close());
  const broker = await Broker.open();
  onTestFinished(() => broker.close());
  // The deadline is slightly longer than the hold. In proportion, that of a normal subscription would be shorter than the hold.
  broker.subscribe({ ...way, ackDeadlineSeconds: 10 }, target.url);
  const run = async (): Promise<Report> => {
    await broker.publish(way.topic, [scheduledRequest("shop", lifetime)]);
    await broker.idle();
    const report = reports.at(-1);
    if (report === undefined) throw new Error("a run reports");
    return report;
  };

  const cut = await run();
  expect(cut.results).toMatchObject([
    {
      probe: "lifetime",
      failure: {
        kind: "reset",
        phase: "hold",
        message: expect.stringMatching(/^the connection ended after \d+ s, expected it to stay open for 1s: /),
      },
    },
  ]);
  isCut = false;
  const held = await run();
  expect(held.results).toMatchObject([{ probe: "lifetime", success: true }]);
  const [result] = held.results;
  expect(result && measured(result, "websocket_hold_time")).toBeGreaterThanOrEqual(0.99);
  // Neither request was redelivered, and the connection was not reopened after it was cut.
  expect([target.pushes.map(({ message }) => message.deliveryAttempt), opened]).toEqual([[1, 1], 2]);

  // The evaluator, a quarter of an hour from one run to the next.
  const start = Date.parse("2025-09-16T12:00:00Z");
  const at = (report: Report, now: number): Report => {
    const moved = (instant: string): string =>
      new Date(now + Date.parse(instant) - Date.parse(report.started_at)).toISOString();
    return {
      ...report,
      report: `shop/${lifetime.group}/${new Date(now).toISOString()}`,
      started_at: moved(report.started_at),
      finished_at: moved(report.finished_at),
      results: report.results.map((result) => ({ ...result, at: moved(result.at) })),
    };
  };
  const world = new VirtualWorld({ configuration, start, logger: silentLogger });
  for (const [position, report] of [held, cut, cut, held, held].entries()) {
    const now = start + position * 15 * minute;
    world.report(at(report, now), now + 2_000);
  }
  for (let tick = 1; tick < 90; tick++) world.tick(start + tick * minute);
  await world.run(start + 90 * minute);
  const incidents = await world.store.query({ collection: "incidents", limit: 10 });
  expect(incidents.map(({ fields }) => fields["status"])).toEqual(["resolved"]);
  const [incident] = incidents;
  expect(JSON.stringify(incident?.fields["timeline"])).toMatch(
    /the connection ended after .*, expected it to stay open for 1s/,
  );
});

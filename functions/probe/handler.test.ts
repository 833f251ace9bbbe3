import { describe, expect, it } from "vitest";
import { googleApi } from "../../shared/adapters/google-api.ts";
import type { Configuration, ConfiguredProbe } from "../../shared/config/model.ts";
import { groupName } from "../../shared/config/schedule.ts";
import { silentLogger } from "../../shared/logger.ts";
import type { ProbeRequest } from "../../shared/messages/probe-request.ts";
import { MalformedMessage, type Report } from "../../shared/messages/report.ts";
import { type OutgoingMessage, PublishError } from "../../shared/ports.ts";
import { TryAgain } from "../../shared/shell.ts";
import { probeOf } from "./fixtures.ts";
import { type ProbePorts, probeHandler, roundsOf } from "./handler.ts";

const at = (time: string): number => Date.parse(`2025-09-16T${time}Z`);

const probe = (name: string, schedule: string, vantage: "inside" | "outside" = "outside"): ConfiguredProbe => ({
  ...probeOf("http", {}),
  name,
  schedule,
  vantage,
  group: groupName(vantage, schedule),
});

const configuration: Configuration = {
  environment: "staging",
  title: "Staging",
  timezone: "Etc/UTC",
  components: [],
  probes: [
    probe("api", "every 1m"),
    probe("web", "every 1m"),
    probe("fast", "every 15s"),
    probe("database", "every 1m", "inside"),
  ],
  rules: [],
  baselines: [],
  recovery: { stages: [] },
  channels: [],
  routes: [],
};

/** A handler on virtual time, in which each round takes `roundMs`. */
function harness({ now = "12:04:00.400", roundMs = 1_000, refuse = 0, vantage = "any" as ProbePorts["vantage"] } = {}) {
  let time = at(now);
  const starts: string[] = [];
  const published: OutgoingMessage[] = [];
  const publications: number[] = [];
  let refusals = refuse;
  const handle = probeHandler({
    configuration,
    vantage,
    secrets: { read: async () => "" },
    google: googleApi("http://127.0.0.1:1"),
    logger: silentLogger,
    clock: { now: () => time },
    publisher: {
      publish: async (topic, messages) => {
        if (refusals-- > 0) throw new PublishError("not accepted", true);
        expect(topic).toBe("measurements");
        published.push(...messages);
        publications.push(messages.length);
        return messages.map(() => "id");
      },
      close: async () => {},
    },
    sleep: async (milliseconds) => {
      time += milliseconds;
    },
    run: async (run) => {
      starts.push(new Date(time).toISOString().slice(11, 23));
      time += roundMs;
      const results = run.probes.map(({ name }) => ({
        probe: name,
        component: "",
        at: "",
        success: true,
        measurements: [],
      }));
      return {
        v: 1,
        report: run.reportId,
        environment: run.environment,
        vantage: run.vantage,
        group: run.group,
        trigger: run.trigger,
        started_at: "",
        finished_at: "",
        results,
        ...(run.request === undefined ? {} : { request: run.request }),
      };
    },
  });
  const send = (request: Partial<ProbeRequest>, publishedAt = "12:04:00.200"): Promise<void> =>
    handle({
      messageId: "1",
      publishedAt: at(publishedAt),
      attributes: {},
      subscription: "probe-outside",
      data: { v: 1, environment: "staging", vantage: "outside", trigger: "schedule", group: "outside-1m", ...request },
    });
  const reports = (): string[] => published.map(({ data }) => (data as Report).report);
  return { send, reports, starts, published, publications };
}

describe("the probe handler", () => {
  it("runs the probes of a group and publishes their report", async () => {
    const { send, published } = harness();
    await send({});
    expect(published).toMatchObject([
      {
        attributes: { environment: "staging", vantage: "outside", group: "outside-1m", trigger: "schedule" },
        data: { report: "staging/outside-1m/2025-09-16T12:04:00Z", results: [{ probe: "api" }, { probe: "web" }] },
      },
    ]);
  });

  it("runs intervals under a minute as rounds in that minute", async () => {
    const { send, reports, starts, publications } = harness();
    await send({ group: "outside-15s" });
    expect(starts).toEqual(["12:04:00.400", "12:04:15.000", "12:04:30.000", "12:04:45.000"]);
    expect(reports()).toEqual(
      ["00", "15", "30", "45"].map((second) => `staging/outside-15s/2025-09-16T12:04:${second}Z`),
    );
    expect(publications).toEqual([1, 1, 1, 1]);
  });

  it.each([
    ["starts late: what is over is left out", { now: "12:04:40.000" }, ["12:04:45.000"]],
    ["starts a little late: that round begins at once", { now: "12:04:34.000" }, ["12:04:34.000", "12:04:45.000"]],
    ["is slow: a round that would overlap is left out", { roundMs: 25_000 }, ["12:04:00.400", "12:04:30.000"]],
    [
      "is a little slow: the next round begins at once",
      { roundMs: 16_000 },
      ["12:04:00.400", "12:04:16.400", "12:04:32.400", "12:04:48.400"],
    ],
    ["comes again when all is over", { now: "12:05:00.000" }, []],
  ])("%s", async (_what, options, expected) => {
    const { send, starts } = harness(options);
    await send({ group: "outside-15s" });
    expect(starts).toEqual(expected);
  });

  it("answers a request that was asked for with its own report, of exactly its probes", async () => {
    const { send, published } = harness();
    await send({
      trigger: "validation",
      group: "validation",
      request: "incident-1-stage-1",
      probes: ["web", "fast", "gone"],
    });
    expect(published).toMatchObject([
      {
        attributes: { trigger: "validation", group: "validation" },
        data: {
          report: "staging/validation/incident-1-stage-1",
          request: "incident-1-stage-1",
          results: [{ probe: "web" }, { probe: "fast" }],
        },
      },
    ]);
  });

  it("ignores what is for others", async () => {
    const { send, starts } = harness({ vantage: "outside" });
    await send({ environment: "production" });
    await send({ vantage: "inside", group: "inside-1m" });
    await send({ group: "outside-9m" });
    await expect(send({ group: "" })).rejects.toBeInstanceOf(MalformedMessage);
    expect(starts).toEqual([]);
  });

  it("does not probe twice when a request comes again while it is answered", async () => {
    const { send, starts } = harness();
    const first = send({});
    await expect(send({})).rejects.toBeInstanceOf(TryAgain);
    await first;
    expect(starts).toHaveLength(1);
  });

  it("asks for the message again when its report was not accepted", async () => {
    const { send } = harness({ refuse: 1 });
    await expect(send({})).rejects.toBeInstanceOf(PublishError);
  });

  it("keeps the report of a round until one of the next can be published", async () => {
    const { send, publications, reports } = harness({ refuse: 2 });
    await send({ group: "outside-15s" });
    expect(publications).toEqual([3, 1]);
    expect(reports()).toHaveLength(4);
  });
});

describe("the rounds of a request", () => {
  const request: ProbeRequest = { v: 1, environment: "e", vantage: "outside", trigger: "schedule", group: "g" };
  it.each([
    ["every 1m", "12:04:30.000", ["e/g/2025-09-16T12:04:00Z"]],
    ["*/15 * * * *", "12:15:02.000", ["e/g/2025-09-16T12:15:00Z"]],
    ["every 15m", "12:16:02.000", ["e/g/2025-09-16T12:15:00Z"]],
    ["every 2h", "12:00:59.999", ["e/g/2025-09-16T12:00:00Z"]],
    ["*/7 * * * *", "12:56:01.000", ["e/g/2025-09-16T12:56:00Z"]],
    ["0 6 * * 1", "06:00:01.000", ["e/g/2025-09-16T06:00:00Z"]],
    ["every 30s", "12:04:59.000", ["e/g/2025-09-16T12:04:00Z", "e/g/2025-09-16T12:04:30Z"]],
  ])("%s published at %s", (schedule, publishedAt, ids) => {
    expect(roundsOf(request, schedule, at(publishedAt)).map(({ reportId }) => reportId)).toEqual(ids);
  });

  it("writes instants between the seconds with milliseconds", () => {
    const rounds = roundsOf(request, "every 250ms", at("12:04:00.100"));
    expect(rounds).toHaveLength(240);
    expect(rounds.slice(0, 3).map(({ reportId }) => reportId.slice("e/g/2025-09-16T".length))).toEqual([
      "12:04:00Z",
      "12:04:00.250Z",
      "12:04:00.500Z",
    ]);
  });
});

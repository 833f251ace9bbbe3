import { describe, expect, it } from "vitest";
import { googleApi } from "../../shared/adapters/google-api.ts";
import type { Configuration, ConfiguredProbe } from "../../shared/config/model.ts";
import { groupName } from "../../shared/config/schedule.ts";
import { MalformedMessage } from "../../shared/messages/parse.ts";
import type { ProbeRequest } from "../../shared/messages/probe-request.ts";
import type { Report } from "../../shared/messages/report.ts";
import { type OutgoingMessage, PublishError } from "../../shared/ports.ts";
import { silentLogger } from "../../shared/runtime/logger.ts";
import { probeOf } from "./fixtures.ts";
import { type ProbePorts, probeHandler } from "./handler.ts";
import { roundsOf } from "./run/rounds.ts";
import { maxAtOnce, type ProbeRun } from "./run/run.ts";
import { sharded, shardsOf } from "./run/shards.ts";

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
    { ...probe("held", "every 15m"), group: "outside-15m-hold", holdMs: 360_000 },
    ...Array.from({ length: 250 }, (_, index) => probe(`shop-${index + 1}`, "every 30s")),
  ],
  control: { outside: probe("control", "every 1m") },
  rules: [],
  baselines: [],
  recovery: { stages: [] },
  channels: [],
  routes: [],
};

/** A handler on virtual time, in which each round takes `roundMs`. */
function harness({
  now = "12:04:00.400",
  roundMs = 1_000,
  refuse = 0,
  vantage = "any" as ProbePorts["vantage"],
  hangs = false,
} = {}) {
  let time = at(now);
  const starts: string[] = [];
  const published: OutgoingMessage[] = [];
  const requested: OutgoingMessage[] = [];
  const publications: number[] = [];
  const runs: ProbeRun[] = [];
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
        if (topic === "probe-requests") requested.push(...messages);
        else expect(topic).toBe("measurements");
        if (topic === "measurements") published.push(...messages);
        publications.push(messages.length);
        return messages.map(() => "id");
      },
      close: async () => {},
    },
    sleep: async (milliseconds) => {
      time += milliseconds;
    },
    warm: async () => {},
    run: async (run) => {
      runs.push(run);
      starts.push(new Date(time).toISOString().slice(11, 23));
      time += roundMs;
      if (!hangs || !run.onPart) return reportOf(run, run.probes);
      run.onPart({ ...reportOf(run, run.probes.slice(1)), report: `${run.reportId}/part` });
      return reportOf(run, run.probes.slice(0, 1));
    },
  });
  function reportOf(run: ProbeRun, probes: ProbeRun["probes"]): Report {
    const results = probes.map(({ name }) => ({
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
  }
  const send = (request: Partial<ProbeRequest>, publishedAt = "12:04:00.200"): Promise<void> =>
    handle({
      messageId: "1",
      publishedAt: at(publishedAt),
      attributes: {},
      subscription: "probe-outside",
      data: { v: 1, environment: "staging", vantage: "outside", trigger: "schedule", group: "outside-1m", ...request },
    });
  const reports = (): string[] => published.map(({ data }) => (data as Report).report);
  return { send, reports, starts, runs, requested, published, publications };
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

  it("answers an on-demand request with a report of exactly its probes", async () => {
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

  it("ignores requests for other vantage points", async () => {
    const { send, starts } = harness({ vantage: "outside" });
    await send({ environment: "production" });
    await send({ vantage: "inside", group: "inside-1m" });
    await send({ group: "outside-9m" });
    await expect(send({ group: "" })).rejects.toBeInstanceOf(MalformedMessage);
    expect(starts).toEqual([]);
  });

  it("shares the run with a redelivery of a request in progress", async () => {
    const { send, starts, reports } = harness();
    await Promise.all([send({}), send({})]);
    expect(starts).toHaveLength(1);
    expect(reports()).toHaveLength(1);
  });

  it("fails both deliveries when that run's report is not accepted", async () => {
    const { send, starts } = harness({ refuse: 1 });
    const both = await Promise.allSettled([send({}), send({})]);
    expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    await send({});
    expect(starts).toHaveLength(2);
  });

  it("fails the delivery when its report is not accepted", async () => {
    const { send } = harness({ refuse: 1 });
    await expect(send({})).rejects.toBeInstanceOf(PublishError);
  });

  it("keeps the report of a round until it can be published with a later one", async () => {
    const { send, publications, reports } = harness({ refuse: 2 });
    await send({ group: "outside-15s" });
    expect(publications).toEqual([3, 1]);
    expect(reports()).toHaveLength(4);
  });
});

describe("the probe handler, with the context of a run", () => {
  it("marks the first run of an instance as a cold start", async () => {
    const { send, runs } = harness();
    await send({ group: "outside-15s" });
    await send({});
    expect(runs.map(({ coldStart }) => coldStart)).toEqual([true, false, false, false, false]);
  });

  it("runs the control probe of the vantage point next to the others", async () => {
    const { send, runs } = harness();
    await send({});
    await send({ group: "inside-1m", vantage: "inside" });
    expect(runs.map(({ control }) => control?.name)).toEqual(["control", undefined]);
  });

  it("passes the time of the next run and the deadline of the message", async () => {
    const { send, runs } = harness();
    await send({ group: "outside-15s" });
    await send({ group: "outside-1m" }, "12:05:00.100");
    await send({ trigger: "validation", group: "outside-validation", request: "i/1/1", probes: ["api"] });
    const clock = (time = Number.NaN): string => new Date(time).toISOString().slice(14, 23);
    expect(runs.slice(0, 5).map(({ nextAt }) => clock(nextAt))).toEqual([
      "04:15.000",
      "04:30.000",
      "04:45.000",
      "05:00.000",
      "06:00.100",
    ]);
    expect(runs[5]?.nextAt).toBeUndefined();
    expect(runs.slice(0, 4).map(({ until }) => clock(until))).toEqual(Array(4).fill("05:40.400"));
  });
});

describe("a group that is too large for one run", () => {
  const attributes = { environment: "staging", vantage: "outside", trigger: "schedule", group: "outside-30s" };

  it("is republished in parts, which the filters route to the same subscription", async () => {
    const { send, requested, starts } = harness();
    await send({ group: "outside-30s" });
    await send({ group: "outside-30s" });
    expect(starts).toEqual([]);
    const parts = [1, 2, 3].map((index) => ({
      attributes,
      data: { group: "outside-30s", shard: { index, of: 3, requested_at: "2025-09-16T12:04:00.200Z" } },
    }));
    expect(requested).toMatchObject([...parts, ...parts]);
  });

  it("runs every probe once per round, in reports with the instant of the run", async () => {
    const { send, requested } = harness();
    await send({ group: "outside-30s" });
    const reports: Report[] = [];
    for (const { data } of requested) {
      const { send, published } = harness();
      // It was published after the minute had ended, and still belongs to the requested run.
      await send(data as ProbeRequest, "12:05:00.000");
      reports.push(...published.map((message) => message.data as Report));
    }
    const first = reports.filter(({ report }) => report.includes("12:04:00Z"));
    expect(first.map(({ report, results }) => [report, results.length])).toEqual([
      ["staging/outside-30s/2025-09-16T12:04:00Z/shard-1", 84],
      ["staging/outside-30s/2025-09-16T12:04:00Z/shard-2", 84],
      ["staging/outside-30s/2025-09-16T12:04:00Z/shard-3", 82],
    ]);
    const names = first.flatMap(({ results }) => results.map(({ probe }) => probe));
    expect(new Set(names).size).toBe(250);
    expect(reports.filter(({ report }) => report.includes("12:04:30Z"))).toHaveLength(3);
    expect(new Set(reports.map(({ group }) => group))).toEqual(new Set(["outside-30s"]));
  });

  it("fails the delivery when its parts are not accepted", async () => {
    const { send } = harness({ refuse: 1 });
    await expect(send({ group: "outside-30s" })).rejects.toBeInstanceOf(PublishError);
  });

  it.each([
    { index: 0, of: 3, requested_at: "2025-09-16T12:04:00.200Z" },
    { index: 4, of: 3, requested_at: "2025-09-16T12:04:00.200Z" },
    { index: 1, of: 3, requested_at: "yesterday" },
  ])("is not treated as a part with %j", async (shard) => {
    const { send } = harness();
    await expect(send({ group: "outside-30s", shard })).rejects.toBeInstanceOf(MalformedMessage);
  });

  it.each([101, 199, 200, 201, 1_000, 1_001])("divides %d probes evenly, each exactly once", (count) => {
    const probes = Array.from({ length: count }, (_, index) => index);
    const request: ProbeRequest = { v: 1, environment: "e", vantage: "outside", trigger: "schedule", group: "g" };
    const parts = shardsOf(request, count, { publishedAt: 0, attributes: {} }).map(({ data }) =>
      sharded(probes, data as ProbeRequest),
    );
    expect(parts.flat()).toEqual(probes);
    expect(Math.max(...parts.map(({ length }) => length))).toBeLessThanOrEqual(maxAtOnce);
    expect(parts.every(({ length }) => length > 0)).toBe(true);
  });
});

describe("a target that hangs", () => {
  it("does not delay the results of the others", async () => {
    const { send, reports } = harness({ hangs: true });
    await send({ group: "outside-1m" });
    expect(reports()).toEqual([
      "staging/outside-1m/2025-09-16T12:04:00Z/part",
      "staging/outside-1m/2025-09-16T12:04:00Z",
    ]);
  });

  it("delays the answer to a request for certain probes", async () => {
    const { send, reports } = harness({ hangs: true });
    await send({ group: "outside-1m", trigger: "validation", request: "validate-1", probes: ["api", "web"] });
    expect(reports()).toEqual(["staging/outside-1m/validate-1"]);
  });

  it("leaves results that were not accepted to the next publication", async () => {
    const { send, reports } = harness({ hangs: true, refuse: 1 });
    await expect(send({ group: "outside-1m" })).rejects.toBeInstanceOf(PublishError);
    expect(reports()).toEqual(["staging/outside-1m/2025-09-16T12:04:00Z"]);
    const rounds = harness({ hangs: true, refuse: 1 });
    await rounds.send({ group: "outside-15s" });
    expect(rounds.reports()).toHaveLength(8);
  });
});

describe("probes that hold a connection", () => {
  it("may take almost the maximum acknowledgement deadline of Pub/Sub", async () => {
    const { send, runs } = harness();
    await send({ group: "outside-15m-hold" });
    expect(runs.map(({ probes, until }) => [probes.map(({ name }) => name), until])).toEqual([
      [["held"], at("12:04:00.400") + 580_000],
    ]);
  });

  it("are skipped when a caller waits for the answer", async () => {
    const { send, runs } = harness();
    await send({ trigger: "validation", group: "outside-validation", request: "i/1/1", probes: ["api", "held"] });
    expect(runs.map(({ probes }) => probes.map(({ name }) => name))).toEqual([["api"]]);
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

  it("formats fractional seconds with milliseconds", () => {
    const rounds = roundsOf(request, "every 250ms", at("12:04:00.100"));
    expect(rounds).toHaveLength(240);
    expect(rounds.slice(0, 3).map(({ reportId }) => reportId.slice("e/g/2025-09-16T".length))).toEqual([
      "12:04:00Z",
      "12:04:00.250Z",
      "12:04:00.500Z",
    ]);
  });
});

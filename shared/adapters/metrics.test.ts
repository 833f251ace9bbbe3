import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  credentials,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import { fromJSON } from "@grpc/proto-loader";
import { afterEach, describe, expect, it } from "vitest";
import type { MetricPoint, MetricSink } from "../ports.ts";
import { connectMetrics } from "./metrics.ts";
import { MetricsFile } from "./metrics-file.ts";
import { MonitoringSink } from "./monitoring.ts";

process.env["METADATA_SERVER_DETECTION"] = "none";

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const at = Date.UTC(2025, 8, 16, 12, 0, 0, 250);

function point(metric: string, value: number, labels: Record<string, string> = {}): MetricPoint {
  return { metric, labels, value, at };
}

interface Request {
  readonly name: string;
  readonly timeSeries: readonly { readonly metric: { readonly type: string }; readonly points: readonly object[] }[];
}

/** A check by Cloud Monitoring of a request: returns an error sentence, or `undefined` if the request is valid. */
type Check = (request: Request) => string | undefined;

/** Cloud Monitoring's own service, made of the protos of its client. */
async function service(check: Check = () => undefined): Promise<{ sink: MonitoringSink; seen: Request[] }> {
  const protos = createRequire(import.meta.url).resolve("@google-cloud/monitoring/build/protos/protos.json");
  const json: Parameters<typeof fromJSON>[0] = JSON.parse(await readFile(protos, "utf8"));
  const definition = fromJSON(json, { longs: String, enums: String, oneofs: false, defaults: false });
  const seen: Request[] = [];
  const server = new Server();
  server.addService(definition["google.monitoring.v3.MetricService"] as Parameters<Server["addService"]>[0], {
    CreateTimeSeries(call: ServerUnaryCall<Request, object>, answer: sendUnaryData<object>) {
      seen.push(call.request);
      const problem = call.request.timeSeries.length > 200 ? "more than 200 time series" : check(call.request);
      if (problem === undefined) answer(null, {});
      else answer({ code: status.INVALID_ARGUMENT, details: problem });
    },
  });
  const port = await new Promise<number>((bound, failed) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, chosen) =>
      error === null ? bound(chosen) : failed(error),
    ),
  );
  closing.push(async () => server.forceShutdown());
  const client = { servicePath: "127.0.0.1", port, sslCreds: credentials.createInsecure() };
  const sink = new MonitoringSink({ projectId: "shop", environment: "staging", client, timeoutMs: 30_000 });
  closing.push(() => sink.close());
  return { sink, seen };
}

describe("Cloud Monitoring", () => {
  it("receives each point as a double gauge, with one resource per environment", async () => {
    const { sink, seen } = await service();
    expect(await sink.write([point("golden_path_e2e_time", 12.5, { probe: "chat" })])).toEqual({
      written: 1,
      refused: 0,
    });
    const instant = { seconds: "1758024000", nanos: 250_000_000 };
    expect(seen).toEqual([
      {
        name: "projects/shop",
        timeSeries: [
          {
            metric: { type: "custom.googleapis.com/pathkeeper/golden_path_e2e_time", labels: { probe: "chat" } },
            resource: {
              type: "generic_node",
              labels: { project_id: "shop", location: "global", namespace: "pathkeeper", node_id: "staging" },
            },
            metricKind: "GAUGE",
            valueType: "DOUBLE",
            points: [{ interval: { startTime: instant, endTime: instant }, value: { doubleValue: 12.5 } }],
          },
        ],
      },
    ]);
  });

  it("receives at most 200 series per call, and no NaN or infinity", async () => {
    const { sink, seen } = await service();
    const points = Array.from({ length: 450 }, (_, index) => point("reports", index, { group: `g${index}` }));
    expect(await sink.write([...points, point("reports", Number.NaN), point("reports", Infinity)])).toEqual({
      written: 450,
      refused: 2,
    });
    expect(seen.map(({ timeSeries }) => timeSeries.length).sort()).toEqual([200, 200, 50]);
  });

  it("may reject a part, which is logged without harm", async () => {
    const { sink } = await service(({ timeSeries: [first] }) =>
      first?.metric.type.endsWith("bad") ? "Points must be written in order" : undefined,
    );
    const points = Array.from({ length: 201 }, (_, index) => point(index < 200 ? "bad" : "good", index));
    expect(await sink.write(points)).toEqual({
      written: 1,
      refused: 200,
      reason: expect.stringContaining("Points must be written in order"),
    });
  });

  it("may be unreachable", async () => {
    const { sink } = await service();
    await closing.shift()?.();
    expect(await sink.write([point("reports", 1)])).toMatchObject({ written: 0, refused: 1 });
  });
});

describe("the file of one machine", () => {
  async function file(): Promise<{ sink: MetricSink; read: () => Promise<string> }> {
    const directory = await mkdtemp(join(tmpdir(), "pathkeeper-metrics-"));
    closing.push(() => rm(directory, { recursive: true }));
    const path = join(directory, "metrics.prom");
    const sink = await connectMetrics({ PATHKEEPER_METRICS: path, PATHKEEPER_PROJECT: "shop" }, "staging");
    if (!(sink instanceof MetricsFile)) throw new Error("no file");
    return { sink, read: () => readFile(path, "utf8") };
  }

  it("has the newest value of each series", async () => {
    const { sink, read } = await file();
    await sink.write([point("reports", 3), point("golden_path_success", 1, { probe: 'a "b"\n\\', component: "x" })]);
    await sink.write([point("reports", 4)]);
    expect(await read()).toBe(
      [
        "# HELP pathkeeper_golden_path_success 1 when the golden path was completed, 0 otherwise.",
        "# TYPE pathkeeper_golden_path_success gauge",
        'pathkeeper_golden_path_success{component="x",probe="a \\"b\\"\\n\\\\"} 1',
        "# HELP pathkeeper_reports Reports taken in since the last tick. Absent when the evaluator does not run.",
        "# TYPE pathkeeper_reports gauge",
        "pathkeeper_reports 4",
        "",
      ].join("\n"),
    );
  });

  it("reports a failed write", async () => {
    const sink = new MetricsFile("/no/such/folder/metrics.prom");
    expect(await sink.write([point("reports", 3)])).toMatchObject({
      refused: 1,
      reason: expect.stringMatching(/ENOENT/),
    });
  });
});

describe("the environment", () => {
  it.each([
    [{}, undefined],
    [{ PATHKEEPER_PROJECT: "shop" }, MonitoringSink],
    [{ PATHKEEPER_PROJECT: "local", FIRESTORE_EMULATOR_HOST: "127.0.0.1:1" }, undefined],
  ])("%j", async (variables, kind) => {
    const sink = await connectMetrics(variables, "staging");
    expect(sink?.constructor).toBe(kind);
  });
});

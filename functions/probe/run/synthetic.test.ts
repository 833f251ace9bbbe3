import { createServer } from "node:http";
import type { Request, Response } from "@google-cloud/functions-framework";
import { describe, expect, it } from "vitest";
import { googleApi } from "../../../shared/adapters/google-api.ts";
import type { Configuration, ConfiguredProbe } from "../../../shared/config/model.ts";
import type { ProbeResult } from "../../../shared/messages/report.ts";
import { canaries, listening, probeOf } from "../fixtures.ts";
import type { ProbePorts } from "../handler.ts";
import { chatJourney, givenToken, startChat } from "../journey.fixtures.ts";
import { type SyntheticResult, syntheticHandler, syntheticPath, syntheticResult } from "./synthetic.ts";

const metadata = { K_SERVICE: "probe-outside", K_REVISION: "probe-outside-00007" };

/** Serves the function over HTTP, with these probes. */
async function serve(probes: readonly ConfiguredProbe[], more: Partial<ProbePorts> = {}) {
  const said: [string, object | undefined][] = [];
  const configuration = { environment: "staging", probes } as unknown as Configuration;
  const handle = syntheticHandler(
    {
      configuration,
      vantage: "outside",
      secrets: { read: async (name) => canaries[name] ?? "" },
      google: googleApi("http://127.0.0.1:1"),
      publisher: {
        publish: () => Promise.reject(new Error("a synthetic monitor publishes nothing")),
        close: async () => {},
      },
      clock: { now: () => Date.now() },
      logger: {
        info: (message, fields) => void said.push([message, fields]),
        warning: () => {},
        error: (message) => void said.push([message, undefined]),
      },
      ...more,
    },
    metadata,
  );
  const port = await listening(
    createServer((request, response) => {
      // In the form of Express.
      const asked = Object.assign(request, {
        path: request.url,
        get: (name: string) => request.headers[name.toLowerCase()],
      });
      const answering = Object.assign(response, {
        status: (code: number) => Object.assign(response, { statusCode: code }),
        json: (body: unknown) => response.setHeader("content-type", "application/json").end(JSON.stringify(body)),
      });
      const name = (request.url ?? "").slice(syntheticPath.length);
      void handle(asked as unknown as Request, answering as unknown as Response, name);
    }),
  );
  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
    return { status: response.status, body: (await response.json()) as SyntheticResult & { error?: string } };
  };
  return { ask, said };
}

const journeyAt = (port: number): ConfiguredProbe => ({
  ...probeOf("journey", chatJourney(port) as unknown as Record<string, unknown>),
  name: "golden-path",
});

describe("a probe as a synthetic monitor", () => {
  it.each(["GET", "POST"])("answers %s in the format of the SDK when the probe succeeds", async (method) => {
    const { ask, said } = await serve([journeyAt((await startChat()).port)]);
    const before = Date.now();
    const { status, body } = await ask("/synthetic/golden-path", {
      method,
      headers: { "Synthetic-Execution-Id": "e-17" },
    });
    expect(status).toBe(200);
    expect(body).toEqual({
      synthetic_generic_result_v1: { ok: true },
      runtime_metadata: metadata,
      start_time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      end_time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    });
    expect(Date.parse(body.start_time)).toBeGreaterThanOrEqual(before);
    expect(Date.parse(body.end_time)).toBeGreaterThanOrEqual(Date.parse(body.start_time));
    expect(said).toEqual([["golden-path was run for a synthetic monitor: ok", { execution: "e-17" }]]);
  });

  it("names the failed step, conceals secrets, and has status 200", async () => {
    const chat = await startChat({ agents: (socket) => socket.close(1011, givenToken) });
    const { ask } = await serve([journeyAt(chat.port)]);
    const { status, body } = await ask("/synthetic/golden-path");
    expect(status).toBe(200);
    expect(body.synthetic_generic_result_v1).toEqual({
      ok: false,
      generic_error: {
        error_type: "unavailable",
        error_message: expect.stringMatching(
          /^step `agent events`: 127\.0\.0\.1:\d+ closed the connection with 1011 \(internal error\): \*\*\*/,
        ),
        function_name: "expect",
        file_path: "golden-path",
      },
    });
    expect(JSON.stringify(body)).not.toContain("c4n4ry");
  });

  it("answers 404 for probes of another vantage point, or of none", async () => {
    const { ask } = await serve([{ ...journeyAt(1), vantage: "inside" }]);
    for (const path of ["/synthetic/golden-path", "/synthetic/other", "/synthetic/"])
      expect(await ask(path)).toEqual({ status: 404, body: { error: "no such probe at this vantage point" } });
  });

  it("does not run a probe twice concurrently, and reports when it could not run", async () => {
    const gate = Promise.withResolvers<never>();
    const begun = Promise.withResolvers<void>();
    const { ask, said } = await serve([journeyAt(1)], {
      run: () => {
        begun.resolve();
        return gate.promise;
      },
    });
    const first = ask("/synthetic/golden-path");
    await begun.promise;
    expect(await ask("/synthetic/golden-path")).toEqual({
      status: 409,
      body: { error: "golden-path is already running for another monitor" },
    });
    gate.reject(new Error("no memory"));
    expect(await first).toEqual({ status: 500, body: { error: "the probe could not be run" } });
    expect(said).toEqual([["golden-path could not be run for a synthetic monitor: no memory", undefined]]);
  });
});

describe("syntheticResult", () => {
  it("has only the fields of the SDK's SyntheticResult", () => {
    const result: ProbeResult = {
      probe: "api",
      component: "api",
      at: "2025-09-16T12:00:00.000Z",
      success: false,
      failure: { kind: "timeout", phase: "connect", message: "no answer" },
      measurements: [],
    };
    expect(syntheticResult(result, Date.parse("2025-09-16T12:00:01Z"), {})).toEqual({
      synthetic_generic_result_v1: {
        ok: false,
        generic_error: {
          error_type: "timeout",
          error_message: "no answer",
          function_name: "connect",
          file_path: "api",
        },
      },
      runtime_metadata: {},
      start_time: "2025-09-16T12:00:00.000Z",
      end_time: "2025-09-16T12:00:01.000Z",
    });
  });
});

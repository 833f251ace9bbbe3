import type { Request, Response } from "@google-cloud/functions-framework";
import { describe, expect, it } from "vitest";
import { MemoryPublisher } from "../adapters/memory.ts";
import { MalformedMessage } from "../messages/parse.ts";
import { encodePush } from "../messages/push.ts";
import type { Publisher } from "../ports.ts";
import { structuredLogger } from "./logger.ts";
import { pushFunction, TryAgain } from "./shell.ts";

const push = encodePush({ messageId: "1", publishedAt: 0, attributes: {}, data: { v: 1 }, subscription: "s" });
const broken: Publisher = {
  publish: () => Promise.reject(new Error("Pub/Sub is away")),
  close: () => Promise.resolve(),
};
const trace = "105445aa7843bc8bf206b12000100000";

/** Returns the response to a request, and the lines logged during it. */
async function answered(
  handle: () => Promise<void>,
  {
    method = "POST",
    type = "application/json",
    body = push as unknown,
    publisher = new MemoryPublisher() as Publisher,
    ...more
  }: {
    method?: string;
    type?: string;
    body?: unknown;
    publisher?: Publisher;
    limitMs?: number;
    exit?: () => void;
  } = {},
): Promise<{ status: number; text: string; lines: Record<string, unknown>[] }> {
  const lines: string[] = [];
  const logger = structuredLogger((line) => lines.push(line), { service: "test", project: "watch" });
  const answer = { status: 0, text: "" };
  const said = (text = ""): void => {
    answer.text = text;
  };
  const response = {
    status: (status: number) => {
      answer.status = status;
      return response;
    },
    type: () => response,
    send: said,
    end: said,
  };
  const headers: Readonly<Record<string, string>> = {
    "x-cloud-trace-context": `${trace}/1;o=1`,
    ...(type === "" ? {} : { "content-type": type }),
  };
  const request = { method, body, path: "/", get: (name: string) => headers[name] };
  const served = pushFunction("test", { logger, publisher, ...more }, handle);
  await served(request as unknown as Request, response as unknown as Response);
  return { ...answer, lines: lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

const fails = (error: unknown) => (): Promise<void> => Promise.reject(error);

describe("the answer to a push", () => {
  it.each([
    ["is done: acknowledged", () => Promise.resolve(), {}, 204, []],
    ["is not done yet: again later, and no error", fails(new TryAgain("busy")), {}, 503, ["INFO"]],
    ["failed: again later, and an error", fails(new Error("broken")), {}, 500, ["ERROR"]],
    ["failed without an error of its own", fails("broken"), {}, 500, ["ERROR"]],
    ["cannot be read: buried and acknowledged", fails(new MalformedMessage("no tick")), {}, 204, ["ERROR"]],
    ["is no push at all: buried and acknowledged", () => Promise.resolve(), { body: { no: 1 } }, 204, ["ERROR"]],
    ["cannot be buried: again later", () => Promise.resolve(), { body: 1, publisher: broken }, 500, ["ERROR", "ERROR"]],
    ["is a question whether it is there", fails(new Error("not asked")), { method: "GET" }, 200, []],
  ])("that %s", async (_what, handle, request, status, severities) => {
    const { lines, ...answer } = await answered(handle, request);
    expect(answer.status).toBe(status);
    expect(lines.map(({ severity }) => severity)).toEqual(severities);
    for (const line of lines) expect(line["logging.googleapis.com/trace"]).toBe(`projects/watch/traces/${trace}`);
  });

  it.each(["application/json; charset=utf-8", "Application/JSON", "application/json ;charset=utf-8"])(
    "of the type %s is that to JSON",
    async (type) => {
      expect(await answered(() => Promise.resolve(), { type })).toMatchObject({ status: 204, lines: [] });
    },
  );

  it.each([
    ["a form", "POST", "application/x-www-form-urlencoded", { message: { data: "MQ==" } }],
    ["a form with files", "POST", "multipart/form-data; boundary=x", Buffer.of(1)],
    ["plain text that looks like JSON", "POST", "text/plain", JSON.stringify(push)],
    ["text that names JSON", "POST", "text/plain; application/json", JSON.stringify(push)],
    ["something like JSON", "POST", "application/jsonp", push],
    ["something else in JSON", "POST", "application/cloudevents+json", push],
    ["a body without a type, which nobody has read", "POST", "", undefined],
    ["a question about other origins", "OPTIONS", "", undefined],
    ["a form by another method", "PUT", "application/x-www-form-urlencoded", push],
  ])("of %s is 415, neither handled nor dead-lettered", async (_what, method, type, body) => {
    const publisher = new MemoryPublisher();
    const handled = fails(new Error("not to be handled"));
    const { status, text } = await answered(handled, { method, type, body: body ?? null, publisher });
    expect([status, text]).toEqual([415, "the content-type must be application/json\n"]);
    expect(publisher.published).toEqual([]);
  });

  it("that failed appears in Error Reporting, with its stack", async () => {
    const { lines } = await answered(fails(new Error("broken")));
    expect(lines).toMatchObject([
      {
        "@type": expect.stringMatching(/ReportedErrorEvent$/),
        stack_trace: expect.stringMatching(/^Error: broken\n +at /),
      },
    ]);
  });
});

describe("a handler that hangs", () => {
  it("gets an error response at its limit, and the process exits if it never ends", async () => {
    const ended = Promise.withResolvers<number>();
    const began = performance.now();
    const { status, text } = await answered(() => new Promise(() => {}), {
      limitMs: 50,
      exit: () => ended.resolve(performance.now() - began),
    });
    expect([status, text]).toEqual([503, "the message was not done within 0.05 s"]);
    expect(await ended.promise).toBeGreaterThan(90);
  });

  it("does not stop the process if it ends late, with or without an error", async () => {
    let exits = 0;
    const later = Promise.withResolvers<void>();
    const options = { limitMs: 30, exit: () => (exits += 1) };
    expect((await answered(() => later.promise, options)).status).toBe(503);
    later.reject(new Error("too late to matter"));
    await new Promise((done) => setTimeout(done, 60));
    expect(exits).toBe(0);
  });
});

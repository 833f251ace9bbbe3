import { type AddressInfo, createServer, type Server } from "node:net";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { PushSender } from "./push-sender.ts";
import { type Answer, openReceiver, type Receiver } from "./receiver.ts";

const sender = new PushSender();
const receivers: Receiver[] = [];
afterEach(async () => {
  for (const receiver of receivers.splice(0)) await receiver.close();
});
afterAll(() => sender.close());

const body = JSON.stringify({ message: { messageId: "1", publishTime: "2025-09-16T12:00:00Z", data: "e30=" } });

async function push(answer: Answer, signal = new AbortController().signal): ReturnType<PushSender["send"]> {
  const receiver = await openReceiver(answer);
  receivers.push(receiver);
  return sender.send(new URL("/ticks", receiver.url), body, signal);
}

describe("the response to a push", () => {
  it.each([200, 201, 202, 204])("%d acknowledges", async (status) => {
    expect(await push(() => status)).toEqual({ acknowledged: true });
  });

  it.each([203, 205, 206, 301, 302, 304, 307, 400, 401, 404, 409, 429, 500, 502, 503])(
    "%d does not acknowledge",
    async (status) => {
      expect(await push(() => status)).toEqual({ acknowledged: false, because: `HTTP status ${status}` });
    },
  );

  it("102 acknowledges before the work is complete", async () => {
    let finish = (): void => {};
    const outcome = await push(async (_push, response) => {
      response.writeProcessing();
      await new Promise<void>((done) => {
        finish = done;
      });
      return 500;
    });
    finish();
    expect(outcome).toEqual({ acknowledged: true });
  });

  it.each<[string, Answer, RegExp]>([
    ["a reset", (_push, _response, request) => void request.socket.resetAndDestroy(), /ECONNRESET|socket hang up/],
    [
      "a reset amid the body",
      (_push, response, request) => {
        response.writeHead(200, { "content-length": 10 });
        response.write("half", () => request.socket.resetAndDestroy());
        return undefined;
      },
      /ECONNRESET|aborted/,
    ],
    ["no HTTP", (_push, _response, request) => void request.socket.end("220 mail.example ESMTP\r\n"), /Expected HTTP/],
  ])("%s does not acknowledge", async (_name, answer, because) => {
    expect(await push(answer)).toEqual({ acknowledged: false, because: expect.stringMatching(because) });
  });

  it.each<[string, (response: Parameters<Answer>[1]) => void]>([
    ["no answer", () => {}],
    ["an answer that does not end", (response) => response.writeHead(200).write("…")],
  ])("%s by the deadline does not acknowledge", async (_name, dawdle) => {
    const deadline = new AbortController();
    const outcome = push((_push, response) => {
      dawdle(response);
      setImmediate(() => deadline.abort("no answer within 60 s"));
      return undefined;
    }, deadline.signal);
    expect(await outcome).toEqual({ acknowledged: false, because: "no answer within 60 s" });
  });

  it("a refused connection does not acknowledge", async () => {
    const server: Server = createServer();
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const { port } = server.address() as AddressInfo;
    await new Promise((closed) => server.close(closed));
    const outcome = await sender.send(new URL(`http://127.0.0.1:${port}/`), body, new AbortController().signal);
    expect(outcome).toEqual({ acknowledged: false, because: expect.stringContaining("ECONNREFUSED") });
  });
});

describe("the request of a push", () => {
  it("is the same as in the cloud, over a keep-alive connection", async () => {
    const ports: (number | undefined)[] = [];
    const receiver = await openReceiver((_push, _response, request) => {
      ports.push(request.socket.remotePort);
      return 204;
    });
    receivers.push(receiver);
    for (let times = 0; times < 3; times += 1) {
      await sender.send(new URL("/ticks", receiver.url), body, new AbortController().signal);
    }
    expect(receiver.pushes[0]).toMatchObject({
      path: "/ticks",
      headers: {
        "content-type": "application/json",
        "content-length": String(body.length),
        "user-agent": "CloudPubSub-Google",
      },
      body: JSON.parse(body),
    });
    expect(new Set(ports).size).toBe(1);
  });
});

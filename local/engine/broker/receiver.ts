/** For tests: a push endpoint with scripted responses. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { decodePush, type PushedMessage } from "../../../shared/messages/push.ts";

/** One push as it arrived. */
export interface ReceivedPush {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** The parsed JSON body. */
  readonly body: unknown;
  readonly message: PushedMessage;
  /** Number of unanswered pushes when it arrived, including itself. */
  readonly underWay: number;
}

/** Answers a push: with a status, or in its own way. */
export type Answer = (
  push: ReceivedPush,
  response: ServerResponse,
  request: IncomingMessage,
) => number | undefined | Promise<number | undefined>;

/** A running receiver. */
export interface Receiver {
  readonly url: string;
  readonly pushes: readonly ReceivedPush[];
  close(): Promise<void>;
}

/** Opens a receiver on a free port of the loopback. @param answer @default 204 to everything */
export async function openReceiver(answer: Answer = () => 204): Promise<Receiver> {
  const pushes: ReceivedPush[] = [];
  let underWay = 0;
  const server = createServer(async (request, response) => {
    underWay += 1;
    response.on("close", () => {
      underWay -= 1;
    });
    let text = "";
    for await (const chunk of request.setEncoding("utf8")) text += chunk;
    const body: unknown = JSON.parse(text);
    const { url: path = "", headers } = request;
    const push = { path, headers, body, message: decodePush(body), underWay };
    pushes.push(push);
    const status = await answer(push, response, request);
    if (status !== undefined) response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the receiver has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    pushes,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

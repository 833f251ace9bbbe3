/** Listens to the system as one more subscriber: every report that passes, for the live view. */

import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { decodePush, isJson } from "../shared/messages/push.ts";
import { parseReport, type Report } from "../shared/messages/report.ts";
import { type PushSubscription, topics } from "../shared/topology.ts";
import { guardRequests, withToken } from "./engine/request-guard.ts";

/** A running observer. */
export interface Observer {
  /** With the token. */
  readonly url: string;
  stop(): Promise<void>;
}

/** The subscription that feeds it. What it misses is gone: it only looks. */
export const observation: PushSubscription = {
  name: "local-observer",
  topic: topics.measurements,
  path: "/",
  ackDeadlineSeconds: 10,
  minimumBackoffSeconds: 1,
  maximumBackoffSeconds: 10,
  maxDeliveryAttempts: 5,
};

/** Starts the observer on a free port of 127.0.0.1. */
export async function startObserver(onReport: (report: Report) => void, token: string): Promise<Observer> {
  const server: Server = createServer((request, response) => {
    if (!isJson(request.headers["content-type"])) {
      request.resume();
      response.writeHead(415).end();
      return;
    }
    json(request)
      .then((body) => onReport(parseReport(decodePush(body).data)))
      // Whatever it is, it is acknowledged: an observer must not fill the dead letters.
      .catch(() => {})
      .finally(() => response.writeHead(204).end());
  });
  guardRequests(server, token).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: withToken(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, token),
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

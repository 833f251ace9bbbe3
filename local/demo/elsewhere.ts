/** The rest of the world, as far as the demo needs it: something that always answers, by which the probes control their own network. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Service } from "./services.ts";

/** Starts it. It has no part in what the demo plays. */
export async function startElsewhere(): Promise<Service> {
  const server = createServer((_request, response) => response.writeHead(204).end());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

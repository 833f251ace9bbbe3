/** The rest of the world, as far as the demo needs it: something that always answers, by which the probes control their own network. */
import { createServer } from "node:http";
import { close, listen, type Service } from "./http.ts";

/** Starts it. It has no part in what the demo plays. */
export async function startElsewhere(): Promise<Service> {
  const server = createServer((_request, response) => response.writeHead(204).end());
  return { port: await listen(server), stop: () => close(server) };
}

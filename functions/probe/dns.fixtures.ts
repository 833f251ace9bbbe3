/** DNS servers for tests. */
import { onTestFinished } from "vitest";
import { type Answering, startDnsServer } from "./dns-server.fixtures.ts";
import { listening } from "./fixtures.ts";

export type { DnsAnswer } from "./dns-server.fixtures.ts";

/** Starts a server that runs until the test ends. @returns the port */
export async function dnsServer(answering: Answering): Promise<number> {
  const { port, stop } = await startDnsServer(answering, listening);
  onTestFinished(stop);
  return port;
}

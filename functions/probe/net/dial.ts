/** Opens fresh connections, one phase after the other: never pooled, and never raced over several addresses. */

import { connect, isIP, type NetConnectOpts, type Socket } from "node:net";
import { resolveHost } from "../../../shared/net/lookup.ts";
import type { ProbeWorld } from "../prober.ts";
import { ProbeFault } from "./faults.ts";
import type { Stopwatch } from "./stopwatch.ts";

/** The address to connect to: a host and port, or a local socket. */
export type Address =
  | { readonly host: string; readonly port: number; readonly family?: 4 | 6 }
  | { readonly path: string };

/**
 * Connects to the first address of a host, in the phases `dns` (none for a literal address) and `connect`. The socket is destroyed at the
 * deadline, and when the probe ends.
 * @throws the error of the lookup or of the socket
 */
export async function dial(address: Address, world: ProbeWorld, watch: Stopwatch): Promise<Socket> {
  if ("path" in address) return await open({ path: address.path }, world, watch);
  const { port, family } = address;
  const host = await addressOf(address.host, family, world, watch);
  return await open({ host, port }, world, watch);
}

/** Waits for an event of a socket, or for an error instead of it. */
export function eventOf(socket: Socket, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      socket.off(event, arrived).off("error", settle).off("close", closed);
      if (error) reject(error);
      else resolve();
    };
    const arrived = (): void => settle();
    const closed = (): void => settle(Object.assign(new Error("closed by the peer"), { code: "ECONNRESET" }));
    socket.on(event, arrived).on("error", settle).on("close", closed);
  });
}

async function addressOf(
  host: string,
  family: 4 | 6 | undefined,
  world: ProbeWorld,
  watch: Stopwatch,
): Promise<string> {
  const literal = isIP(host);
  if (literal !== 0) {
    if (family === undefined || family === literal) return host;
    throw new ProbeFault("dns", `${host} is an IPv${literal} address, but ip_version is ${family}`);
  }
  watch.enter("dns");
  const [{ address }] = await resolveHost(host, { family, signal: world.signal });
  return address;
}

async function open(options: NetConnectOpts, world: ProbeWorld, watch: Stopwatch): Promise<Socket> {
  world.signal.throwIfAborted();
  if ("host" in options && options.host !== undefined) world.permit?.(options.host);
  watch.enter("connect");
  if ("host" in options && options.host !== undefined) watch.tries(options.host);
  const socket = connect({ ...options, noDelay: true });
  // Faults reach the prober through the promise that it awaits; a later one must not end the process.
  socket.on("error", () => {});
  const giveUp = (): void => void socket.destroy(new Error("the probe timed out"));
  world.signal.addEventListener("abort", giveUp, { once: true });
  world.onClose(() => {
    world.signal.removeEventListener("abort", giveUp);
    socket.destroy();
  });
  await eventOf(socket, "connect");
  watch.stop();
  return socket;
}

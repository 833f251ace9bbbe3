/** Cases of protocols in which a server talks over a connection of its own. */
import type { Socket } from "node:net";
import type { Case, Check, Verdict } from "../case.ts";

/**
 * Returns what makes a case of one protocol: a server that talks, and what a monitor must say of it.
 * @param at the check of a server on a port, with more settings
 */
export function talking<More extends object>(at: (port: number, more?: More) => Check) {
  return (name: string, talk: (socket: Socket) => void, verdict: Verdict, more?: More, timeoutMs?: number): Case => ({
    name,
    verdict,
    serve: async (stand) => at(await stand.tcp(talk), more),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
}

/** Cases of protocols in which a server communicates over its own connection. */
import type { Socket } from "node:net";
import type { Case, Check, Verdict } from "../case.ts";

/**
 * Returns a function that creates cases of one protocol: a server's behaviour, and the result that a monitor must report.
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

/** Divides large groups: a request for more probes than one run takes is republished, once for each part. */
import type { ProbeRequest } from "../../../shared/messages/probe-request.ts";
import type { PushedMessage } from "../../../shared/messages/push.ts";
import type { OutgoingMessage } from "../../../shared/ports.ts";
import { roundsAttribute } from "../../../shared/topology.ts";
import { maxAtOnce } from "./run.ts";

/**
 * Divides a request into several, with the attributes that route them back to this subscription; none if the request is small enough, or is
 * a part itself. Every delivery of a request is divided in the same way, so that its parts have the same report IDs.
 * @param message that contained the request
 */
export function shardsOf(
  request: ProbeRequest,
  probes: number,
  { publishedAt, attributes }: Pick<PushedMessage, "publishedAt" | "attributes">,
): OutgoingMessage[] {
  if (request.shard !== undefined || probes <= maxAtOnce) return [];
  const of = Math.ceil(probes / maxAtOnce);
  const { environment, vantage, trigger, group } = request;
  const { [roundsAttribute]: rounds } = attributes;
  const way = { environment, vantage, trigger, group, ...(rounds === undefined ? {} : { [roundsAttribute]: rounds }) };
  const requested_at = new Date(publishedAt).toISOString();
  return Array.from({ length: of }, (_, position) => {
    const data: ProbeRequest = { ...request, shard: { index: position + 1, of, requested_at } };
    return { data, attributes: way };
  });
}

/** Returns the probes of a request: all of them, or its part. */
export function sharded<T>(probes: readonly T[], { shard }: ProbeRequest): readonly T[] {
  if (shard === undefined) return probes;
  const share = Math.ceil(probes.length / shard.of);
  return probes.slice((shard.index - 1) * share, shard.index * share);
}

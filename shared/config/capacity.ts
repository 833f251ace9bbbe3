/** Capacity by arithmetic: whether all that may connect at once fits into what it connects to. */
import { list } from "../text/sentences.ts";
import type { Capacity, Configuration } from "./model.ts";

/** One sum: what may be opened at most, and what it must fit into. */
export interface CapacitySum {
  /** Source of the limit: a key of `capacity`. */
  readonly by: "database" | "connector";
  readonly demand: number;
  readonly limit: number;
  /** The arithmetic as a sentence without its end. */
  readonly text: string;
}

/** The sums that a configuration asks for. */
export function capacitySums({ capacity }: Pick<Configuration, "capacity">): CapacitySum[] {
  if (capacity === undefined || capacity.services.length === 0) return [];
  const { services, database, connector } = capacity;
  const demand = services.reduce((sum, service) => sum + demandOf(service), 0);
  const each = services.map((service) => termOf(service, services.length));
  const opened = `${list(each, Number.POSITIVE_INFINITY)} connections${services.length > 1 ? ` are ${demand} together` : ""}`;
  const sums: CapacitySum[] = [];
  if (database !== undefined) {
    const { maxConnections, reserved } = database;
    const less = reserved === 0 ? "" : ` (max_connections ${maxConnections} less ${reserved} reserved)`;
    const limit = maxConnections - reserved;
    sums.push({ by: "database", demand, limit, text: `${opened}, and the database allows ${limit}${less}` });
  }
  if (connector !== undefined) {
    const { connections: limit } = connector;
    sums.push({ by: "connector", demand, limit, text: `${opened}, and the connector carries ${limit} at once` });
  }
  return sums;
}

/** Describes a sum beyond its limit, as a sentence; `undefined` if it fits. */
export function capacityProblem({ by, demand, limit, text }: CapacitySum): string | undefined {
  if (demand <= limit) return undefined;
  const more = by === "database" ? "raise max_connections" : "give the connector more, or take the database off it";
  return `${text}: lower max_instances or the pools, or ${more}`;
}

function demandOf({ maxInstances, pool }: Capacity["services"][number]): number {
  return maxInstances * (pool.size + pool.overflow);
}

/** `backend 10 x (10 + 15) = 250`. */
function termOf(service: Capacity["services"][number], of: number): string {
  const { name, maxInstances, pool } = service;
  const one = pool.overflow === 0 ? String(pool.size) : `(${pool.size} + ${pool.overflow})`;
  const term = `${maxInstances} x ${one} = ${demandOf(service)}`;
  return of > 1 ? `${name} ${term}` : `${name} may open ${term}`;
}

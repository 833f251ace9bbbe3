/** The demo's VPC connector: a TCP proxy that everybody inside takes to the database and the cache, and whose faults can be set while it runs. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { Transform } from "node:stream";

/** Fault of the connector. `healthy` means no fault. */
export interface ConnectorFaults {
  /** Added to the establishment of every new connection, in milliseconds. */
  readonly latencyMs: number;
  /**
   * Share of the connections that are lost, from 0 to 1: of those open at that moment, and of every new one. No program can drop the
   * first packet of a handshake, so a lost connection is accepted and then nothing ever answers.
   */
  readonly lost: number;
  /** True if new connections are reset at once. */
  readonly refuse: boolean;
  /** Throughput of each connection and direction; `Infinity` for no limit. */
  readonly bytesPerSecond: number;
  /** Share of its capacity that other services on the same connector use, from 0 to 1. */
  readonly neighbours: number;
}

/** A connector without faults, and with quiet neighbours. */
export const healthy: ConnectorFaults = {
  latencyMs: 0,
  lost: 0,
  refuse: false,
  bytesPerSecond: Number.POSITIVE_INFINITY,
  neighbours: 0.2,
};

/** Counters of the connector. */
export interface ConnectorLoad {
  /** Connections that are open now, lost ones included. */
  readonly open: number;
  /** New connections in the last whole second. */
  readonly newPerSecond: number;
  /** Utilization of its limit of 50 connections, including its neighbours, from 0 to 1. */
  readonly utilization: number;
  /** To what is behind it and back, since it started. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

/** A running connector. */
export interface Connector {
  /** It listens on 127.0.0.1. */
  readonly port: number;
  /** Leads to another port of 127.0.0.1 as well. @returns the port at which it listens for that */
  lead(target: number): Promise<number>;
  setFaults(faults: ConnectorFaults): void;
  load(): ConnectorLoad;
  /** Cuts every connection and stops listening. */
  stop(): Promise<void>;
}

const ceiling = 50;

/** Starts a connector in front of the port `target` of 127.0.0.1. */
export async function startConnector(target: number): Promise<Connector> {
  const open = new Set<Connection>();
  let faults = healthy;
  let toLose = 0;
  let arrivals: number[] = [];
  const carried: Carried = { sentBytes: 0, receivedBytes: 0 };

  /** Loses exactly the share that is set, evenly spread, so that every run of the demo is the same. */
  const isLost = (): boolean => {
    toLose += faults.lost;
    if (toLose < 1 - Number.EPSILON) return false;
    toLose -= 1;
    return true;
  };
  const recent = (): number[] => {
    const since = Date.now() - 1_000;
    arrivals = arrivals.filter((at) => at > since);
    return arrivals;
  };

  const servers: Server[] = [];
  const lead = async (to: number): Promise<number> => {
    const server = createServer({ pauseOnConnect: true }, (client) => {
      recent().push(Date.now());
      if (faults.refuse) {
        client.resetAndDestroy();
        return;
      }
      const connection = join(client, to, faults, carried);
      open.add(connection);
      client.once("close", () => open.delete(connection));
      if (isLost()) connection.lose();
    });
    servers.push(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  };

  return {
    port: await lead(target),
    lead,
    setFaults: (next) => {
      faults = next;
      toLose = 0;
      for (const connection of open) if (isLost()) connection.lose();
    },
    load: () => ({
      open: open.size,
      newPerSecond: recent().length,
      utilization: Math.min(1, faults.neighbours + open.size / ceiling),
      ...carried,
    }),
    stop: async () => {
      for (const connection of open) connection.destroy();
      const closed = servers.filter(({ listening }) => listening).map((server) => once(server.close(), "close"));
      await Promise.all(closed);
    },
  };
}

/** One client's connection through the connector. */
interface Connection {
  /** From now on nothing passes, in silence, until the client gives up. */
  lose(): void;
  destroy(): void;
}

interface Carried {
  sentBytes: number;
  receivedBytes: number;
}

function join(client: Socket, target: number, faults: ConnectorFaults, carried: Carried): Connection {
  let server: Socket | undefined;
  const forward = (): void => {
    server = connect({ port: target, host: "127.0.0.1" });
    server.on("error", () => client.destroy());
    server.on("close", () => client.destroy());
    client.on("data", (chunk) => {
      carried.sentBytes += chunk.length;
    });
    server.on("data", (chunk) => {
      carried.receivedBytes += chunk.length;
    });
    client.pipe(throttle(faults.bytesPerSecond)).pipe(server);
    server.pipe(throttle(faults.bytesPerSecond)).pipe(client);
  };
  const timer = setTimeout(forward, faults.latencyMs);
  client.on("error", () => {});
  client.on("close", () => {
    clearTimeout(timer);
    server?.destroy();
  });
  return {
    lose: () => {
      clearTimeout(timer);
      client.unpipe();
      server?.removeAllListeners("close").destroy();
      client.resume();
    },
    destroy: () => client.destroy(),
  };
}

function throttle(bytesPerSecond: number): Transform {
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      if (bytesPerSecond === Number.POSITIVE_INFINITY) done(null, chunk);
      else setTimeout(done, (chunk.length / bytesPerSecond) * 1_000, null, chunk);
    },
  });
}

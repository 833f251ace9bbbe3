import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Connector, healthy, startConnector } from "./connector.ts";

let echo: Server;
let connector: Connector;
const clients: Socket[] = [];

beforeEach(async () => {
  echo = createServer((socket) => {
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  echo.listen(0, "127.0.0.1");
  await once(echo, "listening");
  connector = await startConnector((echo.address() as AddressInfo).port);
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await connector.stop();
  echo.close();
});

/** Opens a connection; the first packet went through when this returns. */
async function open(): Promise<Socket> {
  const socket = connect(connector.port, "127.0.0.1");
  socket.on("error", () => {});
  clients.push(socket);
  await once(socket, "connect");
  return socket;
}

/** Returns true if sent data is echoed within the timeout, which is long for a loopback connection and short for a lost one. */
async function answers(socket: Socket, text = "hello", withinMs = 400): Promise<boolean> {
  socket.write(text);
  let received = "";
  try {
    while (received.length < text.length) {
      const [chunk] = await once(socket, "data", { signal: AbortSignal.timeout(withinMs) });
      received += String(chunk);
    }
  } catch {
    return false;
  }
  return received === text;
}

describe("the connector", () => {
  it("connects to several targets, and fails for all of them at once", async () => {
    const other = await connector.lead((echo.address() as AddressInfo).port);
    const opened = async (): Promise<Socket> => {
      const socket = connect(other, "127.0.0.1");
      socket.on("error", () => {});
      clients.push(socket);
      await once(socket, "connect");
      return socket;
    };
    expect(await answers(await opened())).toBe(true);
    expect(await answers(await open())).toBe(true);
    expect(connector.load().open).toBe(2);
    connector.setFaults({ ...healthy, lost: 1 });
    expect(await answers(await opened(), "hello", 100)).toBe(false);
    expect(await answers(await open(), "hello", 100)).toBe(false);
  });

  it("forwards everything while it is healthy", async () => {
    expect(await answers(await open())).toBe(true);
    expect(connector.load()).toMatchObject({ open: 1, newPerSecond: 1 });
    expect(connector.load().utilization).toBeCloseTo(0.22);
  });

  it("adds its latency to new connections only", async () => {
    const old = await open();
    expect(await answers(old)).toBe(true);
    connector.setFaults({ ...healthy, latencyMs: 300 });
    const started = performance.now();
    expect(await answers(await open(), "hello", 5_000)).toBe(true);
    expect(performance.now() - started).toBeGreaterThanOrEqual(295);
    expect(await answers(old)).toBe(true);
  });

  it("silently loses the configured share of existing and new connections", async () => {
    const old = [await open(), await open()];
    expect(await Promise.all(old.map((socket) => answers(socket)))).toEqual([true, true]);
    connector.setFaults({ ...healthy, lost: 0.5 });
    expect((await Promise.all(old.map((socket) => answers(socket)))).filter(Boolean)).toHaveLength(1);
    const fresh = [await open(), await open(), await open(), await open()];
    expect((await Promise.all(fresh.map((socket) => answers(socket)))).filter(Boolean)).toHaveLength(2);
    expect([...old, ...fresh].map((socket) => socket.closed)).not.toContain(true);
    expect(connector.load().open).toBe(6);
  });

  it("serves new connections as soon as it is repaired, and drops lost ones when their clients disconnect", async () => {
    connector.setFaults({ ...healthy, lost: 1 });
    const lost = await open();
    expect(await answers(lost)).toBe(false);
    connector.setFaults(healthy);
    lost.end();
    await once(lost, "close");
    expect(await answers(await open())).toBe(true);
    expect(connector.load().open).toBe(1);
  });

  it("resets new connections in refuse mode", async () => {
    connector.setFaults({ ...healthy, refuse: true });
    const socket = connect(connector.port, "127.0.0.1");
    const [error] = await once(socket, "error").catch((thrown: Error) => [thrown]);
    expect(error).toMatchObject({ code: "ECONNRESET" });
  });

  it("limits its throughput", async () => {
    connector.setFaults({ ...healthy, bytesPerSecond: 50_000 });
    const started = performance.now();
    expect(await answers(await open(), "x".repeat(10_000), 10_000)).toBe(true);
    expect(performance.now() - started).toBeGreaterThanOrEqual(195);
  });

  it("closes its client connections when its server is gone", async () => {
    const socket = await open();
    expect(await answers(socket)).toBe(true);
    const closed = once(socket, "close");
    await connector.stop();
    await closed;
    expect(connector.load().open).toBe(0);
  });
});

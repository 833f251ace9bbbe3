/** Tests the addresses on which `npm start` listens, and the requests that it accepts. */
import { stat } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkedConfiguration } from "../../cli/checked-configuration.ts";
import { run } from "../../cli/local-probes.fixtures.ts";
import { sampleEvent } from "../../cli/sample-event.ts";
import { deliveries } from "../../functions/notify/deliver/ledger.ts";
import { missingEmulator } from "../../local/engine/emulators.ts";
import { SqliteStore } from "../../shared/adapters/sqlite.ts";
import { encodePush } from "../../shared/messages/push.ts";
import { topics } from "../../shared/topology.ts";
import { type Listener, listenersOf, listsListeners } from "../support/listeners.ts";
import { dataDirectory, processesOf, startLocalSystem } from "../support/local-system.ts";

if (!listsListeners) console.warn("\n######## NOT TESTED: where npm start listens, which only Linux tells ########\n");
const missing = missingEmulator("firestore") ?? missingEmulator("pubsub");
if (missing !== undefined)
  console.warn(`\n######## NOT TESTED: where Google's emulators listen ########\n# ${missing}\n`);

/** Starts the demo, healthy and at its beginning, until the test ends. */
async function started(...args: string[]) {
  const data = await dataDirectory();
  const system = startLocalSystem([...args, "--data", data]);
  // Before its first measurement, the probe function briefly listens for its own warm-up.
  await system.prints("unknown -> ok");
  const processes = await processesOf(data);
  return { path: data, processes, listeners: listenersOf(processes["local"] ?? 0) };
}

const form = { "content-type": "application/x-www-form-urlencoded", origin: "http://evil.example" };
const text = { "content-type": "text/plain", origin: "http://evil.example" };
const json = { "content-type": "application/json" };

/** Returns the status of the response; 0 if the connection is closed without one, as by a server of another protocol. */
function post(port: number, path: string, headers: Record<string, string>, body: string): Promise<number> {
  return new Promise((resolve) => {
    request({ host: "127.0.0.1", port, path, method: "POST", headers: { host: `127.0.0.1:${port}`, ...headers } })
      .on("response", (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      })
      .on("error", () => resolve(0))
      .end(body);
  });
}

/** A push submitted as a form, which the framework would parse like JSON. */
function asForm(push: { readonly message: Readonly<Record<string, unknown>> }): string {
  return new URLSearchParams(
    Object.entries(push.message).map(([name, value]): [string, string] => [`message[${name}]`, String(value)]),
  ).toString();
}

describe.skipIf(!listsListeners)("npm start", () => {
  it("listens on loopback only, and accepts messages only with its token", {
    timeout: 120_000,
  }, async () => {
    const { path, processes, listeners } = await started();
    const portsOf = (pid: number | undefined): number[] =>
      listeners.filter((one) => one.pid === pid).map(({ port }) => port);
    expect(listeners.filter(({ isLoopback }) => !isLoopback)).toEqual([]);
    for (const name of ["probe", "evaluate", "notify"]) expect(portsOf(processes[name])).toHaveLength(1);
    // Broker, observer, control room, two inboxes, Google's APIs, eight parts of the demo; and PostgreSQL.
    expect(portsOf(processes["local"])).toHaveLength(14);
    expect(listeners).toHaveLength(14 + 3 + 1);

    const event = sampleEvent(await checkedConfiguration(join(path, "monitor.yaml")), "opened");
    const push = encodePush({
      messageId: "1",
      publishedAt: Date.now(),
      attributes: {},
      data: event,
      subscription: "projects/local/subscriptions/notify-notifications",
    }) as { readonly message: Readonly<Record<string, unknown>> };
    const pushed = JSON.stringify(push);
    const published = JSON.stringify({ messages: [{ data: push.message["data"] }] });
    const functions = [processes["probe"], processes["evaluate"], processes["notify"]].flatMap(portsOf);
    for (const port of functions) {
      for (const way of ["/notifications", "/retries", "/ticks", "/scheduled", "/synthetic/golden-path", "/"]) {
        expect([way, await post(port, way, form, asForm(push))]).toEqual([way, 401]);
        expect([way, await post(port, way, text, pushed)]).toEqual([way, 401]);
        expect([way, await post(port, way, json, pushed)]).toEqual([way, 401]);
        expect([way, await post(port, way, { ...json, host: "evil.example" }, pushed)]).toEqual([way, 403]);
      }
    }
    const publish = Object.values(topics).map((topic) => `/v1/projects/local/topics/${topic}:publish`);
    for (const port of portsOf(processes["local"])) {
      for (const way of publish) {
        for (const headers of [form, text, json, { ...json, host: "evil.example" }])
          expect([way, await post(port, way, headers, published)]).not.toEqual([way, 200]);
      }
    }
    const store = new SqliteStore(join(path, "store.db"));
    try {
      const delivered = await store.query({
        collection: deliveries,
        where: [["incident", "==", event.incident]],
        limit: 9,
      });
      expect(delivered).toEqual([]);
    } finally {
      await store.close();
    }

    // The user who started it finds the token in the data directory.
    expect((await stat(join(path, "broker.url"))).mode & 0o077).toBe(0);
    expect(await run("heartbeat", "nightly-backup", "--data", path)).toMatchObject({ code: 0, err: [] });
    expect(await run("drill", "--data", path, "--wait", "60s")).toMatchObject({
      code: 0,
      out: expect.arrayContaining([expect.stringMatching(/^ {2}ops-hook +told/)]),
    });
  });

  it.skipIf(missing !== undefined)(
    "listens on loopback only with Google's engine",
    {
      timeout: 180_000,
    },
    async () => {
      const { listeners } = await started("--engine", "google");
      const processes = new Set(listeners.map(({ pid }: Listener) => pid));
      expect(listeners.filter(({ isLoopback }) => !isLoopback)).toEqual([]);
      // npm start itself, the functions, PostgreSQL and the two emulators.
      expect(processes.size).toBe(1 + 3 + 1 + 2);
    },
  );
});

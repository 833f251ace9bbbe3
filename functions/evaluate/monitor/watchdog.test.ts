import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { localSecrets } from "../../../shared/adapters/secrets.ts";
import type { Configuration, WatchdogSettings } from "../../../shared/config/model.ts";
import { Bench, noon, probe, smallEnvironment } from "../fixtures.ts";
import { watchdogTo } from "./watchdog.ts";

const settings: WatchdogSettings = { url: "", everyMs: 300_000, method: "GET", allowPrivate: true };

/** A monitor that beats, and the instants of its watchdog signals. */
function beating(configuration: Configuration = smallEnvironment, fails: () => boolean = () => false) {
  const beats: string[] = [];
  const bench: Bench = new Bench(
    { watchdog: settings, ...configuration },
    { watchesItself: true },
    {
      signal: async () => {
        if (fails()) throw new Error("no way out");
        beats.push(new Date(bench.now).toISOString().slice(11, 16));
      },
    },
  );
  return { bench, beats };
}

async function minutes(bench: Bench, count: number, groups: readonly string[] = ["outside-1m", "inside-1m"]) {
  // Asks for the first canary.
  if (bench.now === noon) await bench.tick();
  for (let i = 0; i < count; i++) {
    for (const report of bench.reports()) if (groups.includes(report.group)) await bench.deliver(report);
    bench.now += 60_000;
    await bench.tick();
  }
}

describe("a watchdog signal leaves", () => {
  it("when every vantage point has completed a cycle, then at the configured interval", async () => {
    const { bench, beats } = beating();
    await minutes(bench, 12);
    expect(beats).toEqual(["12:01", "12:06", "12:11"]);
  });

  it("not while a vantage point is silent, and resumes when it reports", async () => {
    const { bench, beats } = beating();
    await minutes(bench, 2, ["outside-1m"]);
    await minutes(bench, 1);
    await minutes(bench, 10, ["outside-1m"]);
    await minutes(bench, 1);
    // Once the inside reported at 12:02, and once more at 12:13; the report of 12:02 is proof of nothing later.
    expect(beats).toEqual(["12:03", "12:14"]);
  });

  it("not twice for the same report, even before its group counts as silent", async () => {
    const { bench, beats } = beating({ ...smallEnvironment, watchdog: { ...settings, everyMs: 60_000 } });
    await minutes(bench, 3);
    await minutes(bench, 3, ["outside-1m"]);
    expect(beats).toEqual(["12:01", "12:02", "12:03"]);
  });

  it("not for reports of an unhealthy prober", async () => {
    const { bench, beats } = beating();
    for (let i = 0; i < 8; i++) {
      for (const report of bench.reports()) {
        await bench.deliver(report.vantage === "inside" ? { ...report, prober_unhealthy: "no answer" } : report);
      }
      bench.now += 60_000;
      await bench.tick();
    }
    expect(beats).toEqual([]);
  });

  it("not before everything that was committed has been published", async () => {
    const { bench, beats } = beating();
    await minutes(bench, 1);
    const publish = bench.publisher.publish.bind(bench.publisher);
    const failing = { "pages-health": { kind: "timeout", phase: "connect", message: "no answer" } } as const;
    bench.publisher.publish = () => Promise.reject(new Error("the topic is gone"));
    for (let i = 0; i < 6; i++) {
      for (const report of bench.reports(failing)) await bench.deliver(report).catch(() => {});
      bench.now += 60_000;
      await bench.tick().catch(() => {});
    }
    expect(beats).toEqual(["12:01"]);
    bench.publisher.publish = publish;
    await minutes(bench, 1);
    expect(beats).toEqual(["12:01", "12:08"]);
  });

  it("once for a tick that is delivered twice", async () => {
    const { bench, beats } = beating();
    await minutes(bench, 1);
    for (let i = 0; i < 3; i++) await bench.tick();
    bench.restart();
    await bench.tick();
    expect(beats).toEqual(["12:01"]);
  });

  it("on the next tick if it was not delivered, without stopping the evaluation", async () => {
    let broken = true;
    const { bench, beats } = beating(smallEnvironment, () => broken);
    await minutes(bench, 3);
    broken = false;
    await minutes(bench, 1);
    expect(beats).toEqual(["12:04"]);
    expect(bench.logged).toEqual(Array(3).fill("the watchdog signal was not sent: no way out"));
  });

  it("even if a vantage point is idle for hours, if its last run reported", async () => {
    const slow = probe("database", "sql", "inside", "postgres", "every 2h");
    const probes = [...smallEnvironment.probes.filter(({ vantage }) => vantage === "outside"), slow];
    const { bench, beats } = beating({ ...smallEnvironment, probes });
    await minutes(bench, 1, ["outside-1m", "inside-2h"]);
    await minutes(bench, 125, ["outside-1m"]);
    // The run of 14:00 is missing. At 14:01 it may still come; from then on there is no signal.
    expect([beats[0], beats.at(-1), beats.length]).toEqual(["12:01", "14:01", 25]);
  });
});

it("even if an idle vantage point has never run, until its first run is missing", async () => {
  const { bench, beats } = beating({
    ...smallEnvironment,
    probes: smallEnvironment.probes.filter(({ vantage }) => vantage === "outside"),
  });
  await minutes(bench, 10, ["outside-1m"]);
  // Its first run is due at 14:00.
  const slow = probe("database", "sql", "inside", "postgres", "every 2h");
  bench.configure({ ...bench.configuration, probes: [...bench.configuration.probes, slow] });
  await minutes(bench, 115, ["outside-1m"]);
  // The signal of 12:11 waits a minute for the first canary from the new vantage point.
  expect([beats[0], beats.at(-1), beats.length]).toEqual(["12:01", "13:57", 24]);
});

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  }
});

async function serve(answer: (response: ServerResponse) => void): Promise<{ url: string; seen: string[] }> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    answer(response);
  });
  servers.push(server);
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/ping/very-secret-uuid`, seen };
}

describe("sending it", () => {
  it.each(["GET", "POST"] as const)("is one %s to the address, which may be a secret", async (method) => {
    const { url, seen } = await serve((response) => response.end("OK"));
    const secrets = localSecrets({ PATHKEEPER_SECRET_BEAT: `${url}\n` });
    await watchdogTo({ ...settings, method, url: { secret: "beat" } }, secrets)();
    expect(seen).toEqual([`${method} /ping/very-secret-uuid`]);
  });

  it.each<[string, (response: ServerResponse) => void, string]>([
    [
      "a refusal",
      (response) => response.writeHead(404).end("no such check"),
      "it was answered with 404: no such check",
    ],
    [
      "a redirect, which is not followed",
      (response) => response.writeHead(302, { location: "http://127.0.0.1:1/" }).end(),
      "it was answered with 302",
    ],
    ["a reset", (response) => response.destroy(), "socket hang up"],
    [
      "an echo of the address, which is not shown",
      (response) => response.writeHead(500).end("cannot serve /ping/very-secret-uuid"),
      "it was answered with 500: cannot serve ***",
    ],
  ])("reports %s", async (_name, answer, message) => {
    const { url } = await serve(answer);
    await expect(watchdogTo({ ...settings, url }, localSecrets({}))()).rejects.toThrow(message);
  });

  it.each([
    ["http://example.com/x", "the address must start with https://"],
    ["https://169.254.169.254/computeMetadata", "the address is private, and that is not allowed"],
    ["https://localhost:1/x", "the address is private, and that is not allowed"],
    ["nonsense", "the address must start with https://"],
  ])("refuses %s", async (url, message) => {
    const beat = watchdogTo({ ...settings, url, allowPrivate: false }, localSecrets({}));
    await expect(beat()).rejects.toThrow(message);
  });

  it("names the missing secret", async () => {
    const beat = watchdogTo({ ...settings, url: { secret: "beat" } }, localSecrets({}));
    await expect(beat()).rejects.toThrow('secret "beat" not found');
  });
});

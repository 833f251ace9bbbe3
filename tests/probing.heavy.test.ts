/** From the request to the incident: the real probe function, the real evaluator and real sockets, on virtual time. */
import { createServer } from "node:http";
import { describe, expect, it } from "vitest";
import { VirtualWorld } from "../cli/virtual/world.ts";
import { vocabulary } from "../cli/vocabulary.ts";
import { listening } from "../functions/probe/fixtures.ts";
import { probeHandler } from "../functions/probe/handler.ts";
import { googleApi } from "../shared/adapters/google-api.ts";
import { loadConfiguration } from "../shared/config/load.ts";
import type { Configuration } from "../shared/config/model.ts";
import { type ProbeRequest, scheduledRequest } from "../shared/messages/probe-request.ts";
import type { Report } from "../shared/messages/report.ts";
import type { Fields, OutgoingMessage } from "../shared/ports.ts";
import { silentLogger } from "../shared/runtime/logger.ts";
import { probePaths, roundsAttribute, topics } from "../shared/topology.ts";

const start = Date.parse("2025-09-16T12:00:00Z");
const minute = 60_000;

/** Everything from the scheduler to the incidents. */
class System {
  readonly reports: Report[] = [];
  readonly requests: ProbeRequest[] = [];
  readonly configuration: Configuration;
  readonly #world: VirtualWorld;
  #minutes = 0;

  constructor(text: string) {
    const loaded = loadConfiguration(text, "monitor.yaml", vocabulary);
    if ("problems" in loaded) throw new Error(JSON.stringify(loaded.problems));
    this.configuration = loaded.configuration;
    this.#world = new VirtualWorld({
      configuration: this.configuration,
      start,
      onRequest: (data, at) => this.#world.at(at, () => this.#probe({ data }, at)),
    });
  }

  /** Advances the time by minutes: in each, every group is requested and the clock ticks. */
  async pass(minutes: number): Promise<void> {
    const groups = new Map(this.configuration.probes.map((probe) => [probe.group, probe]));
    for (const end = this.#minutes + minutes; this.#minutes < end; this.#minutes++) {
      const at = start + this.#minutes * minute;
      this.#world.tick(at);
      for (const probe of groups.values()) {
        const message = scheduledRequest(this.configuration.environment, probe);
        this.#world.at(at, () => this.#probe(message, at));
      }
      await this.#world.run(at + minute - 1);
    }
  }

  /** Returns the incidents, oldest first. */
  async incidents(): Promise<Fields[]> {
    const found = await this.#world.store.query({
      collection: "incidents",
      orderBy: { field: "opened_at", direction: "asc" },
      limit: 100,
    });
    return found.map(({ fields }) => fields);
  }

  /** Delivers a request to a new instance. Settles when the instance has answered, or waits for its next round. */
  #probe({ data, attributes = {} }: OutgoingMessage, at: number): Promise<void> {
    const request = data as ProbeRequest;
    this.requests.push(request);
    const pause = { begin: (): void => {} };
    const untilPaused = (): Promise<void> => new Promise((resolve) => Object.assign(pause, { begin: resolve }));
    const handle = probeHandler({
      configuration: this.configuration,
      vantage: "any",
      secrets: { read: async () => "" },
      google: googleApi("http://127.0.0.1:1"),
      clock: this.#world.clock,
      logger: silentLogger,
      warm: async () => {},
      publisher: { publish: async (topic, messages) => this.#published(topic, messages), close: async () => {} },
      sleep: (milliseconds) =>
        new Promise((wake) => {
          this.#world.at(this.#world.clock.now() + milliseconds, () => {
            const paused = untilPaused();
            wake(undefined);
            return paused;
          });
          pause.begin();
        }),
    });
    const paused = untilPaused();
    const { [roundsAttribute]: rounds } = attributes;
    const scheduled = rounds === undefined ? probePaths.scheduled : probePaths.rounds(rounds);
    const path = request.trigger === "schedule" ? scheduled : probePaths.asked;
    const message = { messageId: "1", publishedAt: at, attributes, subscription: "probe", data };
    return Promise.race([handle(message, path).finally(() => pause.begin()), paused]);
  }

  #published(topic: string, messages: readonly OutgoingMessage[]): string[] {
    const now = this.#world.clock.now();
    for (const message of messages) {
      if (topic === topics.measurements) {
        const report = message.data as Report;
        this.reports.push(report);
        this.#world.report(report, now);
      } else this.#world.at(now, () => this.#probe(message, now));
    }
    return messages.map((_, index) => String(index));
  }
}

/** A site that responds with the given status or never, and counts requests by path. */
async function siteOf(status: number): Promise<{ status: number | "silent"; url: string; hits: Map<string, number> }> {
  const site = { status: status as number | "silent", url: "", hits: new Map<string, number>() };
  const server = createServer(({ url = "" }, response) => {
    site.hits.set(url, (site.hits.get(url) ?? 0) + 1);
    if (site.status !== "silent") response.writeHead(url === "/broken" ? 500 : site.status).end();
  });
  site.url = `http://127.0.0.1:${await listening(server)}`;
  return site;
}

describe("a prober whose own network is down", () => {
  const watching = (known: string, shop: string, patience: string): string => `
environment: shop
components:
  shop: { layer: application }
  checkout: { layer: application, depends_on: [shop] }
control: { kind: http, url: "${known}/", timeout: ${patience} }
probes:
  shop: { kind: http, component: shop, url: "${shop}/shop", timeout: 200ms }
  checkout: { kind: http, component: checkout, url: "${shop}/checkout", timeout: 200ms }
`;

  it("evaluates no target, and is one incident of the monitor itself, which ends with it", async () => {
    const [known, shop] = [await siteOf(204), await siteOf(200)];
    const system = new System(watching(known.url, shop.url, "100ms"));
    await system.pass(3);
    known.status = "silent";
    shop.status = "silent";
    await system.pass(8);
    const blind = system.reports.slice(-1)[0];
    expect(blind?.results.map(({ success }) => success)).toEqual([false, false]);
    expect(blind?.prober_unhealthy).toMatch(/^the control probe, a target known to be good, failed twice as well/);
    expect(await system.incidents()).toMatchObject([
      { status: "open", severity: "warning", components: ["pathkeeper"], root_cause: "pathkeeper" },
    ]);
    known.status = 204;
    shop.status = 200;
    await system.pass(8);
    expect(await system.incidents()).toMatchObject([{ status: "resolved", components: ["pathkeeper"] }]);
  });

  it("evaluates the targets if only they do not respond", async () => {
    const [known, shop] = [await siteOf(204), await siteOf(200)];
    const system = new System(watching(known.url, shop.url, "10s"));
    await system.pass(3);
    shop.status = "silent";
    await system.pass(5);
    expect(await system.incidents()).toMatchObject([
      { status: "open", severity: "critical", components: expect.arrayContaining(["shop"]), root_cause: "shop" },
    ]);
  });
});

describe("a group too large for one run, in rounds of a quarter of a minute", () => {
  it("is divided by messages to its own topic; each probe runs once a round, and the one that fails is found", async () => {
    const [known, shops] = [await siteOf(204), await siteOf(200)];
    const names = Array.from({ length: 120 }, (_, index) => `shop-${index + 1}`);
    const system = new System(`
environment: shops
components: { shop: { layer: application }, last-shop: { layer: application } }
control: { kind: http, url: "${known.url}/" }
probes:
${names.map((name) => `  ${name}: { kind: http, component: shop, schedule: every 15s, alert_after: 30s, url: "${shops.url}/${name}" }`).join("\n")}
  last-shop: { kind: http, component: last-shop, schedule: every 15s, alert_after: 30s, url: "${shops.url}/broken" }
`);
    await system.pass(2);

    const scheduled = system.requests.filter(({ trigger }) => trigger === "schedule");
    expect(scheduled.map(({ shard }) => shard && `${shard.index} of ${shard.of}`)).toEqual([
      undefined,
      "1 of 2",
      "2 of 2",
      undefined,
      "1 of 2",
      "2 of 2",
    ]);
    const rounds = system.reports.filter(({ trigger }) => trigger === "schedule");
    const ids = [0, 1].flatMap((passed) =>
      ["00", "15", "30", "45"].flatMap((second) =>
        [1, 2].map((shard) => `shops/outside-15s/2025-09-16T12:0${passed}:${second}Z/shard-${shard}`),
      ),
    );
    expect(rounds.map(({ report }) => report).toSorted()).toEqual(ids);
    for (const instant of new Set(rounds.map(({ report }) => report.replace(/shard-\d$/, "")))) {
      const results = rounds.filter(({ report }) => report.startsWith(instant)).flatMap((round) => round.results);
      expect(results.map(({ probe }) => probe).toSorted()).toEqual([...names, "last-shop"].toSorted());
    }
    for (const name of names) expect([name, shops.hits.get(`/${name}`)]).toEqual([name, 8]);

    expect(await system.incidents()).toMatchObject([
      { status: "open", components: ["last-shop"], root_cause: "last-shop", alerts: ["last-shop failing"] },
    ]);
  });
});

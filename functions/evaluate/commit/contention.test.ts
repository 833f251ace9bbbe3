import { describe, expect, it } from "vitest";
import { MemoryStore } from "../../../shared/adapters/memory.ts";
import type { Fields, Transaction } from "../../../shared/ports.ts";
import { readingBy } from "../../../tests/support/transactions.ts";
import { Bench, failing, probe, type Shown, smallEnvironment } from "../fixtures.ts";

/** A store whose answers take a turn of the event loop or more, so that instances run into each other; it counts how often a step was taken. */
class BusyStore extends MemoryStore {
  bodies = 0;
  commits = 0;
  #random = 1;

  override async transaction<T>(body: (transaction: Transaction) => Promise<T>): Promise<T> {
    this.commits += 1;
    return super.transaction((inner) => {
      this.bodies += 1;
      const get = async (collection: string, id: string): Promise<Fields | undefined> => {
        this.#random = (this.#random * 48_271) % 2_147_483_647;
        for (let turns = this.#random % 4; turns >= 0; turns--) await new Promise((next) => setImmediate(next));
        return inner.get(collection, id);
      };
      return body(readingBy(inner, get));
    });
  }
}

/** Each probe in a group of its own, so that each report has a partition of its own. */
const configuration = {
  ...smallEnvironment,
  probes: [...smallEnvironment.probes, probe("backend-api", "backend"), probe("auth-login", "auth")].map((one) => ({
    ...one,
    group: `${one.vantage}-${one.name}`,
  })),
};
const outage: Readonly<Record<string, Shown>> = {
  database: failing("timeout/connect"),
  "backend-health": failing("http_status/response"),
  "backend-api": failing("http_status/response"),
  "auth-health": failing("http_status/response"),
  "auth-login": failing("http_status/response"),
};

/** The same minutes for several instances over one store: every report goes to two of them, all at the same moment, with a tick in between. */
async function together(instances: number, minutes: readonly Readonly<Record<string, Shown>>[]): Promise<Bench> {
  const store = new BusyStore();
  const first = new Bench(configuration, undefined, { store });
  const all = [first];
  while (all.length < instances) {
    all.push(new Bench(configuration, undefined, { store, publisher: first.publisher }));
  }
  for (const shown of minutes) {
    const reports = first.reports(shown);
    await Promise.all([
      ...reports.map((report, index) => all[index % instances]?.deliver(report)),
      ...reports.map((report, index) => all[(index + 1) % instances]?.deliver(report)),
      all.at(-1)?.tick(first.now + 1_000),
    ]);
    await first.answerValidations(shown);
    for (const bench of all) bench.now += 60_000;
    await Promise.all(all.map((bench) => bench.tick()));
    await first.answerValidations(shown);
  }
  return first;
}

const story = [
  ...Array.from({ length: 3 }, () => ({})),
  ...Array.from({ length: 6 }, () => outage),
  ...Array.from({ length: 6 }, () => ({})),
];

it("do not conflict while nothing happens", async () => {
  const store = new BusyStore();
  const benches = [0, 1, 2].map(() => new Bench(configuration, undefined, { store }));
  for (let minute = 0; minute < 5; minute++) {
    const [first] = benches;
    const reports = first?.reports() ?? [];
    if (minute === 4) {
      store.bodies = 0;
      store.commits = 0;
    }
    await Promise.all(reports.map((report, index) => benches[index % benches.length]?.deliver(report)));
    for (const bench of benches) bench.now += 60_000;
  }
  expect(store.commits).toBe(configuration.probes.length);
  expect(store.bodies).toBe(store.commits);
});

describe("concurrent instances", () => {
  it("open one incident for one outage, notified once, as a single instance does", async () => {
    const alone = await together(1, story);
    const several = await together(4, story);
    const seen = async (bench: Bench): Promise<unknown[]> =>
      (await bench.incidents()).map(({ fields }) => [
        fields["status"],
        fields["root_cause"],
        fields["verdict"],
        fields["severity"],
        fields["resolved_at"],
      ]);
    const { bodies, commits } = several.store as BusyStore;
    expect(bodies, "nobody got into anybody's way").toBeGreaterThan(commits);
    expect(await seen(several)).toEqual(await seen(alone));
    expect((await seen(several)).length).toBe(1);
    const news = (bench: Bench): string[] =>
      bench.events.map(({ event }) => event).filter((event) => event !== "joined");
    expect(news(several)).toEqual(["opened", "recovering", "resolved"]);
  });
});

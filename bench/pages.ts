/**
 * Resident memory of a process that writes a status page many times, with everything that the notify function loads. Prints a table and sets
 * no pass or fail limit.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import "@google-cloud/functions-framework";
import "../shared/adapters/firestore.ts";
import "../shared/adapters/pubsub.ts";
import { memoryFields, pageCollection } from "../functions/notify/pages/memory.ts";
import { memoryOf, newsOf } from "../functions/notify/pages/page.fixtures.ts";
import { refreshPages } from "../functions/notify/pages/writer.ts";
import { MemoryStore } from "../shared/adapters/memory.ts";
import { availabilityCollection, dayOf, monthOf } from "../shared/documents/availability.ts";
import type { Pages } from "../shared/ports.ts";
import { pageEnvironment as configuration } from "./support.ts";

const noon = Date.UTC(2025, 8, 16, 12);
const dayMs = 86_400_000;
/** Node's heap limit in the 512 MiB of the function, and the semi-space set in terraform/functions.tf. */
const flags = ["--max-old-space-size=256", "--max-semi-space-size=8"];

if (process.argv.includes("--measure")) await measure();
else {
  console.log(
    `\nResident memory of notify, by writes of a status page of ${configuration.components.length} components\n`,
  );
  const { status } = spawnSync(process.execPath, [...flags, fileURLToPath(import.meta.url), "--measure"], {
    stdio: "inherit",
  });
  process.exitCode = status ?? 1;
}

async function measure(): Promise<void> {
  const store = await filledStore();
  const pages: Pages = { version: async () => undefined, write: async () => true };
  console.log("| writes | RSS MB |\n| ------ | ------ |");
  for (let writes = 0; writes <= 300; writes++) {
    if (writes > 0) await refreshPages({ store, pages, clock: { now: () => noon }, configuration });
    if (![0, 1, 10, 30, 100, 300].includes(writes)) continue;
    const megabytes = (process.memoryUsage.rss() / 1e6).toFixed(0);
    console.log(`| ${String(writes).padEnd(6)} | ${megabytes.padEnd(6)} |`);
  }
}

/** Ninety days of each component, every tenth with a failure, and an incident on each of the last twenty days. */
async function filledStore(): Promise<MemoryStore> {
  const store = new MemoryStore();
  const instants = Array.from({ length: 90 }, (_, ago) => noon - ago * dayMs);
  for (const [month, own] of Map.groupBy(instants, monthOf)) {
    const days = Object.fromEntries(own.map((at, index) => [dayOf(at), dayWith(index % 10 === 0 ? 300 : 0)]));
    await store.transaction(async (transaction) =>
      transaction.set(availabilityCollection, month, { data: JSON.stringify({ days }) }),
    );
  }
  const news = instants.slice(0, 20).map((at, index) => {
    const since = new Date(at).toISOString();
    return newsOf({ incident: `${since.slice(0, 10)}-${index}`, components: ["service-0"], since, at: since });
  });
  await store.transaction(async (transaction) =>
    transaction.set(pageCollection, "page", memoryFields(memoryOf(...news), noon)),
  );
  return store;
}

function dayWith(down: number): unknown {
  const shares = { up: 86_400 - down, down, unknown: 0 };
  return { components: Object.fromEntries(configuration.components.map(({ name }) => [name, shares])), journeys: {} };
}

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { vocabulary } from "../cli/vocabulary.ts";
import { MemoryPublisher, MemoryStore } from "../shared/adapters/memory.ts";
import { loadConfiguration } from "../shared/config/load.ts";
import { StoreError } from "../shared/ports.ts";
import { silentLogger } from "../shared/runtime/logger.ts";
import type { Engine } from "./engine/engine.ts";
import { newToken } from "./engine/request-guard.ts";
import { RecurringFailures } from "./failures.ts";
import { type SystemOptions, startSystem } from "./system.ts";

/** What a system on one machine needs, in a folder of its own. */
function prepared(engine: Partial<Engine>): SystemOptions & { readonly dataDir: string } {
  const dataDir = mkdtempSync(join(tmpdir(), "pathkeeper-system-"));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const loaded = loadConfiguration(
    "environment: shop\ncomponents: { shop: { layer: application } }\n",
    "monitor.yaml",
    vocabulary,
  );
  if (!("configuration" in loaded)) throw new Error(JSON.stringify(loaded.problems));
  return {
    configuration: loaded.configuration,
    engine: {
      store: new MemoryStore(),
      publisher: new MemoryPublisher(),
      environment: { PATHKEEPER_STORE: join(dataDir, "store.db"), PATHKEEPER_BROKER: "http://127.0.0.1:1" },
      subscribe: async () => {},
      delivered: () => 0,
      stop: async () => {},
      ...engine,
    },
    dataDir,
    secrets: {},
    token: newToken(),
    incidentLinks: "http://127.0.0.1:1/",
    answersUrl: "http://127.0.0.1:1/answers",
    tickMs: 1_000,
    logger: silentLogger,
    failures: new RecurringFailures(() => {}),
    onReport: () => {},
  };
}

it("stops the functions if another part does not start", async () => {
  const options = prepared({ subscribe: () => Promise.reject(new Error("database or disk is full")) });
  await expect(startSystem(options)).rejects.toThrow("database or disk is full");
  const { local, ...functions } = JSON.parse(readFileSync(join(options.dataDir, "processes.json"), "utf8"));
  expect(local).toBe(process.pid);
  expect(Object.keys(functions).sort()).toEqual(["evaluate", "notify", "probe"]);
  for (const pid of Object.values(functions)) expect(() => process.kill(Number(pid), 0)).toThrow("ESRCH");
});

it("starts although the store does not answer in time", async () => {
  const store = new MemoryStore();
  store.transaction = () => Promise.reject(new StoreError("unavailable", "Transaction: not done within 45000 ms"));
  const system = await startSystem(prepared({ store }));
  onTestFinished(() => system.stop());
  expect(system.functions.map(({ name }) => name).sort()).toEqual(["evaluate", "notify", "probe"]);
});

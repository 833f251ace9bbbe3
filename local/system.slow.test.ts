import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { vocabulary } from "../cli/vocabulary.ts";
import { MemoryPublisher, MemoryStore } from "../shared/adapters/memory.ts";
import { loadConfiguration } from "../shared/config/load.ts";
import { silentLogger } from "../shared/runtime/logger.ts";
import { newToken } from "./engine/request-guard.ts";
import { startSystem } from "./system.ts";
import { Troubles } from "./troubles.ts";

it("stops the functions if another part does not start", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "pathkeeper-system-"));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const loaded = loadConfiguration(
    "environment: shop\ncomponents: { shop: { layer: application } }\n",
    "monitor.yaml",
    vocabulary,
  );
  if (!("configuration" in loaded)) throw new Error(JSON.stringify(loaded.problems));
  const start = startSystem({
    configuration: loaded.configuration,
    engine: {
      store: new MemoryStore(),
      publisher: new MemoryPublisher(),
      environment: { PATHKEEPER_STORE: join(dataDir, "store.db"), PATHKEEPER_BROKER: "http://127.0.0.1:1" },
      subscribe: () => Promise.reject(new Error("database or disk is full")),
      delivered: () => 0,
      stop: async () => {},
    },
    dataDir,
    secrets: {},
    token: newToken(),
    incidentLinks: "http://127.0.0.1:1/",
    answersUrl: "http://127.0.0.1:1/answers",
    tickMs: 1_000,
    logger: silentLogger,
    troubles: new Troubles(() => {}),
    onReport: () => {},
  });
  await expect(start).rejects.toThrow("database or disk is full");
  const { local, ...functions } = JSON.parse(readFileSync(join(dataDir, "processes.json"), "utf8"));
  expect(local).toBe(process.pid);
  expect(Object.keys(functions).sort()).toEqual(["evaluate", "notify", "probe"]);
  for (const pid of Object.values(functions)) expect(() => process.kill(Number(pid), 0)).toThrow("ESRCH");
});

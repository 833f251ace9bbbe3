import { availableParallelism } from "node:os";
import { configDefaults, defineConfig, type ViteUserConfig } from "vitest/config";
import { LongestFirst } from "./tests/support/longest-first.ts";
import { seed } from "./tests/support/seed.ts";

/**
 * Files whose tests start an emulator, a browser, the demo, terraform or a build, wait in real time, or play for long. They have `slow` in
 * their names, or `e2e` where they run the whole system; all other tests are quick, and `npm run quick` runs them.
 */
const slow = "**/*.slow.test.ts";
const e2e = "**/*.e2e.test.ts";

const common = {
  testTimeout: 60_000,
  hookTimeout: 60_000,
  env: {
    METADATA_SERVER_DETECTION: "none",
    TZ: "UTC",
    // Files that share a simulation must play the same one.
    PATHKEEPER_SIMULATION_SEED: String(seed),
  },
};

/** A test of the simulation plays for long when it is asked for many runs. */
const closingLine = process.env["PATHKEEPER_SIMULATION_RUNS"] === undefined ? {} : { silenceMs: 2_400_000 };

const config: ViteUserConfig = defineConfig({
  test: {
    reporters: ["default", ["./tests/support/closing-line.ts", closingLine]],
    // A worker for each core, so that real servers in one file are not starved by another.
    maxWorkers: Math.max(2, availableParallelism()),
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        // The whole system in real time needs the whole machine: first, one file at a time, and apart from all that calculates.
        test: {
          ...common,
          name: "e2e",
          include: [e2e],
          globalSetup: "./tests/support/started-once.setup.ts",
          maxWorkers: 1,
          sequence: { groupOrder: 0 },
        },
      },
      {
        // A process for each file: these tests start processes, change the environment and measure what is left open.
        test: {
          ...common,
          name: "slow",
          include: [slow],
          globalSetup: "./tests/support/started-once.setup.ts",
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...common,
          name: "quick",
          include: ["**/*.test.ts"],
          exclude: [...configDefaults.exclude, slow, e2e],
          sequence: { groupOrder: 1 },
          setupFiles: "./tests/support/low-priority.ts",
        },
      },
    ],
  },
});

export default config;

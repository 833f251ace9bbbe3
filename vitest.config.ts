import { availableParallelism } from "node:os";
import { configDefaults, defineConfig, type ViteUserConfig } from "vitest/config";
import { LongestFirst } from "./tests/support/longest-first.ts";
import { seed } from "./tests/support/seed.ts";

/**
 * Files whose tests start an emulator, a browser, the demo, terraform or a build, or wait in real time. They have `slow`
 * in their names, or `e2e` where they run the whole system, one run after the other. Those that play many outages, or many disorders of one,
 * plan many mistakes in Terraform, or fill a disk have `long` in their names, and a command of their own: `npm run long`. All other tests are quick, and `npm run quick` runs them, except those
 * with `heavy` in their names, which compute for seconds.
 * Those that replace modules, or play hours on a clock of their own, have `isolated` in their names; the others share what they have loaded.
 */
const slow = "**/*.slow.test.ts";
const e2e = "**/*.e2e.test.ts";
const heavy = "**/*.heavy.test.ts";
const long = "**/*.long.test.ts";
const isolated = "**/*.isolated.test.ts";

/** What calculates leaves the cores to the whole systems beside it, which keep time. */
const lowPriority = "./tests/support/low-priority.ts";

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
    // A worker for each core, and two for the lanes of whole systems, which mostly wait.
    maxWorkers: availableParallelism() + 2,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          ...common,
          name: "e2e",
          include: [e2e],
          globalSetup: "./tests/support/started-once.setup.ts",
        },
      },
      {
        // A process for each file: these tests start processes, change the environment and measure what is left open.
        test: {
          ...common,
          name: "slow",
          include: [slow],
          globalSetup: "./tests/support/started-once.setup.ts",
          setupFiles: lowPriority,
        },
      },
      { test: { ...common, name: "long", include: [long], setupFiles: lowPriority } },
      { test: { ...common, name: "heavy", include: [heavy], setupFiles: lowPriority, isolate: false } },
      { test: { ...common, name: "isolated", include: [isolated], setupFiles: lowPriority } },
      {
        test: {
          ...common,
          name: "quick",
          include: ["**/*.test.ts"],
          exclude: [...configDefaults.exclude, slow, e2e, long, heavy, isolated],
          setupFiles: lowPriority,
          isolate: false,
        },
      },
    ],
  },
});

export default config;

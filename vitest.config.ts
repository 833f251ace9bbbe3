import { defineConfig, type ViteUserConfig } from "vitest/config";

const shared = {
  testTimeout: 20_000,
  hookTimeout: 60_000,
  env: { METADATA_SERVER_DETECTION: "none", TZ: "UTC" },
};

const config: ViteUserConfig = defineConfig({
  test: {
    reporters: ["default", "./tests/support/closing-line.ts"],
    // Two cores: a worker each, so that real servers in one file are not starved by another.
    maxWorkers: 2,
    projects: [
      {
        test: {
          ...shared,
          name: "parts",
          include: [
            "functions/**/*.test.ts",
            "shared/**/*.test.ts",
            "local/**/*.test.ts",
            "cli/**/*.test.ts",
            "tests/**/*.test.ts",
            "scripts/**/*.test.ts",
          ],
          exclude: ["tests/e2e/**"],
          sequence: { groupOrder: 0 },
        },
      },
      {
        // The whole system needs the whole machine: afterwards, and one at a time.
        test: {
          ...shared,
          name: "whole",
          include: ["tests/e2e/**/*.test.ts"],
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});

export default config;

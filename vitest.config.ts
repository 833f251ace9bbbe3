import { defineConfig, type ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = defineConfig({
  test: {
    include: [
      "functions/**/*.test.ts",
      "shared/**/*.test.ts",
      "local/**/*.test.ts",
      "cli/**/*.test.ts",
      "tests/**/*.test.ts",
      "scripts/**/*.test.ts",
    ],
    reporters: ["default", "./tests/support/closing-line.ts"],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // Two cores: a worker each, so that real servers in one file are not starved by another.
    maxWorkers: 2,
    env: { METADATA_SERVER_DETECTION: "none", TZ: "UTC" },
  },
});

export default config;

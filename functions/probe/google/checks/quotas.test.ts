import { describe } from "vitest";
import { checkTable, figure, of, settingOf } from "./checks.fixtures.ts";
import { quotaChecks } from "./quotas.ts";

describe("configuration checks: quotas", () => {
  checkTable(quotaChecks, [
    ["quota_near_limit", "all addresses in use", of("region", "quotas.1.usage", 8), /^IN_USE_ADDRESSES 8 of 8$/],
    ["quota_near_limit", "far from it", settingOf("quotas.near", "99%"), "ok"],
    ["quota_near_limit", "none said", of("region", "quotas", undefined), "ok"],
    [
      "quota_exceeded",
      "one",
      figure("exceeded", { int64Value: "3" }),
      /^exceeded: run\.googleapis\.com\/read_requests$/,
    ],
    ["quota_exceeded", "nothing measured", of("exceeded", "timeSeries", undefined), "ok"],
  ]);
});

import { describe } from "vitest";
import { type Json, urls } from "../configuration/fixtures.ts";
import { armorChecks } from "./armor.ts";
import { all, checkTable, of, settingOf } from "./checks.fixtures.ts";

/** The rules of the Cloud Armor policy, in order. */
const armor = (...rules: Json[]) => of("armor", "rules", rules);
const byAddress = (priority: number, action: string, ...srcIpRanges: string[]): Json => ({
  priority,
  action,
  match: { versionedExpr: "SRC_IPS_V1", config: { srcIpRanges } },
});
const byExpression = (priority: number, action: string, expression: string): Json => ({
  priority,
  action,
  match: { expr: { expression } },
});
const denyAll = byAddress(2_147_483_647, "deny(403)", "*");
const allClients = settingOf("load_balancer.sources", []);

describe("configuration checks: Cloud Armor", () => {
  checkTable(armorChecks, [
    [
      "armor_denies",
      "everyone denied",
      all(allClients, armor(denyAll)),
      /^rule 2147483647 of shop-edge answers everyone with deny\(403\)$/,
    ],
    [
      "armor_denies",
      "the probes denied",
      armor(byAddress(10, "deny(404)", "198.51.100.0/24"), byAddress(20, "allow", "*")),
      /^rule 10 of shop-edge answers 198\.51\.100\.7 with deny\(404\)$/,
    ],
    [
      "armor_denies",
      "a rule in preview",
      armor({ ...(denyAll as object), preview: true, priority: 1 }, byAddress(2, "allow", "*")),
      "ok",
    ],
    [
      "armor_denies",
      "the probes on a list of those let through",
      armor(byAddress(10, "allow", "198.51.100.0/24"), denyAll),
      "ok",
    ],
    [
      "armor_denies",
      "the probes not on that list",
      armor(byAddress(10, "allow", "203.0.113.0/24"), denyAll),
      /^rule 2147483647/,
    ],
    [
      "armor_denies",
      "a list of those let through, and nobody named",
      all(allClients, armor(byAddress(10, "allow", "203.0.113.0/24"), denyAll)),
      "unchecked",
    ],
    [
      "armor_denies",
      "an expression that lets some through",
      armor(byExpression(10, "allow", "origin.region_code == 'DE'"), denyAll),
      "unchecked",
    ],
    [
      "armor_denies",
      "an expression that denies all",
      all(allClients, armor(byExpression(10, "deny(502)", "true"))),
      /^rule 10 .*deny\(502\)$/,
    ],
    ["armor_denies", "a limit of rates", armor(byAddress(10, "throttle", "*"), denyAll), "ok"],
    [
      "armor_denies",
      "an edge policy that denies",
      all(
        of("backendService", "securityPolicy", undefined),
        of(
          "backendService",
          "edgeSecurityPolicy",
          `https://www.googleapis.com/${urls.armor.replace("compute.googleapis.com/", "")}`,
        ),
        armor(denyAll),
      ),
      /deny\(403\)$/,
    ],
    ["armor_denies", "no policy", of("backendService", "securityPolicy", undefined), "none"],
    ["armor_denies", "no rules", of("armor", "rules", undefined), "ok"],
  ]);
});

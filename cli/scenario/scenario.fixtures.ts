/** A small configuration for the tests of scenarios. */
import type { Configuration } from "../../shared/config/model.ts";
import { configurationOf } from "../commands/replay.fixtures.ts";
import { loadTests, type Scenario } from "./file/load.ts";

/** The configuration of a shop, as text. */
export const shopText = `environment: shop
components:
  connector: { layer: platform }
  database: { layer: platform, depends_on: [connector] }
  shop: { layer: application, depends_on: [database], impact: Nobody can order }
probes:
  shop-health: { kind: http, component: shop, url: https://shop.example.com/health }
  search: { kind: http, component: shop, url: https://shop.example.com/search }
  database: { kind: postgres, component: database, vantage: inside, connection: { url: { secret: x } } }
monitoring_rules:
  - { name: Database slow, condition: database_connection_time > 5s, alert_duration: 2m, severity: warning }
  - { name: Near its limit, condition: database_connections / database_connection_limit > 80%, severity: warning }
baselines: { database_connection_time: "<100ms" }
channels:
  hook: { kind: webhook, url: https://hooks.example.com/shop, signing_key: { secret: hook-key } }
routes: [{ channels: [hook] }]
`;

/** The configuration of a shop. */
export const shopConfiguration: Configuration = configurationOf(shopText);

/** Returns the only test of a file. @param body the file without its `tests:` */
export async function scenarioOf(body: string): Promise<Scenario> {
  const indented = shopText.replaceAll(/^(?=.)/gm, "  ");
  const loaded = await loadTests(
    `config:\n${indented}tests:\n  - name: it\n${body.replaceAll(/^(?=.)/gm, "    ")}`,
    "it.yaml",
  );
  if ("problems" in loaded)
    throw new Error(loaded.problems.map(({ line, message }) => `${line}: ${message}`).join("\n"));
  const [scenario] = loaded.scenarios;
  if (scenario === undefined) throw new Error("there is no test");
  return scenario;
}

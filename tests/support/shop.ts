/** A small shop for tests of notifications: one database, probed every minute. */
import { configurationOf } from "../../cli/commands/replay.fixtures.ts";
import type { Configuration } from "../../shared/config/model.ts";

const head = `
environment: shop
title: Shop
components:
  database: { title: Database, layer: platform }
probes:
  database: { kind: postgres, component: database, vantage: inside, connection: { url: { secret: database-url } } }
`;

/** Returns the shop with additional sections in YAML: its channels and routes. */
export function shopWith(sections: string): Configuration {
  return configurationOf(`${head}${sections.trimStart()}`);
}

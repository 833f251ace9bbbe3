import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { dataDirectory, processesOf, startLocalSystem } from "../tests/support/local-system.ts";

it("stops at a damaged store, recovers it with --recover, and stops cleanly when its window is closed", async () => {
  const data = await dataDirectory();
  const config = join(data, "shop.yaml");
  writeFileSync(
    config,
    `environment: shop
components: { shop: { layer: application } }
probes: { shop: { kind: tcp, component: shop, schedule: every 1s, port: 1, host: 127.0.0.1 } }
`,
  );
  const store = join(data, "store.db");
  writeFileSync(store, "no database ".repeat(1_000));
  const args = ["--config", config, "--data", data];
  const refused = startLocalSystem(args);
  expect(await refused.exitCode()).toBe(1);
  expect(refused.output).toContain(`${store} is not a database: start again with --recover`);

  const recovered = startLocalSystem([...args, "--recover"]);
  await recovered.prints("unknown -> failing");
  expect(recovered.output).toContain(`${store} is not a database: it was set aside as ${store}.damaged-`);
  expect(readdirSync(data)).toContainEqual(expect.stringMatching(/^store\.db\.damaged-\d+T\d+Z$/));
  const processes = Object.values(await processesOf(data));
  expect(processes).toHaveLength(4);
  await recovered.end("SIGHUP");
  expect(await recovered.exitCode()).toBe(0);
  for (const pid of processes) expect(() => process.kill(pid, 0)).toThrow("ESRCH");
});

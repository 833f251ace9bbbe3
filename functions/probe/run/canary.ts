/** The canary's target: a port of this machine on which nothing listens any more. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import type { ConfiguredProbe } from "../../../shared/config/model.ts";
import { canaryName } from "../../../shared/messages/canary.ts";
import type { Vantage } from "../../../shared/messages/report.ts";

/** Returns a probe that fails with a refused connection. */
export async function canaryTarget(vantage: Vantage): Promise<ConfiguredProbe> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return {
    name: canaryName,
    kind: "tcp",
    component: canaryName,
    vantage,
    schedule: "every 1m",
    group: canaryName,
    timeoutMs: 5_000,
    recheck: false,
    alert: false,
    settings: { host: "127.0.0.1", port },
  };
}

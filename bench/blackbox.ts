/** Prometheus' blackbox_exporter, the peer of the probes: started if it is installed, and driven as Prometheus does. */
import { spawn } from "node:child_process";
import { accessSync, constants, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../local/free-port.ts";

/** A running blackbox_exporter. */
export interface Blackbox {
  /** Probes a URL. @returns the seconds that it reports */
  probe(url: string): Promise<number>;
  /** CPU that it has used so far, in milliseconds. */
  cpuMs(): number;
  stop(): Promise<void>;
}

/** Starts it; returns `undefined` if it is not installed. @param ca authority of HTTPS targets, in PEM */
export async function startBlackbox(ca: string): Promise<Blackbox | undefined> {
  const program = installed(["blackbox_exporter", "prometheus-blackbox-exporter"]);
  if (program === undefined) return undefined;
  const folder = await mkdtemp(join(tmpdir(), "bench-"));
  await writeFile(join(folder, "ca.pem"), ca);
  const http = {
    preferred_ip_protocol: "ip4",
    fail_if_body_not_matches_regexp: ["healthy"],
    tls_config: { ca_file: join(folder, "ca.pem") },
  };
  await writeFile(join(folder, "blackbox.yml"), JSON.stringify({ modules: { http: { prober: "http", http } } }));
  const port = await freePort();
  const options = [`--config.file=${join(folder, "blackbox.yml")}`, `--web.listen-address=127.0.0.1:${port}`];
  const child = spawn(program, [...options, "--log.level=error"], { stdio: "ignore" });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const agent = new Agent({ keepAlive: true, maxSockets: 1_000 });
  const get = (path: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const asking = request({ host: "127.0.0.1", port, path, agent }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk) => (text += chunk));
        response.once("end", () => resolve(text)).once("error", reject);
      });
      asking.once("error", reject).end();
    });
  for (let tries = 0; ; tries++) {
    const answers = await get("/-/healthy").then(Boolean, () => false);
    if (answers) break;
    if (tries > 200) throw new Error("blackbox_exporter does not answer");
    await sleep(20);
  }
  return {
    async probe(url) {
      const text = await get(`/probe?module=http&target=${encodeURIComponent(url)}`);
      if (!/^probe_success 1$/m.test(text)) throw new Error(`blackbox_exporter found ${url} wrong:\n${text}`);
      return Number(/^probe_duration_seconds (\S+)$/m.exec(text)?.[1]);
    },
    cpuMs() {
      const stat = readFileSync(`/proc/${child.pid}/stat`, "utf8");
      const [user = 0, system = 0] = stat
        .slice(stat.lastIndexOf(")") + 2)
        .split(" ")
        .slice(11, 13)
        .map(Number);
      // In ticks, of which Linux has a hundred a second.
      return (user + system) * 10;
    },
    async stop() {
      agent.destroy();
      child.kill();
      await exited;
      await rm(folder, { recursive: true });
    },
  };
}

/** Returns the first program of these names on the PATH; `undefined` if there is none. */
export function installed(names: readonly string[]): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return names
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

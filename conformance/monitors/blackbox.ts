/**
 * Prometheus' blackbox_exporter, as a monitor under test: one module for each check. It does not support WebSockets, event streams,
 * PostgreSQL or Google's APIs.
 */
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { installed } from "../../bench/blackbox.ts";
import { freePort } from "../../local/free-port.ts";
import type { Check, Monitor, Said } from "../case.ts";

/** The module and the target for a check; `undefined` if no prober supports it. */
function moduleFor(check: Check, caFile: string): { readonly module: object; readonly target: string } | undefined {
  const tls_config = "ca" in check && check.ca !== undefined ? { ca_file: caFile } : {};
  const ip = { preferred_ip_protocol: "ip4" };
  switch (check.protocol) {
    case "http": {
      const { url, contains, json = {}, resolver } = check;
      // It queries a DNS server itself, and probes no target with the answer.
      if (resolver !== undefined) {
        const dns = {
          ...ip,
          query_name: new URL(url).hostname,
          query_type: "A",
          validate_answer_rrs: { fail_if_none_matches_regexp: ["127"] },
        };
        return { module: { prober: "dns", dns }, target: resolver };
      }
      const values = Object.entries(json).map(([path, value]) => `"${path.slice(2)}"\\s*:\\s*"?${value}`);
      const wanted = [...(contains === undefined ? [] : [contains]), ...values];
      return {
        module: { prober: "http", http: { ...ip, fail_if_body_not_matches_regexp: wanted, tls_config } },
        target: url,
      };
    }
    case "tls": {
      const { host, port, serverName = host } = check;
      const tcp = { ...ip, tls: true, tls_config: { ...tls_config, server_name: serverName } };
      return { module: { prober: "tcp", tcp }, target: `${host}:${port}` };
    }
    case "tcp": {
      const { host, port, send, matches, tls = false } = check;
      const query_response = [
        ...(send === undefined ? [] : [{ send: send.trimEnd() }]),
        ...(matches === undefined ? [] : [{ expect: matches }]),
      ];
      return { module: { prober: "tcp", tcp: { ...ip, tls, tls_config, query_response } }, target: `${host}:${port}` };
    }
    case "redis": {
      const { host, port, tls = false } = check;
      const query_response = [{ send: "PING" }, { expect: "^\\+PONG" }];
      return { module: { prober: "tcp", tcp: { ...ip, tls, tls_config, query_response } }, target: `${host}:${port}` };
    }
    case "dns": {
      const { name, type, server, records = [], connect } = check;
      if (connect !== undefined) return undefined;
      // For an alias and its address, one record matches. It cannot check that there are no others.
      const wanted = records.map((record) => `(?i)${record.replaceAll(".", "\\.")}`);
      const dns = {
        ...ip,
        query_name: name,
        query_type: type,
        validate_answer_rrs: { fail_if_none_matches_regexp: wanted.length === 0 ? [`\\s${type}\\s`] : wanted },
      };
      return { module: { prober: "dns", dns }, target: server };
    }
    case "grpc": {
      const { host, port, tls = false, service = "" } = check;
      return { module: { prober: "grpc", grpc: { ...ip, service, tls, tls_config } }, target: `${host}:${port}` };
    }
    default:
      return undefined;
  }
}

/**
 * Time to wait after its timeout, in milliseconds, because some of its probes exceed it. A result that does not arrive in this time counts
 * as not checked.
 */
const patienceMs = 3_000;

/** Starts it; `undefined` if it is not installed. */
export async function startBlackbox(): Promise<Monitor | undefined> {
  const program = installed(["blackbox_exporter", "prometheus-blackbox-exporter"]);
  if (program === undefined) return undefined;
  const folder = await mkdtemp(join(tmpdir(), "conformance-"));
  const [configuration, caFile] = [join(folder, "blackbox.yml"), join(folder, "ca.pem")];
  await writeFile(configuration, JSON.stringify({ modules: { case: { prober: "tcp" } } }));
  const base = `http://127.0.0.1:${await freePort()}`;
  const child = spawn(program, [`--config.file=${configuration}`, `--web.listen-address=${base.slice(7)}`], {
    stdio: "ignore",
  });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  for (
    let tries = 0;
    !(await fetch(`${base}/-/healthy`).then(
      ({ ok }) => ok,
      () => false,
    ));
    tries++
  ) {
    if (tries > 200) throw new Error("blackbox_exporter does not answer");
    await sleep(20);
  }
  return {
    name: "blackbox_exporter",
    async look(check, timeoutMs): Promise<Said | undefined> {
      const asked = moduleFor(check, caFile);
      if (asked === undefined) return undefined;
      await writeFile(caFile, "ca" in check ? (check.ca ?? "") : "");
      const modules = { case: { ...asked.module, timeout: `${timeoutMs}ms` } };
      await writeFile(configuration, JSON.stringify({ modules }));
      const reloaded = await fetch(`${base}/-/reload`, { method: "POST" });
      if (!reloaded.ok) return { up: false, text: await reloaded.text() };
      const query = new URLSearchParams({ module: "case", target: asked.target, debug: "true" });
      const overdue = AbortSignal.timeout(timeoutMs + patienceMs);
      const asking = fetch(`${base}/probe?${query}`, { signal: overdue }).then((reply) => reply.text());
      const answer = await asking.catch((error: unknown) => {
        if (overdue.aborted) return undefined;
        throw error;
      });
      if (answer === undefined) return undefined;
      const [logs = ""] = answer.split("Metrics that would have been returned");
      return { up: /^probe_success 1$/m.test(answer), text: logs };
    },
    async stop() {
      child.kill();
      await exited;
      await rm(folder, { recursive: true });
    },
  };
}

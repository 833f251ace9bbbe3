/** Pathkeeper's own probes, as a monitor under test. */
import dns from "node:dns";
import { runProbes } from "../../functions/probe/run/run.ts";
import { googleApi } from "../../shared/adapters/google-api.ts";
import { ownEntry } from "../../shared/runtime/entries.ts";
import type { Check, Monitor } from "../case.ts";

/** The secrets of a check by name. */
type Secrets = Readonly<Record<string, string | undefined>>;

/** Returns the kind of probe and the settings for a check. */
function probeFor(check: Check): {
  readonly kind: string;
  readonly settings: Record<string, unknown>;
  readonly secrets: Secrets;
} {
  const ca = "ca" in check && check.ca !== undefined ? { ca: { secret: "ca" } } : {};
  const secrets = { ca: "ca" in check ? check.ca : undefined };
  switch (check.protocol) {
    case "http": {
      const { url, contains, json } = check;
      const expect = {
        ...(contains === undefined ? {} : { body_contains: contains }),
        ...(json === undefined ? {} : { json }),
      };
      return { kind: "http", settings: { url, expect, ...("ca" in ca ? { tls: ca } : {}) }, secrets };
    }
    case "tls": {
      const { host, port, serverName } = check;
      const name = serverName === undefined ? {} : { server_name: serverName };
      return { kind: "tls", settings: { host, port, ...name, min_validity: "0s", tls: ca }, secrets };
    }
    case "websocket": {
      const { url, expects, subprotocol } = check;
      const script = expects === undefined ? [] : [{ expect: [{ contains: expects }] }];
      const subprotocols = subprotocol === undefined ? [] : [subprotocol];
      return {
        kind: "websocket",
        settings: { url, script, subprotocols, ...("ca" in ca ? { tls: ca } : {}) },
        secrets,
      };
    }
    case "postgres": {
      const { host, port, tls = "disable", password } = check;
      const login = { user: "probe", ...(password ? { password: { secret: "password" } } : {}) };
      return {
        kind: "postgres",
        settings: { connection: { host, port, ...login }, tls, ...ca },
        secrets: { ...secrets, password },
      };
    }
    case "tcp": {
      const { host, port, send, matches, tls = false } = check;
      const expect = matches === undefined ? {} : { expect: `/${matches}/` };
      return {
        kind: "tcp",
        settings: { host, port, tls, ...(send === undefined ? {} : { send }), ...expect, ...ca },
        secrets,
      };
    }
    case "redis": {
      const { host, port, tls = false, password } = check;
      const login = password === undefined ? {} : { password: { secret: "password" } };
      return { kind: "redis", settings: { host, port, tls, ...login, ...ca }, secrets: { ...secrets, password } };
    }
    case "dns": {
      const { name, type, server, records, connect } = check;
      const expect = records === undefined ? {} : { expect: { [type]: records } };
      const reached = connect === undefined ? {} : { connect };
      return { kind: "dns", settings: { name, types: [type], resolvers: [server], ...expect, ...reached }, secrets };
    }
    case "sse": {
      const { url, event, data, failOn } = check;
      const awaited = { event, ...(data === undefined ? {} : { contains: data }) };
      const fatal = failOn === undefined ? {} : { fail_on: [{ event: failOn }] };
      const script = [{ expect: [awaited], within: "300ms", ...fatal }];
      return { kind: "sse", settings: { url, script, ...("ca" in ca ? { tls: ca } : {}) }, secrets };
    }
    case "grpc": {
      const { host, port, tls = false, service = "" } = check;
      return { kind: "grpc", settings: { host, port, tls, service, ...ca }, secrets };
    }
    case "google":
      return { kind: "cloud_sql", settings: { project: "conformance", instance: "orders" }, secrets };
  }
}

/** Pathkeeper. */
export const pathkeeper: Monitor = {
  name: "Pathkeeper",
  async look(check, timeoutMs) {
    const { kind, settings, secrets } = probeFor(check);
    const servers = dns.getServers();
    if ("resolver" in check && check.resolver !== undefined) dns.setServers([check.resolver]);
    try {
      const { results } = await runProbes({
        environment: "conformance",
        vantage: "outside",
        group: "conformance",
        trigger: "schedule",
        reportId: "conformance",
        probes: [
          {
            name: "case",
            kind,
            component: "case",
            vantage: "outside",
            schedule: "every 1m",
            group: "conformance",
            timeoutMs,
            recheck: false,
            alert: false,
            settings,
          },
        ],
        secrets: {
          read: async (name) => {
            const value = ownEntry(secrets, name);
            if (value === undefined) throw new Error(`secret "${name}" not found`);
            return value;
          },
        },
        google: googleApi(check.protocol === "google" ? check.stand : "http://127.0.0.1:1"),
        clock: { now: () => Date.now() },
      });
      const failure = results[0]?.failure;
      if (failure === undefined) return { up: true, text: "" };
      const { kind: found, phase, status, code, message } = failure;
      return {
        up: false,
        kind: found,
        phase,
        text: message,
        ...(status === undefined ? {} : { status }),
        ...(code === undefined ? {} : { code }),
      };
    } finally {
      dns.setServers(servers);
    }
  },
  stop: async () => {},
};

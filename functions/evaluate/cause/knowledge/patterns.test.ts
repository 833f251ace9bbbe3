/** Each pattern has an outage that needs it: without its row, that outage is described in the neutral words of the role. */
import { describe, expect, it } from "vitest";
import { type ResolvedRole, roleNames } from "../../../../shared/config/roles.ts";
import type { Failure, FindingMeaning } from "../../../../shared/messages/report.ts";
import type { ProbeFact } from "../../partition/state.ts";
import type { ProbeIndicator, Symptom } from "../diagnosis.ts";
import { Evidence, type Observed } from "../evidence.ts";
import { alarming, began, failing, good, observedIn } from "../worlds.fixtures.ts";
import type { Fault } from "./indicators.ts";
import { patternOf, patterns } from "./patterns.ts";

/** Observations of `it`, which depends on `below` and is a dependency of `above`. */
interface Outage {
  readonly role: ResolvedRole;
  readonly above?: ResolvedRole;
  readonly symptoms: readonly Symptom[];
  readonly greens?: readonly ProbeFact[];
  readonly indicators?: readonly ProbeIndicator[];
  readonly faults?: readonly Fault[];
}

const failed = (
  kind: Failure["kind"],
  phase: string,
  more: Partial<Failure> = {},
  of: Partial<Symptom> = {},
): Symptom =>
  failing(of.component ?? "it", `${of.component ?? "it"}-up`, {
    failure: { kind, phase, message: "", ...more },
    ...of,
  });
const inside: Partial<Symptom> = { kind: "postgres", reach: "private", vantage: "inside" };
const indicator = (metric: string, shown: string, component = "it"): ProbeIndicator => ({
  metric,
  level: "limit",
  shown,
  since: began,
  probe: "figures",
  component,
});
const fault = (...tells: FindingMeaning[]): Fault => ({
  check: "some check",
  tells,
  component: "it",
  says: "something is wrong",
  severity: "critical",
  since: began,
  isNew: true,
});

const outages: Readonly<Record<string, Outage>> = {
  "path missing": {
    role: "connector",
    symptoms: [failed("timeout", "connect", {}, inside)],
    faults: [fault("no_path")],
  },
  "NAT out of ports": { role: "nat", symptoms: [alarming("it", "saturated", 0.9)] },
  "no free addresses": { role: "subnet", symptoms: [alarming("it", "saturated", 0.9)] },
  "quota used up": { role: "quota", symptoms: [alarming("it", "saturated", 0.9)] },
  "connector at its ceiling": {
    role: "connector",
    symptoms: [alarming("it", "saturated", 0.9, { metrics: ["vpc_connector_utilization"] })],
  },
  "connector loses handshakes": {
    role: "connector",
    above: "database",
    symptoms: [failed("timeout", "connect", {}, { ...inside, component: "above" })],
    greens: [good("above", "direct")],
  },
  "disk full": {
    role: "database",
    symptoms: [failed("database", "query", { code: "53100" }, inside)],
  },
  "database out of connections": {
    role: "database",
    symptoms: [failed("database", "authentication", { code: "53300" }, inside)],
  },
  "database down or failing over": {
    role: "database",
    symptoms: [failed("database", "authentication", { code: "57P03" }, inside)],
  },
  "login to the database refused": {
    role: "database",
    symptoms: [failed("auth", "authentication", { code: "28P01" }, inside)],
  },
  "cache full": { role: "cache", symptoms: [alarming("it", "saturated", 0.9)] },
  "queue grows": { role: "queue", symptoms: [alarming("it", "slow", 0.9)] },
  "database slow": { role: "database", symptoms: [failed("timeout", "query", {}, inside)] },
  "database near a limit": {
    role: "database",
    symptoms: [alarming("it", "saturated", 0.9, { metrics: ["cloud_sql_memory_utilization"] })],
  },
  "certificate wrong or expired": {
    role: "certificate",
    symptoms: [failed("tls", "tls", {}, { kind: "tls", reach: "private" })],
  },
  "names not resolved": { role: "dns", symptoms: [failed("dns", "dns")] },
  "time-out set too short": {
    role: "edge",
    symptoms: [failed("reset", "reply", {}, { component: "above" })],
    faults: [fault("cuts_off")],
  },
  "load balancer fails": { role: "edge", symptoms: [failed("http_status", "response", { status: 502 })] },
  "no way into the network": {
    role: "service",
    symptoms: [failed("http_status", "response", { status: 503 })],
    faults: [fault("no_path")],
  },
  "instances fail to start": {
    role: "service",
    symptoms: [failed("http_status", "response", { status: 503 })],
    indicators: [indicator("failed_startups", "24")],
  },
  "turned away for load": { role: "service", symptoms: [failed("http_status", "response", { status: 429 })] },
  "rate limit reached": { role: "third_party", symptoms: [failed("http_status", "response", { status: 429 })] },
  "pool used up": {
    role: "service",
    symptoms: [failed("http_status", "response", { status: 500 })],
    indicators: [
      indicator("cloud_sql_pool_utilization", "100%"),
      { ...indicator("database_connections", "31 of 100", "below"), level: "normal" },
    ],
  },
  "callers refused": { role: "service", symptoms: [failed("http_status", "response", { status: 403 })] },
  "logins fail": { role: "auth", symptoms: [failed("auth", "response", { status: 401 })] },
  "sockets fail, requests work": {
    role: "websocket",
    symptoms: [failed("reset", "open")],
    greens: [good("below", "below-up")],
  },
  "journey breaks while its parts work": {
    role: "journey",
    symptoms: [failed("timeout", "reply")],
    greens: [good("below", "below-up")],
  },
  "event in the region": {
    role: "region",
    symptoms: [failed("timeout", "connect", {}, { component: "above" })],
    indicators: [indicator("service_health_incidents", "1")],
  },
};

function evidenceOf({
  role,
  above = "service",
  symptoms,
  greens = [],
  indicators = [],
  faults = [],
}: Outage): Evidence {
  const part = (name: string, of: ResolvedRole, dependsOn: string[]) => ({
    name,
    title: name,
    layer: "platform" as const,
    role: of,
    dependsOn,
  });
  const components = [part("above", above, ["it"]), part("it", role, ["below"]), part("below", "service", [])];
  const seen: Observed = observedIn({ components, symptoms, greens, watched: new Set(["it"]), at: began + 600_000 });
  return new Evidence({ ...seen, indicators, faults });
}

describe("the patterns", () => {
  it("have an outage each", () => {
    expect(Object.keys(outages).sort()).toEqual(patterns.map(({ name }) => name).sort());
  });

  it.each(patterns.map(({ name }) => name))("the outage of %s is diagnosed only with this row", (name) => {
    const evidence = evidenceOf(outages[name] as Outage);
    const explains = evidence.symptoms;
    expect(patternOf(evidence, "it", explains).name).toBe(name);
    const others = patterns.filter((pattern) => pattern.name !== name);
    expect(patternOf(evidence, "it", explains, others).name).not.toBe(name);
  });

  it("name Google commands and pages only for Google resources", () => {
    const elsewhere = { google: false, serverlessConnector: false };
    const advised = patterns
      // Google reports these events, so Google is responsible.
      .filter(({ name }) => name !== "event in the region")
      .map(({ next }) => next("it", elsewhere));
    const looked = roleNames.map((role) => {
      const evidence = evidenceOf({ role, symptoms: [failed("protocol", "response", {}, { kind: "heartbeat" })] });
      return patternOf(evidence, "it", []).next("it", elsewhere);
    });
    for (const sentence of [...advised, ...looked])
      expect(sentence).not.toMatch(/gcloud|Google|Cloud Run|Cloud SQL|VPC/);
    const there = patterns.map(({ next }) => next("it", { google: true, serverlessConnector: true })).join(" ");
    expect(there).toMatch(/gcloud sql .*gcloud run /s);
  });

  it("name no connector if none carries the traffic", () => {
    const other = patterns.filter(({ of }) => of.includes("connector") || of.includes("nat") || of.includes("subnet"));
    for (const { next } of other)
      expect(next("it", { google: true, serverlessConnector: false })).not.toContain("vpc-access connectors");
  });

  it("do not match components of another role, or without their distinguishing fact", () => {
    const evidence = evidenceOf({ role: "storage", symptoms: [failed("http_status", "response", { status: 503 })] });
    expect(patternOf(evidence, "it", evidence.symptoms).name).toBe("fails by itself");
  });
});

/** The environments of the variations: the example, the shape of the demo, and a shop with two databases under different names. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

/** An environment, and the roles of its parts. */
export interface Graph {
  readonly name: string;
  /** A configuration, as in a file. */
  readonly configuration: Record<string, unknown>;
  readonly connector: string;
  /** Databases behind the connector, with their probes from inside and from outside. */
  readonly databases: readonly Database[];
  readonly certificate?: Part;
  readonly edge?: Part;
  readonly region?: { readonly component: string; readonly events: string };
  /** Services whose health depends on a database. */
  readonly services: readonly Service[];
  readonly auth: Service;
  readonly websocket: Part & { readonly needs: readonly string[] };
  readonly journey?: Part;
  /** Probes that yield the load of the connector, a finding on the edge, failed starts of a service. */
  readonly connectorLoad?: string;
  readonly edgeSettings?: string;
}

/** A component with its probes. */
export interface Part {
  readonly component: string;
  readonly probes: readonly string[];
}

/** A database. */
export interface Database {
  readonly component: string;
  readonly inside: readonly string[];
  readonly outside: readonly string[];
}

/** A service. */
export interface Service extends Part {
  readonly database: string;
  /** A probe that reads failed starts, if there is one. */
  readonly starts?: string;
}

const http = (component: string, more: object = {}): object => ({
  kind: "http",
  component,
  url: `https://${component}.example.com/health`,
  ...more,
});
const reading = { project: "some-project", region: "us-central1" };
const journeyProbe = (component: string): object =>
  http(component, { schedule: "every 5m", alert_after: "5m", severity: "critical" });

function netra(): Graph {
  const file = join(import.meta.dirname, "../../../examples/netra-staging/monitor.yaml");
  const example = parse(readFileSync(file, "utf8"), { merge: true }) as Record<string, Record<string, unknown>>;
  return {
    name: "netra-staging",
    configuration: {
      ...example,
      probes: {
        ...example["probes"],
        "load-of-connector": {
          kind: "vpc_connector",
          component: "vpc-connector",
          ...reading,
          connector: "c",
          max_instances: 3,
        },
        "settings-of-edge": http("load-balancer", { alert: "off", schedule: "every 30m" }),
        "starts-of-backend": {
          kind: "cloud_run",
          component: "backend",
          ...reading,
          service: "b",
          failed_startups: "failed-startups",
        },
      },
    },
    connector: "vpc-connector",
    databases: [{ component: "cloud-sql", inside: ["database"], outside: ["database-socket"] }],
    certificate: { component: "certificates", probes: ["certificate", "api-certificate", "auth-certificate"] },
    edge: { component: "load-balancer", probes: ["front-page"] },
    services: [
      {
        component: "backend",
        probes: ["backend-health", "api-health", "infrastructure"],
        database: "cloud-sql",
        starts: "starts-of-backend",
      },
    ],
    auth: { component: "auth", probes: ["auth-health", "login"], database: "cloud-sql" },
    websocket: { component: "websocket", probes: ["websocket", "websocket-events"], needs: ["backend", "auth"] },
    journey: { component: "golden-path", probes: ["golden-path"] },
    region: { component: "google-cloud", events: "google-incidents" },
    connectorLoad: "load-of-connector",
    edgeSettings: "settings-of-edge",
  };
}

/** Few components, few probes, and only the metrics of the database. */
function small(): Graph {
  return {
    name: "small",
    configuration: {
      environment: "small",
      components: {
        way: { title: "VPC connector", layer: "platform", role: "connector" },
        sql: { title: "Cloud SQL", layer: "platform", depends_on: ["way"] },
        backend: { layer: "application", depends_on: ["sql"], impact: "Users get no answers" },
        auth: { layer: "application", role: "auth", depends_on: ["sql"], impact: "Nobody can log in" },
        websocket: { layer: "application", depends_on: ["backend"], impact: "Chats stand still" },
      },
      probes: {
        "backend-up": http("backend"),
        "auth-up": http("auth"),
        sockets: { kind: "websocket", component: "websocket", url: "wss://backend.example.com/ws" },
        sql: postgres("sql", "inside"),
        "sql-direct": postgres("sql", "outside"),
      },
      monitoring_rules: [
        { name: "Slow", condition: "avg_database_connection_time > 25s", alert_duration: "3m", severity: "warning" },
      ],
      recovery: { stages: [{ name: "basic", probes: ["backend-up", "auth-up", "sql"] }] },
    },
    connector: "way",
    databases: [{ component: "sql", inside: ["sql"], outside: ["sql-direct"] }],
    services: [{ component: "backend", probes: ["backend-up"], database: "sql" }],
    auth: { component: "auth", probes: ["auth-up"], database: "sql" },
    websocket: { component: "websocket", probes: ["sockets"], needs: ["backend"] },
  };
}

/** Two databases on one connector, three services, other names, a region. */
function shop(): Graph {
  return {
    name: "shop",
    configuration: {
      environment: "shop",
      components: {
        "europe-west1": { title: "Region europe-west1", layer: "platform", role: "region" },
        egress: { title: "Serverless VPC access", layer: "platform", depends_on: ["europe-west1"] },
        orders: { title: "Orders database", layer: "platform", depends_on: ["egress"] },
        customers: { title: "Customers database", layer: "platform", depends_on: ["egress"] },
        certs: { title: "Certificates", layer: "platform", role: "certificate" },
        ingress: { title: "Ingress", layer: "platform", role: "edge", depends_on: ["certs", "europe-west1"] },
        catalog: { layer: "application", depends_on: ["orders", "ingress"], impact: "Nothing can be found" },
        checkout: { layer: "application", depends_on: ["orders", "ingress"], impact: "Nothing can be bought" },
        login: {
          title: "Login",
          layer: "application",
          role: "auth",
          depends_on: ["customers", "ingress"],
          impact: "Nobody can log in",
        },
        "live-updates": { title: "Live WebSocket", layer: "application", depends_on: ["checkout", "login"] },
        purchase: {
          title: "Purchase end to end",
          layer: "application",
          role: "journey",
          depends_on: ["catalog", "checkout", "login"],
          impact: "No revenue",
        },
      },
      probes: {
        "catalog-up": http("catalog"),
        "checkout-up": http("checkout"),
        "login-up": http("login"),
        home: http("ingress"),
        "live-socket": { kind: "websocket", component: "live-updates", url: "wss://live.example.com/ws" },
        "orders-inside": postgres("orders", "inside"),
        "orders-outside": postgres("orders", "outside"),
        "customers-inside": postgres("customers", "inside"),
        "cert-of-shop": {
          kind: "tls",
          component: "certs",
          schedule: "every 5m",
          alert_after: "0s",
          host: "shop.example.com",
        },
        "cert-of-login": {
          kind: "tls",
          component: "certs",
          schedule: "every 5m",
          alert_after: "0s",
          host: "login.example.com",
        },
        "egress-load": { kind: "vpc_connector", component: "egress", ...reading, connector: "c", max_instances: 3 },
        "ingress-settings": http("ingress", { alert: "off", schedule: "every 30m" }),
        "checkout-starts": {
          kind: "cloud_run",
          component: "checkout",
          ...reading,
          service: "checkout",
          failed_startups: "failed",
        },
        "google-events": http("europe-west1", {
          alert: "off",
          extract: [{ metric: "service_health_incidents", path: "$.active" }],
        }),
        "buy-something": journeyProbe("purchase"),
      },
      monitoring_rules: [
        {
          name: "Egress busy",
          component: "egress",
          condition: "vpc_connector_utilization > 75%",
          alert_duration: "5m",
          severity: "warning",
        },
        {
          name: "Database slow",
          condition: "database_connection_time > 20s",
          alert_duration: "3m",
          severity: "warning",
        },
      ],
      recovery: { stages: [{ name: "basic", probes: ["catalog-up", "checkout-up", "login-up"] }] },
    },
    connector: "egress",
    databases: [
      { component: "orders", inside: ["orders-inside"], outside: ["orders-outside"] },
      { component: "customers", inside: ["customers-inside"], outside: [] },
    ],
    certificate: { component: "certs", probes: ["cert-of-shop", "cert-of-login"] },
    edge: { component: "ingress", probes: ["home"] },
    region: { component: "europe-west1", events: "google-events" },
    services: [
      { component: "catalog", probes: ["catalog-up"], database: "orders" },
      { component: "checkout", probes: ["checkout-up"], database: "orders", starts: "checkout-starts" },
    ],
    auth: { component: "login", probes: ["login-up"], database: "customers" },
    websocket: { component: "live-updates", probes: ["live-socket"], needs: ["checkout", "login"] },
    journey: { component: "purchase", probes: ["buy-something"] },
    connectorLoad: "egress-load",
    edgeSettings: "ingress-settings",
  };
}

function postgres(component: string, vantage: string): object {
  const connection = { host: "10.0.0.3", user: "pathkeeper" };
  return {
    kind: "postgres",
    component,
    vantage,
    severity: "critical",
    timeout: "35s",
    connection,
    burst: { connections: 5 },
  };
}

/** All of them. */
export function graphs(): readonly [Graph, ...Graph[]] {
  return [netra(), small(), shop()];
}

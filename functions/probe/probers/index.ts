/** Every kind of probe. Configuration, documentation and the contract tests are derived from this list. */
import type { AnyProber } from "../prober.ts";
import { auditLogs } from "./audit_logs.ts";
import { cloudMonitoring } from "./cloud_monitoring.ts";
import { cloudNat } from "./cloud_nat.ts";
import { cloudRun } from "./cloud_run.ts";
import { cloudSql } from "./cloud_sql.ts";
import { dns } from "./dns.ts";
import { errorLogs } from "./error_logs.ts";
import { gcpConfiguration } from "./gcp_configuration.ts";
import { grpc } from "./grpc.ts";
import { heartbeat } from "./heartbeat.ts";
import { http } from "./http.ts";
import { journey } from "./journey.ts";
import { loadBalancer } from "./load_balancer.ts";
import { memorystore } from "./memorystore.ts";
import { postgres } from "./postgres.ts";
import { redis } from "./redis.ts";
import { serviceHealth } from "./service_health.ts";
import { sse } from "./sse.ts";
import { subnet } from "./subnet.ts";
import { tcp } from "./tcp.ts";
import { tls } from "./tls.ts";
import { vpcConnector } from "./vpc_connector.ts";
import { websocket } from "./websocket.ts";

/** The registry of probers, by kind. */
export const probers: Readonly<Record<string, AnyProber>> = {
  audit_logs: auditLogs,
  cloud_monitoring: cloudMonitoring,
  cloud_nat: cloudNat,
  cloud_run: cloudRun,
  cloud_sql: cloudSql,
  dns,
  error_logs: errorLogs,
  gcp_configuration: gcpConfiguration,
  grpc,
  heartbeat,
  http,
  journey,
  load_balancer: loadBalancer,
  memorystore,
  postgres,
  redis,
  service_health: serviceHealth,
  sse,
  subnet,
  tcp,
  tls,
  vpc_connector: vpcConnector,
  websocket,
};

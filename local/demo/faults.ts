/** Faults of the demo's parts. Each part really fails; everything else follows from it. */
import { type ConnectorFaults, healthy } from "./connector.ts";
import type { GoogleIncident } from "./google/api.ts";

/**
 * Changes that begin an outage: a bad deployment of the backend, the removal of the role with which it reaches the database, a firewall rule
 * that blocks the connector, maintenance of the database by Google, and the destruction of the secret with which the auth service signs.
 */
export type DemoChange = "deploy" | "role" | "firewall" | "maintenance" | "secret";

/** The current faults. */
export interface DemoFaults {
  readonly connector: ConnectorFaults;
  /** `full`: no connection is free for the application; `closed`: the server accepts no connections to its database, and closes existing ones. */
  readonly database: "well" | "full" | "closed";
  /** `rejects`: every login is rejected, even with the correct password. */
  readonly logins: "well" | "rejects";
  /** `broken`: a deployed revision that answers every request with 500. */
  readonly deploy: "well" | "broken";
  /** The status that refuses every upgrade to a WebSocket; 0 if upgrades work. */
  readonly upgradesRefusedWith: 0 | 500 | 503;
  /** `silent`: they begin to work on a message, and never answer. */
  readonly agents: "well" | "silent";
  /** `refused`: every token is rejected, and every chat is closed as soon as it is open. */
  readonly tokens: "well" | "refused";
  /** `expired`: the website presents a certificate that expired yesterday; `foreign`: a valid certificate of another host. */
  readonly certificate: "well" | "expired" | "foreign";
  /** `stopped`: the job that backs up the database has stopped, without a report. */
  readonly backup: "well" | "stopped";
  /** The incident that Google reports. */
  readonly google?: GoogleIncident;
  /** The change that begins the outage. The audit logs record it together with an unrelated change. */
  readonly change?: DemoChange;
  /** Seconds added to the database phase of the backend's last start. */
  readonly slowStart: number;
}

/** No faults. */
export const allWell: DemoFaults = {
  connector: healthy,
  database: "well",
  logins: "well",
  deploy: "well",
  upgradesRefusedWith: 0,
  agents: "well",
  tokens: "well",
  certificate: "well",
  backup: "well",
  slowStart: 0,
};

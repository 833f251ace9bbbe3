/** Faults of the demo's parts. Each part really fails in this way; everything else follows from it. */
import { type ConnectorFaults, healthy } from "./connector.ts";
import type { GoogleIncident } from "./google/api.ts";

/**
 * Changes that begin an outage: a bad deployment of the backend, the role by which it reaches the database taken away, a firewall rule in the
 * connector's way, maintenance of the database by Google, a destroyed version of the secret with which the auth service signs.
 */
export type DemoChange = "deploy" | "role" | "firewall" | "maintenance" | "secret";

/** Everything that is wrong. */
export interface DemoFaults {
  readonly connector: ConnectorFaults;
  /** `full`: no connection is left for the application; `closed`: the server takes no connections to its database, and ends those that there are. */
  readonly database: "well" | "full" | "closed";
  /** `rejects`: nobody is let in, whatever his password. */
  readonly logins: "well" | "rejects";
  /** `broken`: a deployed revision that answers every request with 500. */
  readonly deploy: "well" | "broken";
  /** The status with which every upgrade to a WebSocket is refused; 0 for none. */
  readonly upgradesRefusedWith: 0 | 500 | 503;
  /** `silent`: they begin to work on a message, and nothing more is heard of them. */
  readonly agents: "well" | "silent";
  /** `refused`: nobody's token is good any more, and every chat is closed as soon as it is open. */
  readonly tokens: "well" | "refused";
  /** `expired`: the website shows a certificate whose last day was yesterday; `foreign`: a good one, of another host. */
  readonly certificate: "well" | "expired" | "foreign";
  /** `stopped`: the job that backs up the database does not run any more, and says nothing. */
  readonly backup: "well" | "stopped";
  /** The incident that Google says it has. */
  readonly google?: GoogleIncident;
  /** The change at Google that begins it, which is recorded in the audit logs beside one that has no part in it. */
  readonly change?: DemoChange;
  /** Seconds that the database phase of the backend's last start is made longer by. */
  readonly slowStart: number;
}

/** Nothing is wrong. */
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

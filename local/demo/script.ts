/** Scripts of the demo's outages: one per fault, each a table of timed steps. */
import { healthy } from "./connector.ts";
import { allWell, type DemoFaults } from "./faults.ts";
import type { GoogleIncident } from "./google/api.ts";

/** One step of a script. */
export interface Step {
  /** Milliseconds since the script began, at pace 1. */
  readonly at: number;
  /** Description of the step, for the live view. */
  readonly say: string;
  readonly faults: DemoFaults;
}

/** The steps of an outage, in order; the last is its end. */
export type Script = readonly [Step, ...Step[]];

/** An outage that can be played. */
export interface Outage {
  /** Description, for `--help`. */
  readonly title: string;
  /** The components that may be named as its cause; the first is the one to name. */
  readonly causes: readonly [string, ...string[]];
  /** Text that must identify the change that caused it. @default no change, in which case none may be named */
  readonly change?: string;
  /** The layer that is responsible. */
  readonly verdict: "platform" | "application";
  readonly script: Script;
}

/** Position in the script. */
export interface ScriptPosition {
  readonly step: Step;
  /** Milliseconds until the next step or the end; 0 after the end. */
  readonly nextInMs: number;
  readonly ended: boolean;
}

const begin: Step = { at: 0, say: "Everything works: users are served, and the probes run.", faults: allWell };

/** Google's own incident, after Google notices the outage. */
const noticed: GoogleIncident = {
  title: "Serverless VPC Access: connections are lost",
  symptom: "New connections through VPC connectors time out.",
  product: "Virtual Private Cloud (VPC)",
};

/** Returns the final steps of every outage. @param repaired description of the repair */
function ending(repaired: string): [Step, Step] {
  return [
    { at: 75_000, say: `${repaired}: probes validate the recovery.`, faults: allWell },
    {
      at: 115_000,
      say: "The outage is over. Pathkeeper keeps monitoring until you press Ctrl-C.",
      faults: allWell,
    },
  ];
}

/** Returns the script of an outage that begins at once and does not change until its end. */
function sudden(say: string, faults: Partial<DemoFaults>, repaired: string): Script {
  return [begin, { at: 15_000, say, faults: { ...allWell, ...faults } }, ...ending(repaired)];
}

/** The names of the faults; the first is the one of `npm start`. */
export const faultNames = [
  "connector",
  "connector-slow",
  "database-closed",
  "database-full",
  "login",
  "websocket-503",
  "websocket-500",
  "agents",
  "token",
  "startup",
  "deploy",
  "role",
  "firewall",
  "maintenance",
  "secret",
  "certificate",
  "certificate-host",
  "backup",
] as const;

/** The name of a fault. */
export type FaultName = (typeof faultNames)[number];

/** Every outage that can be played, by the name of its fault. */
export const outages: Readonly<Record<FaultName, Outage>> = {
  connector: {
    title: "the VPC connector slows down, then loses every connection",
    causes: ["vpc-connector", "cloud-sql"],
    verdict: "platform",
    script: [
      begin,
      {
        at: 15_000,
        say: "Another workload floods the VPC connector: new connections are slow.",
        faults: { ...allWell, connector: { ...healthy, neighbours: 0.7, latencyMs: 700 } },
      },
      {
        at: 25_000,
        say: "The connector begins to lose every other connection.",
        faults: { ...allWell, connector: { ...healthy, neighbours: 0.8, latencyMs: 800, lost: 0.5 } },
      },
      {
        at: 35_000,
        say: "The connector loses every connection: the database is unreachable.",
        faults: { ...allWell, connector: { ...healthy, neighbours: 0.9, latencyMs: 800, lost: 1 }, google: noticed },
      },
      ...ending("The connector is repaired"),
    ],
  },
  "connector-slow": {
    title: "the VPC connector is near its limit, and new connections are slow",
    causes: ["vpc-connector"],
    verdict: "platform",
    script: sudden(
      "Another workload floods the VPC connector: everything works, but slowly.",
      { connector: { ...healthy, neighbours: 0.75, latencyMs: 700 } },
      "The other workload is quiet again",
    ),
  },
  "database-closed": {
    title: "the database refuses new connections and closes existing ones",
    causes: ["cloud-sql"],
    verdict: "platform",
    script: sudden(
      "The database no longer accepts connections.",
      { database: "closed" },
      "The database accepts connections again",
    ),
  },
  "database-full": {
    title: "the database has no free connections for the application",
    causes: ["cloud-sql"],
    verdict: "platform",
    script: sudden(
      "The database has too many clients: no connection is free.",
      { database: "full" },
      "The database has free connections again",
    ),
  },
  login: {
    title: "the auth service is healthy and rejects every login",
    causes: ["auth"],
    verdict: "application",
    script: sudden("The auth service rejects every login.", { logins: "rejects" }, "Logins work again"),
  },
  "websocket-503": {
    title: "every upgrade to a WebSocket is refused with 503",
    causes: ["websocket"],
    verdict: "application",
    script: sudden("Every WebSocket is refused with 503.", { upgradesRefusedWith: 503 }, "WebSockets open again"),
  },
  "websocket-500": {
    title: "every upgrade to a WebSocket is refused with 500",
    causes: ["websocket"],
    verdict: "application",
    script: sudden("Every WebSocket is refused with 500.", { upgradesRefusedWith: 500 }, "WebSockets open again"),
  },
  agents: {
    title: "agents accept messages and never answer",
    causes: ["agents"],
    verdict: "application",
    script: sudden("The agents accept messages and never answer.", { agents: "silent" }, "The agents answer again"),
  },
  token: {
    title: "logins work, but every token is rejected: chats are closed with 4401",
    causes: ["agents"],
    verdict: "application",
    script: sudden(
      "The backend rejects every token: every chat is closed immediately.",
      { tokens: "refused" },
      "Tokens are accepted again",
    ),
  },
  startup: {
    title: "the backend's last start took 52 s in phase 3, the database",
    // The slow start is over and everything works by now. Nothing distinguishes the database from the path to it, so
    // "unknown" is also correct.
    causes: ["cloud-sql", "vpc-connector", "unknown"],
    verdict: "platform",
    script: sudden(
      "The backend was restarted, and its phase 3 took 52 s.",
      { slowStart: 52 },
      "The next start is fast",
    ),
  },
  deploy: {
    title: "a bad deploy: the backend answers everything with 500",
    causes: ["backend"],
    change: "Deployed revision backend-00008",
    verdict: "application",
    script: sudden(
      "A new revision of the backend answers everything with 500.",
      { deploy: "broken", change: "deploy" },
      "The deploy is rolled back",
    ),
  },
  role: {
    title: "the backend loses the IAM role that it needs to reach the database",
    causes: ["backend"],
    change: "Removed roles/cloudsql.client from backend@",
    verdict: "application",
    script: sudden(
      "An IAM role is removed: the backend can no longer reach the database.",
      { change: "role", upgradesRefusedWith: 503 },
      "The backend has its role again",
    ),
  },
  firewall: {
    title: "a new firewall rule blocks the VPC connector",
    causes: ["vpc-connector", "cloud-sql"],
    change: "Created firewall rule lock-down",
    verdict: "platform",
    script: sudden(
      "A new firewall rule blocks the connector's traffic.",
      { change: "firewall", connector: { ...healthy, lost: 1 } },
      "The rule is disabled",
    ),
  },
  maintenance: {
    title: "Google maintains the database, which refuses connections in the meantime",
    causes: ["cloud-sql"],
    change: "Maintenance by Google of Cloud SQL instance demo-postgres",
    verdict: "platform",
    script: sudden(
      "Google begins maintenance of the database.",
      { change: "maintenance", database: "closed" },
      "The maintenance is over",
    ),
  },
  secret: {
    title: "the secret that the auth service signs tokens with is destroyed",
    causes: ["auth"],
    change: "Destroyed a version of secret demo-token-key",
    verdict: "application",
    script: sudden(
      "A version of a secret is destroyed: no new tokens are issued.",
      { change: "secret" },
      "The secret has a value again",
    ),
  },
  certificate: {
    title: "the certificate of the website has expired",
    causes: ["certificates"],
    verdict: "platform",
    script: sudden(
      "The certificate of the website expires: browsers refuse to open it.",
      { certificate: "expired" },
      "The certificate is renewed",
    ),
  },
  "certificate-host": {
    title: "the website presents the certificate of another host",
    causes: ["certificates"],
    verdict: "platform",
    script: sudden(
      "The website shows another host's certificate: browsers refuse to open it.",
      { certificate: "foreign" },
      "The website has its own certificate again",
    ),
  },
  backup: {
    title: "the nightly backup silently stops running",
    causes: ["backup"],
    verdict: "platform",
    script: sudden("The backup of the database stops running.", { backup: "stopped" }, "The backup runs again"),
  },
};

/** Returns the position of a script after `elapsedMs`. @param pace speed relative to the table */
export function scriptAt(script: Script, elapsedMs: number, pace = 1): ScriptPosition {
  const elapsed = elapsedMs * pace;
  const step = script.findLast(({ at }) => at <= elapsed) ?? script[0];
  const next = script[script.indexOf(step) + 1];
  return { step: paced(step, pace), nextInMs: next ? (next.at - elapsed) / pace : 0, ended: next === undefined };
}

/**
 * Returns the factor by which schedules, deadlines and latencies are shortened at a pace. A faster script does not make the machine faster:
 * below half of their values at pace 1, they would measure the machine.
 */
export function tempoOf(pace: number): number {
  return Math.min(pace, 2);
}

/** Shortens the latency of a step, because a faster pace also shortens the timeouts of services and probes. */
export function paced(step: Step, pace: number): Step {
  const { connector } = step.faults;
  return {
    ...step,
    faults: { ...step.faults, connector: { ...connector, latencyMs: connector.latencyMs / tempoOf(pace) } },
  };
}

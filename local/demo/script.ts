/** Scripts of the demo's outages: one per fault, each a table of timed steps. */
import { healthy } from "./connector.ts";
import { allWell, type DemoFaults } from "./faults.ts";
import type { GoogleIncident } from "./google/api.ts";

/** One thing that happens. */
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

const begin: Step = { at: 0, say: "All is well: users are served, and the probes watch.", faults: allWell };

/** Google's own incident, after Google notices the outage. */
const noticed: GoogleIncident = {
  title: "Serverless VPC Access: connections are lost",
  symptom: "New connections through VPC connectors time out.",
  product: "Virtual Private Cloud (VPC)",
};

/** Returns the final steps of every outage. @param repaired description of the repair */
function ending(repaired: string): [Step, Step] {
  return [
    { at: 75_000, say: `${repaired}: watch the recovery being proved.`, faults: allWell },
    {
      at: 115_000,
      say: "The outage is over. The system keeps watching until you press Ctrl-C.",
      faults: allWell,
    },
  ];
}

/** An outage that is there at once and as a whole. */
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
        say: "A neighbour floods the VPC connector: new connections are slow.",
        faults: { ...allWell, connector: { ...healthy, neighbours: 0.7, latencyMs: 700 } },
      },
      {
        at: 25_000,
        say: "The connector begins to lose connections, every other one.",
        faults: { ...allWell, connector: { ...healthy, neighbours: 0.8, latencyMs: 800, lost: 0.5 } },
      },
      {
        at: 35_000,
        say: "The connector loses every connection: nobody reaches the database.",
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
      "A neighbour floods the VPC connector: everything works, and slowly.",
      { connector: { ...healthy, neighbours: 0.75, latencyMs: 700 } },
      "The neighbour is quiet again",
    ),
  },
  "database-closed": {
    title: "the database refuses new connections and closes existing ones",
    causes: ["cloud-sql"],
    verdict: "platform",
    script: sudden(
      "The database takes no connections any more.",
      { database: "closed" },
      "The database takes connections again",
    ),
  },
  "database-full": {
    title: "the database has no free connections for the application",
    causes: ["cloud-sql"],
    verdict: "platform",
    script: sudden(
      "The database has too many clients: no connection is left.",
      { database: "full" },
      "The database has room again",
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
    script: sudden("The agents take messages and fall silent.", { agents: "silent" }, "The agents answer again"),
  },
  token: {
    title: "logins work, but every token is rejected: chats are closed with 4401",
    causes: ["agents"],
    verdict: "application",
    script: sudden(
      "The backend takes no token any more: every chat is closed at once.",
      { tokens: "refused" },
      "Tokens are good again",
    ),
  },
  startup: {
    title: "the backend's last start took 52 s in phase 3, the database",
    // When a start was slow that is over, all is well by now: nothing tells the database from the way to it, and it
    // is right to say so.
    causes: ["cloud-sql", "vpc-connector", "unknown"],
    verdict: "platform",
    script: sudden(
      "The backend was restarted, and its phase 3 took 52 s.",
      { slowStart: 52 },
      "The next start is quick",
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
      "Somebody takes a role away: the backend may not reach the database.",
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
      "A new firewall rule denies what the connector sends.",
      { change: "firewall", connector: { ...healthy, lost: 1 } },
      "The rule is switched off",
    ),
  },
  maintenance: {
    title: "Google maintains the database, which refuses connections meanwhile",
    causes: ["cloud-sql"],
    change: "Maintenance by Google of Cloud SQL instance demo-postgres",
    verdict: "platform",
    script: sudden(
      "Google begins to maintain the database.",
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
      "A version of a secret is destroyed: nobody gets a token any more.",
      { change: "secret" },
      "The secret has a value again",
    ),
  },
  certificate: {
    title: "the certificate of the website has expired",
    causes: ["certificates"],
    verdict: "platform",
    script: sudden(
      "The certificate of the website expires: no browser opens it any more.",
      { certificate: "expired" },
      "The certificate is renewed",
    ),
  },
  "certificate-host": {
    title: "the website presents the certificate of another host",
    causes: ["certificates"],
    verdict: "platform",
    script: sudden(
      "The website shows the certificate of another host: no browser opens it.",
      { certificate: "foreign" },
      "It has its own certificate again",
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
 * By how much waiting is shortened at a pace: schedules, deadlines and latencies. A machine does not get faster with the script, so below
 * half of what they are at pace 1 they would measure the machine.
 */
export function tempoOf(pace: number): number {
  return Math.min(pace, 2);
}

/** Latency is measured against the patience of services and probes, which a faster pace shortens as well. */
export function paced(step: Step, pace: number): Step {
  const { connector } = step.faults;
  return {
    ...step,
    faults: { ...step.faults, connector: { ...connector, latencyMs: connector.latencyMs / tempoOf(pace) } },
  };
}

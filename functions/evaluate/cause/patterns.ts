/**
 * The table of patterns: the ways in which the parts of such an environment fail, and how each is told from the others. A new rule for
 * naming causes is a row here; a new question to the facts is a clue in clues.ts.
 *
 * A row says of which components it can be true, how well it explains each class of symptom on the component itself (`shows`) and on what
 * depends on it (`passesOn`), how much a good probe contradicts it, and which clues speak for and against it. All weights are from 0 to 1.
 */

import type { ClueName } from "./clues.ts";
import type { Part } from "./roles.ts";
import {
  anyTrouble,
  atTheEdge,
  behindTheEdge,
  letDown,
  lostWay,
  sick,
  starved,
  unreached,
  type Weights,
} from "./weights.ts";

/** One way to fail. */
export interface Pattern {
  readonly name: string;
  /** Components that can fail so. */
  readonly of: readonly Part[];
  readonly shows: Weights;
  readonly passesOn: Weights;
  /** How much a probe contradicts it that was good all the time and needs the component: little where a part goes on working. */
  readonly contradicted: number;
  /** The same of its own probes. @default at least 0.8 */
  readonly contradictedByItself?: number;
  /** It hits some and leaves others alone, so that what works on the way proves nothing of what lies beyond. */
  readonly selective?: true;
  /** What shows it comes long after what it does: that it was seen last does not acquit it. */
  readonly seenLate?: true;
  /** What it costs to assume it: more for what is much rarer than the rest. @default 0 */
  readonly rare?: number;
  readonly for?: Readonly<Partial<Record<ClueName, number>>>;
  readonly against?: Readonly<Partial<Record<ClueName, number>>>;
  /** What has happened, as the last answer to "why?". */
  readonly says: (title: string) => string;
  /** What to do first, for those who must act. */
  readonly next: (title: string) => string;
}

/** Every pattern. */
export const patterns: readonly Pattern[] = [
  {
    name: "connector loses handshakes",
    of: ["connector"],
    passesOn: unreached,
    shows: lostWay,
    // Connections that stand already go on working, so that services with a pool may not feel it for a while.
    contradicted: 0.45,
    contradictedByItself: 0.4,
    for: {
      "the target answers another way": 0.9,
      "other private targets fail too": 0.6,
      "new connections are lost": 0.4,
      "the time goes into connecting": 0.5,
      "the database is calm": 0.3,
      "the connector is idle": 0.1,
      "its configuration came to be wrong": 0.6,
    },
    against: { "the server answered": 0.5, "the time goes into the server": 0.5 },
    says: (title) => `${title} loses new connections before they arrive, although it is not at its ceiling.`,
    next: (title) =>
      `Look at ${title}: \`gcloud compute networks vpc-access connectors describe\` shows its state; a larger machine type, or a new connector beside it, brings handshakes back.`,
  },
  {
    name: "connector at its ceiling",
    of: ["connector"],
    passesOn: unreached,
    shows: { ...lostWay, "connector load": 1 },
    contradicted: 0.45,
    contradictedByItself: 0.4,
    for: {
      "the connector is near its ceiling": 0.5,
      "the connector is at its ceiling": 0.5,
      "the target answers another way": 0.8,
      "other private targets fail too": 0.4,
      "new connections are lost": 0.3,
      "the time goes into connecting": 0.4,
      "the database is calm": 0.2,
    },
    against: { "the server answered": 0.4, "the connector is idle": 0.8, "the time goes into the server": 0.5 },
    says: (title) => `${title} is at its ceiling and can carry no more connections.`,
    next: (title) =>
      `Give ${title} room: raise its maximum of instances or its machine type with \`gcloud compute networks vpc-access connectors update\`, and see which service opens so many connections.`,
  },
  {
    name: "path missing",
    of: ["connector"],
    passesOn: unreached,
    shows: lostWay,
    contradicted: 1,
    for: { "it has no way into the network": 1.2, "the target answers another way": 0.5 },
    against: { "the server answered": 0.8 },
    says: (title) => `The path through ${title} into the private network is missing: it is configuration, not load.`,
    next: (title) =>
      `Compare the configuration of ${title} (network, peering, routes, firewall) with the last one that worked, and put back what is missing.`,
  },
  {
    name: "database out of connections",
    of: ["database"],
    shows: { full: 1, connections: 1, silent: 0.3, "slow answer": 0.4, "slow to connect": 0.5, "handshakes lost": 0.4 },
    passesOn: { ...starved, "handshakes lost": 0.4, connections: 0.9 },
    contradicted: 0.5,
    for: { "the server answered": 0.2, "its connections are used up": 0.7 },
    against: { "the target answers another way": 0.2 },
    says: (title) => `${title} has no connection left: it answers at once, and turns new clients away.`,
    next: (title) =>
      `See who holds the connections of ${title}: \`select usename, state, count(*) from pg_stat_activity group by 1, 2\`; restart what leaks, or bound instances x pool below max_connections.`,
  },
  {
    name: "database slow",
    of: ["database"],
    shows: {
      "slow answer": 1,
      silent: 0.75,
      "slow to connect": 0.9,
      "database load": 1,
      connections: 0.85,
      "handshakes lost": 0.4,
      unreachable: 0.25,
      configuration: 0.4,
      other: 0.6,
    },
    passesOn: { ...starved, slow: 1, "no answer": 1 },
    contradicted: 0.5,
    for: {
      "the database is loaded": 0.8,
      "the time goes into the server": 0.6,
      "it fails by every way": 0.5,
      "its configuration came to be wrong": 0.4,
    },
    against: {
      "the target answers another way": 0.5,
      "the time goes into connecting": 0.5,
      "the database is calm": 0.4,
    },
    says: (title) => `${title} is reached at once, and is too slow to answer.`,
    next: (title) =>
      `Look for what keeps ${title} busy: Query Insights, locks in pg_locks, disk and CPU in Cloud Monitoring, and running operations (\`gcloud sql operations list\`).`,
  },
  {
    name: "database down or failing over",
    of: ["database"],
    shows: {
      "turned away": 1,
      restarting: 1,
      "database down": 1,
      unreachable: 0.7,
      silent: 0.6,
      "slow answer": 0.4,
      "handshakes lost": 0.8,
      "slow to connect": 0.5,
      configuration: 0.6,
      other: 0.6,
    },
    passesOn: { ...starved, "handshakes lost": 0.8 },
    contradicted: 1,
    for: {
      "the provider says that it is down": 0.9,
      "it fails by every way": 0.6,
      "its configuration came to be wrong": 0.7,
      "the server answered": 0.1,
    },
    against: { "the target answers another way": 0.8, "the database is calm": 0.2 },
    says: (title) => `${title} is down, restarting or failing over.`,
    next: (title) =>
      `See what happens to ${title}: \`gcloud sql operations list\` and \`gcloud sql instances describe\`; a failover ends by itself within minutes, a stopped instance does not.`,
  },
  {
    name: "login to the database refused",
    of: ["database"],
    shows: { "login refused": 1 },
    passesOn: { ...starved, error: 0.8 },
    contradicted: 0.7,
    for: { "its configuration came to be wrong": 0.4 },
    says: (title) => `${title} refuses the login: a password, a role or a database has changed.`,
    next: (title) => `Compare the secrets that services and probes use for ${title} with its users and databases.`,
  },
  {
    name: "certificate wrong or expired",
    selective: true,
    of: ["certificate"],
    shows: { certificate: 1, expiry: 1, "no connection": 0.2, configuration: 0.8 },
    passesOn: { certificate: 1, expiry: 1, "websockets refused": 0.6, journey: 0.6, "cut off": 0.2 },
    // One host may have a certificate of its own.
    contradicted: 0.4,
    for: { "its configuration came to be wrong": 0.5, "its configuration is wrong": 0.3 },
    says: (title) => `${title}: what the servers show is not accepted any more.`,
    next: (title) =>
      `Renew or put back ${title}: \`gcloud compute ssl-certificates list\` shows state and expiry; a managed one needs its DNS record to renew.`,
  },
  {
    name: "names not resolved",
    selective: true,
    of: ["dns", "edge"],
    shows: { dns: 1 },
    passesOn: { dns: 1, "websockets refused": 0.6, journey: 0.6 },
    contradicted: 0.5,
    contradictedByItself: 0.5,
    says: (title) => `The names that lead to ${title} are not resolved any more: everything behind it may be well.`,
    next: (title) =>
      `Look up the names that lead to ${title} with \`dig\` at the zone's own servers, and see what changed in the zone or at the registrar.`,
  },
  {
    name: "load balancer fails",
    of: ["edge"],
    shows: atTheEdge,
    passesOn: behindTheEdge,
    contradicted: 0.8,
    for: {
      "the services answer without errors": 0.7,
      "its configuration came to be wrong": 0.8,
      "its configuration is wrong": 0.5,
    },
    against: { "the services make the errors": 0.8, "instances fail to start": 0.5 },
    says: (title) => `${title} does not pass requests on: what stands behind it is not reached.`,
    next: (title) =>
      `Read \`jsonPayload.statusDetails\` in the log of ${title}: failed_to_connect_to_backend and failed_to_pick_backend mean the load balancer, response_sent_by_backend means the service. Compare its URL map and backends with the last ones that worked.`,
  },
  {
    name: "time-out set too short",
    selective: true,
    of: ["edge", "service", "websocket"],
    shows: {
      "cut off": 1,
      "bad gateway": 0.8,
      "no answer": 0.6,
      "events missing": 0.7,
      "websockets refused": 0.3,
      journey: 0.6,
    },
    passesOn: { "cut off": 1, "bad gateway": 0.8, "no answer": 0.5, "events missing": 0.7, journey: 0.7 },
    // Whatever is short enough goes on working.
    contradicted: 0.1,
    contradictedByItself: 0.1,
    for: { "a time-out is set wrong": 2, "it was cut off at a limit": 0.4, "a load balancer's limit": 0.2 },
    says: (title) => `A time-out of ${title} ends what should go on.`,
    next: (title) =>
      `Compare the time-outs of ${title} with how long WebSockets and replies last: the backend service's timeout, and \`gcloud run services describe\` for the request timeout.`,
  },
  {
    name: "instances fail to start",
    of: ["service", "auth", "websocket"],
    shows: { ...sick, "failed starts": 1, denied: 0.2 },
    passesOn: letDown,
    contradicted: 0.8,
    for: {
      "instances fail to start": 0.5,
      "everything that it needs works": 0.4,
      "what else stands on the same ground works": 0.3,
      "it was deployed just before": 0.4,
    },
    says: (title) => `Instances of ${title} do not come up, although what they need is there.`,
    next: (title) =>
      `Read the first error of a failed start in the log of ${title} (\`severity>=ERROR\`, newest revision), and send traffic back to the last revision that started: \`gcloud run services update-traffic\`.`,
  },
  {
    name: "no way into the network",
    of: ["service", "auth", "websocket"],
    shows: { ...sick, "failed starts": 1 },
    passesOn: letDown,
    contradicted: 0.9,
    for: { "it has no way into the network": 1.2, "what else stands on the same ground works": 0.3 },
    says: (title) => `${title} has no path to what it needs: its deployment lacks the connector or its egress.`,
    next: (title) =>
      `Compare \`gcloud run services describe\` of ${title} with a service that works: the connector and the egress setting must be there; deploy it again with them.`,
  },
  {
    name: "fails by itself",
    of: ["service", "auth", "websocket"],
    shows: sick,
    passesOn: letDown,
    contradicted: 0.8,
    for: {
      "everything that it needs works": 0.5,
      "what else stands on the same ground works": 0.3,
      "it was deployed just before": 0.7,
      "its configuration came to be wrong": 0.5,
    },
    says: (title) => `${title} fails by itself, while what it needs works: a bad deploy is the usual reason.`,
    next: (title) =>
      `See what was deployed to ${title} last (\`gcloud run revisions list\`), and send traffic back to the revision before it; then read its log.`,
  },
  {
    name: "logins fail",
    of: ["auth"],
    shows: { ...sick, denied: 1 },
    passesOn: { ...letDown, denied: 1 },
    contradicted: 0.6,
    for: {
      "everything that it needs works": 0.5,
      "it was deployed just before": 0.5,
      "its configuration came to be wrong": 0.5,
    },
    says: (title) => `${title} lets nobody in, or what it issues is not accepted.`,
    next: (title) =>
      `Log in by hand and follow the token: signing keys, their rotation, clocks and the secrets of ${title}.`,
  },
  {
    name: "sockets fail, requests work",
    of: ["websocket"],
    shows: {
      error: 1,
      "bad gateway": 0.9,
      "not found": 1,
      "no answer": 1,
      "cut off": 1,
      "events missing": 1,
      "wrong content": 1,
      denied: 0.8,
      "websockets refused": 1,
      slow: 0.9,
      other: 0.7,
    },
    passesOn: {
      "events missing": 0.9,
      "no answer": 0.8,
      "cut off": 0.9,
      error: 0.8,
      "bad gateway": 0.7,
      journey: 0.9,
      denied: 0.4,
    },
    contradicted: 0.7,
    for: { "everything that it needs works": 0.6 },
    says: (title) => `${title} fails, while requests to the same services are answered.`,
    next: (title) =>
      `Open ${title} by hand and note the status or the close code: 4xx and 1008 are refusals of the application, 502 and 1006 come from what stands before it.`,
  },
  {
    name: "journey breaks while its parts work",
    of: ["journey"],
    shows: {
      error: 0.8,
      "bad gateway": 0.6,
      "no answer": 1,
      "cut off": 0.8,
      "events missing": 1,
      "wrong content": 1,
      denied: 0.6,
      "not found": 0.8,
      throttled: 1,
      slow: 0.9,
      journey: 1,
      other: 0.7,
    },
    passesOn: {},
    contradicted: 0.5,
    for: { "everything that it needs works": 0.6, "nothing else is wrong": 0.3 },
    says: (title) =>
      `${title} breaks although all it runs on works: the agents, the model behind them or the application's own logic.`,
    next: (title) =>
      `Walk ${title} once by hand and see at which step it stops; where no reply comes, look at the agents' log and at the state of the model's provider.`,
  },
  {
    name: "event in the region",
    of: ["region"],
    shows: { "provider event": 1, other: 0.7 },
    passesOn: {
      ...unreached,
      ...starved,
      "turned away": 0.7,
      restarting: 0.6,
      "database down": 0.7,
      "connector load": 0.3,
      "no connection": 0.6,
      "bad gateway": 0.8,
      "failed starts": 1,
      error: 0.95,
      errors: 0.95,
    },
    // Google's own word comes late, and an event seldom stops everything.
    contradicted: 0.3,
    contradictedByItself: 0,
    selective: true,
    seenLate: true,
    rare: 0.6,
    for: { "the provider reports an event": 1.5 },
    against: { "the provider reports nothing": 0.6 },
    says: (title) => `${title} itself is in trouble: Google must act, and what can move should move to another region.`,
    next: (title) =>
      `Follow Google's event for ${title} in Service Health, and decide whether to fail over to another region.`,
  },
  {
    name: "part of the platform fails",
    of: ["platform"],
    shows: anyTrouble,
    passesOn: { ...unreached, ...starved },
    contradicted: 0.8,
    for: { "it fails by every way": 0.4, "its configuration came to be wrong": 0.6 },
    against: { "the target answers another way": 0.3 },
    says: (title) => `${title} does not do its work.`,
    next: (title) => `See the state of ${title} in the console, and what changed there last.`,
  },
];

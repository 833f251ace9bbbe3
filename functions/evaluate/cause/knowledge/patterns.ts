/**
 * The table of patterns: the ways in which parts of such an environment fail, and the fact by which each is known. A pattern explains and advises;
 * it makes no candidate and chooses none. Where no distinguishing fact is there, the neutral words of the role stand.
 */
import type { ResolvedRole, Role } from "../../../../shared/config/roles.ts";
import type { Signal } from "../../../../shared/messages/report.ts";
import type { Evidence } from "../evidence.ts";
import type { Weighed } from "../fact.ts";
import type { SymptomClass } from "./classes.ts";
import { type ClueName, clues } from "./clues.ts";
import type { Provider } from "./provider.ts";

/** One way to fail. */
export interface Pattern {
  readonly name: string;
  /** Components that can fail so. */
  readonly of: readonly Role[];
  /** Facts of which at least one must be present: a symptom of the component, one that it causes elsewhere, or a clue. */
  readonly when: {
    readonly shows?: readonly SymptomClass[];
    readonly makes?: readonly SymptomClass[];
    readonly signals?: readonly Signal[];
    readonly clues?: readonly ClueName[];
  };
  /** Further evidence for it and against it, as sentences. */
  readonly for?: readonly ClueName[];
  readonly against?: readonly ClueName[];
  /** What happened, as the last answer to "why?". */
  readonly says: (title: string) => string;
  /** First step for the owner, with commands only for a provider that is known to be theirs. */
  readonly next: (title: string, provider: Provider) => string;
}

/** Every pattern, of one role the most relevant first. */
export const patterns: readonly Pattern[] = [
  {
    name: "path missing",
    of: ["connector"],
    when: { clues: ["it has no way into the network"] },
    for: ["it has no way into the network", "the target answers another way"],
    against: ["the server answered"],
    says: (title) =>
      `The path through ${title} into the private network is missing. The cause is configuration, not load.`,
    next: (title) =>
      `Compare the configuration of ${title} (network, peering, routes, firewall) with the last working one, and restore what is missing.`,
  },
  {
    name: "NAT out of ports",
    of: ["nat"],
    when: { signals: ["saturated"] },
    says: (title) => `${title} has no ports left for new connections to the internet.`,
    next: (title, { google }) =>
      `Give ${title} more ports or addresses${google ? ": `gcloud compute routers nats update` with `--min-ports-per-vm` or dynamic port allocation" : ""}; find out which service opens so many connections to one address.`,
  },
  {
    name: "no free addresses",
    of: ["subnet"],
    when: { signals: ["saturated"] },
    says: (title) => `${title} has no free addresses, so new instances cannot start.`,
    next: (title, { google }) =>
      `Free addresses in ${title} or give it a larger range${google ? ": `gcloud compute networks subnets expand-ip-range`; Direct VPC egress takes two addresses for each instance" : ""}.`,
  },
  {
    name: "quota used up",
    of: ["quota"],
    when: { signals: ["saturated"], shows: ["throttled"] },
    says: (title) => `${title} is exhausted: further requests are refused.`,
    next: (title, { google }) =>
      `Find out what uses ${title} and whether it retries without backoff, and request a higher limit${google ? " under IAM & Admin, Quotas" : ""}.`,
  },
  {
    name: "connector at its ceiling",
    of: ["connector"],
    when: { clues: ["the connector is at its ceiling"], signals: ["saturated"] },
    for: [
      "the connector is near its ceiling",
      "the target answers another way",
      "other private targets fail too",
      "new connections are lost",
      "the time goes into connecting",
      "the database is calm",
    ],
    against: ["the server answered", "the connector is idle", "the time goes into the server"],
    says: (title) => `${title} is at capacity and cannot carry more connections.`,
    next: (title, { google, serverlessConnector }) =>
      `Give ${title} more capacity: raise its maximum number of instances or its machine type${google && serverlessConnector ? " with `gcloud compute networks vpc-access connectors update`" : ""}, and find out which service opens so many connections.`,
  },
  {
    name: "connector loses handshakes",
    of: ["connector"],
    when: {
      clues: [
        "the target answers another way",
        "new connections are lost",
        "other private targets fail too",
        "the time goes into connecting",
      ],
    },
    for: [
      "the target answers another way",
      "other private targets fail too",
      "new connections are lost",
      "the time goes into connecting",
      "the database is calm",
      "the connector is idle",
      "its configuration came to be wrong",
    ],
    against: ["the server answered", "the time goes into the server"],
    says: (title) => `${title} drops new connections before they reach their target.`,
    next: (title, { google, serverlessConnector }) =>
      google && serverlessConnector
        ? `Check ${title}: \`gcloud compute networks vpc-access connectors describe\` shows its state. A larger machine type, or an additional connector, restores new connections.`
        : `Check what carries the traffic of ${title}, and how many new connections services open at once. Keep connections open, and open fewer simultaneously.`,
  },
  {
    name: "database out of connections",
    of: ["database"],
    when: { shows: ["full"], clues: ["its connections are used up"] },
    for: ["the server answered", "its connections are used up"],
    against: ["the target answers another way"],
    says: (title) => `${title} has no free connection: it responds immediately, but refuses new clients.`,
    next: (title) =>
      `Find out who holds the connections of ${title}: \`select usename, state, count(*) from pg_stat_activity group by 1, 2\`. Restart the service that leaks them, or keep instances x pool size below max_connections.`,
  },
  {
    name: "disk full",
    of: ["database"],
    when: { shows: ["disk full"], clues: ["its disk is full"] },
    for: ["the server answered", "its disk is full"],
    says: (title) => `The disk of ${title} is full: it can no longer write, and stops.`,
    next: (title, { google }) =>
      `Give ${title} more storage${google ? " (`gcloud sql instances patch` with `--storage-size`, and `--storage-auto-increase`)" : ""}, then find out what has grown: transaction logs retained for a replica or a slot, temporary files, or tables.`,
  },
  {
    name: "database down or failing over",
    of: ["database"],
    when: { shows: ["restarting", "turned away", "reported down"], clues: ["the provider says that it is down"] },
    for: [
      "the provider says that it is down",
      "it fails by every way",
      "its configuration came to be wrong",
      "the server answered",
    ],
    against: ["the target answers another way", "the database is calm"],
    says: (title) => `${title} is down, restarting or failing over.`,
    next: (title, { google }) =>
      `Check the state of ${title}: ${google ? "`gcloud sql operations list` and `gcloud sql instances describe`" : "its status, its log and the latest operations on it"}. A failover ends by itself within minutes; a stopped instance stays down.`,
  },
  {
    name: "login to the database refused",
    of: ["database"],
    when: { shows: ["login refused"] },
    for: ["its configuration came to be wrong"],
    says: (title) => `${title} refuses the login: a password, a role or a database has changed.`,
    next: (title, { google }) =>
      `Compare the secrets that services and probes use for ${title} with its users and databases${google ? "; if they log in with IAM, the account must be a user of the instance (`gcloud sql users list`) with the roles Cloud SQL Client and Cloud SQL Instance User" : ""}.`,
  },
  {
    name: "cache full",
    of: ["cache"],
    when: { signals: ["saturated"] },
    says: (title) => `${title} is full.`,
    next: (title) =>
      `Find out what fills ${title}, whether its keys expire, and which eviction policy it has. Give it more memory.`,
  },
  {
    name: "queue grows",
    of: ["queue"],
    when: { signals: ["saturated", "slow"] },
    says: (title) => `${title} receives more messages than its consumers process.`,
    next: (title) =>
      `Check whether the consumers of ${title} run and keep up, and whether one message is redelivered repeatedly.`,
  },
  {
    name: "database slow",
    of: ["database"],
    when: {
      shows: ["slow answer", "slow", "silent"],
      clues: ["the time goes into the server"],
    },
    for: [
      "the database is loaded",
      "the time goes into the server",
      "it fails by every way",
      "its configuration came to be wrong",
    ],
    against: ["the target answers another way", "the time goes into connecting", "the database is calm"],
    says: (title) => `${title} is reachable, but too slow to answer.`,
    next: (title, { google }) =>
      `Find out what keeps ${title} busy: slow statements, locks in pg_locks, disk and CPU${google ? " (Query Insights, Cloud Monitoring), and running operations (`gcloud sql operations list`)" : ""}.`,
  },
  {
    name: "database near a limit",
    of: ["database"],
    when: { signals: ["saturated"] },
    for: ["the database is loaded", "its configuration came to be wrong"],
    says: (title) => `${title} is near one of its limits: CPU, memory, disk or connections.`,
    next: (title) =>
      `Check which resource of ${title} is near its limit and since when, and raise the limit or reduce the load.`,
  },
  {
    name: "certificate wrong or expired",
    of: ["certificate"],
    when: { shows: ["certificate"] },
    for: ["its configuration came to be wrong", "its configuration is wrong"],
    says: (title) => `${title}: clients no longer accept the certificate of the servers.`,
    next: (title) =>
      `Renew or restore ${title}: check its state and its names where it is managed. A managed certificate needs its DNS records to renew.`,
  },
  {
    name: "names not resolved",
    of: ["dns", "edge"],
    when: { shows: ["dns"] },
    says: (title) => `The names of ${title} no longer resolve. Everything behind it may be working.`,
    next: (title) =>
      `Look up the names of ${title} with \`dig\` on the authoritative servers of the zone, and check what changed in the zone or at the registrar.`,
  },
  {
    name: "time-out set too short",
    of: ["edge", "service", "websocket"],
    when: { clues: ["a time-out is set wrong"] },
    for: ["a time-out is set wrong", "it was cut off at a limit"],
    says: (title) => `A timeout of ${title} ends connections that should stay open.`,
    next: (title, { google }) =>
      `Compare the timeouts of ${title} with how long WebSockets and responses last: the timeout of the load balancer or proxy in front of it, and its own request timeout${google ? " (`gcloud run services describe`)" : ""}.`,
  },
  {
    name: "load balancer fails",
    of: ["edge"],
    when: { shows: ["no connection", "bad gateway", "not found", "errors"] },
    for: ["the services answer without errors", "its configuration came to be wrong", "its configuration is wrong"],
    against: ["the services make the errors", "instances fail to start"],
    says: (title) => `${title} does not forward requests: it cannot reach its backends.`,
    next: (title, { google }) =>
      google
        ? `Read \`jsonPayload.statusDetails\` in the log of ${title}: failed_to_connect_to_backend and failed_to_pick_backend mean the load balancer, response_sent_by_backend means the service. Compare its URL map and backends with the last working ones.`
        : `Check in the log of ${title} whether it reached its backends, and compare its routes and backends with the last working ones.`,
  },
  {
    name: "no way into the network",
    of: ["service", "auth", "websocket"],
    when: { clues: ["it has no way into the network"] },
    for: ["it has no way into the network", "what else stands on the same ground works"],
    says: (title) => `${title} cannot reach its dependencies: its deployment lacks the connector or its egress.`,
    next: (title, { google }) =>
      `Compare the network settings of ${title} with those of a working service${google ? " (`gcloud run services describe`): the connector or Direct VPC egress, and the egress setting," : ": they"} must be present. Redeploy it with them.`,
  },
  {
    name: "instances fail to start",
    of: ["service", "auth", "websocket"],
    when: { clues: ["instances fail to start"] },
    for: [
      "instances fail to start",
      "everything that it needs works",
      "what else stands on the same ground works",
      "it was deployed just before",
    ],
    says: (title) => `Instances of ${title} do not start, although their dependencies work.`,
    next: (title, { google }) =>
      `Read the first error of a failed startup in the log of ${title}, and route traffic back to the last revision that started${google ? ": `gcloud run services update-traffic`" : ""}.`,
  },
  {
    name: "turned away for load",
    of: ["service", "auth", "websocket"],
    when: { shows: ["throttled"] },
    says: (title) =>
      `${title} rejects requests because there are too many: it reached its instance limit or a rate limit.`,
    next: (title, { google }) =>
      `Compare the requests to ${title} with its limits: the maximum number of instances and their concurrency${google ? " (`gcloud run services describe`)" : ""}, and quotas or rate limits.`,
  },
  {
    name: "rate limit reached",
    of: ["third_party", "edge", "journey"],
    when: { shows: ["throttled"] },
    says: (title) => `${title} rejects requests because there are too many: a rate limit or a quota is exceeded.`,
    next: (title) =>
      `Check the limit of ${title} and who sends how many requests. Send fewer, increase the backoff between retries, or have the limit raised.`,
  },
  {
    name: "pool used up",
    of: ["service", "auth", "websocket"],
    when: { clues: ["its pool is used up"] },
    for: ["its pool is used up"],
    says: (title) =>
      `The connection pool of ${title} is exhausted although the database has free connections: requests wait for a connection.`,
    next: (title) =>
      `Find out what holds the pooled connections of ${title}: slow statements and open transactions in pg_stat_activity, or leaked connections. Then enlarge the pool, as far as the database allows instances x pool size.`,
  },
  {
    name: "logins fail",
    of: ["auth"],
    when: { shows: ["denied"], makes: ["denied"] },
    for: ["everything that it needs works", "it was deployed just before", "its configuration came to be wrong"],
    says: (title) => `${title} rejects all logins, or its tokens are not accepted.`,
    next: (title) =>
      `Log in by hand and follow the token: signing keys, their rotation, clocks and the secrets of ${title}.`,
  },
  {
    name: "callers refused",
    of: ["service", "websocket", "journey", "third_party"],
    when: { shows: ["denied"] },
    for: ["everything that it needs works", "it was deployed just before", "its configuration came to be wrong"],
    says: (title) => `${title} rejects its callers: their credentials are not accepted, or lack permission.`,
    next: (title) =>
      `Check what changed last in the authentication and authorization of ${title}: a signing key, a secret or a token (401), or a role or an access rule in front of it (403).`,
  },
  {
    name: "sockets fail, requests work",
    of: ["websocket"],
    when: { clues: ["everything that it needs works"] },
    for: ["everything that it needs works"],
    says: (title) => `${title} fails, while requests to the same services are answered.`,
    next: (title) =>
      `Open ${title} by hand and note the status or the close code: 4xx and 1008 come from the application, 502 and 1006 from the load balancer or proxy in front of it.`,
  },
  {
    name: "journey breaks while its parts work",
    of: ["journey"],
    when: { clues: ["everything that it needs works"] },
    for: ["everything that it needs works", "nothing else is wrong"],
    says: (title) =>
      `${title} fails although all its dependencies work: suspect the agents, the model behind them or the application's own logic.`,
    next: (title) =>
      `Run ${title} by hand and check at which step it stops. If no reply arrives, check the agents' log and the status of the model provider.`,
  },
  {
    name: "event in the region",
    of: ["region"],
    when: { clues: ["the provider reports an event"] },
    for: ["the provider reports an event"],
    says: (title) => `${title} itself has an outage: Google must fix it. Move what you can to another region.`,
    next: (title) =>
      `Follow Google's event for ${title} in Service Health, and decide whether to fail over to another region.`,
  },
];

/** Texts for a component of which only its own failure is known. */
export const neutral: Pattern = {
  name: "fails by itself",
  of: [],
  when: {},
  for: [
    "everything that it needs works",
    "what else stands on the same ground works",
    "it fails by every way",
    "its configuration came to be wrong",
  ],
  says: (title) => `${title} itself fails: no failure of its dependencies was observed.`,
  next: (title) => `Check what changed last in ${title}, and read its log from the first failure on.`,
};

/** First place to look at for such a component, by its role. */
const look: Readonly<Partial<Record<ResolvedRole, Pattern["next"]>>> = {
  connector: (title, { google, serverlessConnector }) =>
    google && serverlessConnector
      ? `Check the state of ${title}: \`gcloud compute networks vpc-access connectors describe\`.`
      : `Check the state of ${title} and of what carries its traffic: addresses, routes, firewall rules, and the latest changes to them.`,
  nat: (title, { google }) =>
    `Check the state and the ports in use of ${title}${google ? ": `gcloud compute routers get-nat-mapping-info`" : ""}.`,
  subnet: (title) =>
    `Check how many addresses of ${title} are in use, and what changed in its routes and firewall rules.`,
  database: (title, { google }) =>
    `Check the state and the log of ${title}${google ? " (`gcloud sql instances describe`, `gcloud sql operations list`)" : ""}, and its connections, CPU and disk.`,
  cache: (title) =>
    `Check the state of ${title}: whether it is reachable, its memory, and whether it has failed over or restarted.`,
  queue: (title) => `Check the backlog and the oldest message of ${title}, and whether its consumers run.`,
  storage: (title) => `Check whether ${title} can be read and written by hand, and who has access.`,
  edge: (title, { google }) =>
    `Read the log of ${title}${google ? " (`jsonPayload.statusDetails`)" : ""}: it shows whether the error originated there or in a service behind it.`,
  dns: (title) => `Look up the names of ${title} with \`dig\` on the authoritative servers of the zone.`,
  certificate: (title) =>
    `Check which certificate the servers of ${title} present, for which names, and until when it is valid.`,
  service: (title, { google }) =>
    `Read the log of ${title} from the first failure on, and check what was deployed to it last${google ? " (`gcloud run revisions list`)" : ""}.`,
  auth: (title) =>
    `Check what was deployed to ${title} last and whether a key or a secret was changed, and read its log.`,
  websocket: (title) =>
    `Open ${title} by hand and note the status or the close code, and check what was deployed last.`,
  journey: (title) => `Run ${title} by hand and check at which step it stops.`,
  job: (title) =>
    `Check whether ${title} was started and how its last run ended: its schedule, its execution, its log.`,
  region: (title, { google }) =>
    `Check ${google ? "Google's status page and Service Health" : "the status page of the provider"} for ${title}.`,
  third_party: (title) =>
    `Check the status page of ${title}, and whether your key, your quota or your address is refused.`,
  quota: (title) => `Check how much of ${title} is used, and by whom.`,
  platform: (title) => `Check the state of ${title}, and what changed there last.`,
};

/** The way in which a component fails: the first of which a distinguishing fact is there, or the neutral words of its role. */
export function patternOf(
  evidence: Evidence,
  component: string,
  explains: readonly Weighed[],
  among: readonly Pattern[] = patterns,
): Pattern {
  const role = evidence.role(component);
  const known = among.find(
    (pattern) =>
      (pattern.of as readonly ResolvedRole[]).includes(role) && isSeen(pattern, evidence, component, explains),
  );
  return known ?? { ...neutral, next: look[role] ?? neutral.next };
}

function isSeen({ when }: Pattern, evidence: Evidence, component: string, explains: readonly Weighed[]): boolean {
  const { shows = [], makes = [], signals = [], clues: asked = [] } = when;
  const own = evidence.symptomsOf(component);
  return (
    own.some(({ classes }) => classes.some((one) => shows.includes(one))) ||
    evidence.factsOf(component).some(({ signal }) => signals.includes(signal)) ||
    explains.some(({ classes }) => classes.some((one) => makes.includes(one))) ||
    asked.some((name) => clues[name](evidence, component) !== undefined)
  );
}

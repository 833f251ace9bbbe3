/** Resources found in a project, limited to the fields that a first configuration needs. */
import type { RunService } from "../../../functions/probe/google/resources/cloud-run.ts";
import type { SqlInstance } from "../../../functions/probe/google/resources/cloud-sql.ts";

/** A Cloud Run service. */
export interface FoundService {
  readonly name: string;
  readonly region: string;
  /** As the configuration checks read it. */
  readonly run: RunService;
  /** The address that Google gave it. */
  readonly url: string | undefined;
  /** The path that its own probes ask for. */
  readonly healthPath: string | undefined;
  /** As they are written: `1`, `512Mi`. */
  readonly cpu: string | undefined;
  readonly memory: string | undefined;
  readonly env: readonly string[];
  /** Variables that a secret fills, with the name of the secret, and whether it is one of this project. */
  readonly secretEnv: readonly { readonly variable: string; readonly secret: string; readonly own: boolean }[];
  /** Hosts, addresses and instances (`project:region:name`) that plain values of its variables name. Values themselves are not kept. */
  readonly mentions: ReadonlySet<string>;
  /** Cloud SQL instances that are attached to it, as `project:region:name`. */
  readonly attached: readonly string[];
  /** The network of Direct VPC egress, by name. */
  readonly network: string | undefined;
  /** The whole name of its connector. */
  readonly connectorPath: string | undefined;
  /** Pathkeeper's own function. */
  readonly isMonitor: boolean;
}

/** Callers that are allowed to invoke a service. */
export interface FoundInvokers {
  readonly everyone: boolean;
  readonly accounts: readonly string[];
}

/** A Cloud SQL instance. */
export interface FoundDatabase {
  readonly name: string;
  readonly region: string | undefined;
  /** `project:region:name`. */
  readonly connectionName: string | undefined;
  readonly sql: SqlInstance;
  /** POSTGRES_16, MYSQL_8_0. */
  readonly version: string;
  readonly privateAddress: string | undefined;
  readonly network: string | undefined;
  readonly networkProject: string | undefined;
}

/** A Serverless VPC Access connector. */
export interface FoundConnector {
  readonly name: string;
  readonly region: string;
  readonly machineType: string | undefined;
  readonly maxInstances: number | undefined;
  readonly network: string | undefined;
}

/** A Memorystore for Redis instance. */
export interface FoundCache {
  readonly name: string;
  readonly region: string;
  readonly host: string | undefined;
  readonly port: number;
  readonly tier: "basic" | "standard" | undefined;
  readonly needsPassword: boolean;
  readonly needsTls: boolean;
  readonly network: string | undefined;
}

/** A resource of a load balancer that the others name by its path: `global/urlMaps/shop`, `regions/us-central1/urlMaps/shop`. */
interface Part {
  readonly path: string;
  readonly name: string;
  /** Absent for a global one. */
  readonly region: string | undefined;
}

/** A forwarding rule: the front end of a load balancer. */
export interface FoundForwardingRule extends Part {
  readonly address: string | undefined;
  readonly port: number;
  readonly external: boolean;
  /** The path of the proxy. */
  readonly proxy: string;
}

/** A target proxy. */
export interface FoundProxy extends Part {
  readonly secure: boolean;
  readonly urlMap: string;
  /** Names of certificates of Compute Engine. */
  readonly certificates: readonly string[];
  /** True if it uses certificates of Certificate Manager, by a map or by name. */
  readonly usesCertificateManager: boolean;
}

/** A URL map. Backends are paths of backend services and of backend buckets. */
export interface FoundUrlMap extends Part {
  readonly fallback: string | undefined;
  readonly rules: readonly { readonly hosts: readonly string[]; readonly backends: readonly string[] }[];
}

/** A backend service. */
export interface FoundBackend extends Part {
  /** Paths of the groups behind it. */
  readonly groups: readonly string[];
}

/** A serverless network endpoint group. */
export interface FoundGroup extends Part {
  readonly service: string | undefined;
}

/** A certificate of a load balancer. */
export interface FoundCertificate {
  readonly of: "compute" | "certificate_manager";
  readonly name: string;
  readonly domains: readonly string[];
  /** Of Google's: ACTIVE, PROVISIONING, FAILED … */
  readonly state: string | undefined;
}

/** A Pub/Sub subscription or a Cloud Scheduler job that calls an address. */
export interface FoundCaller {
  readonly kind: "push_subscription" | "scheduler_job";
  readonly name: string;
  readonly region: string | undefined;
  readonly host: string;
}

/** A managed zone of Cloud DNS. */
export interface FoundZone {
  readonly name: string;
  /** Without the dot at its end. */
  readonly domain: string;
}

/** A Cloud NAT gateway. */
export interface FoundGateway {
  readonly name: string;
  readonly router: string;
  readonly region: string;
}

/** A role that service accounts hold in the project. */
export interface FoundBinding {
  readonly role: string;
  readonly accounts: readonly string[];
}

/** Why something was not seen, and what would show it. */
export interface Unseen {
  /** Requested resources, such as `Cloud SQL instances`. */
  readonly what: string;
  /** A whole sentence, the same for all that one remedy would show. */
  readonly why: string;
  /** The permission that would show it, where it may not be seen. */
  readonly permission?: string;
}

/** All of it. */
export interface Found {
  readonly project: string;
  /** The region in which most of it runs. */
  readonly region: string | undefined;
  readonly services: readonly FoundService[];
  /** Names of Pathkeeper's own functions, which are no part of what is watched. */
  readonly monitors: readonly string[];
  /** By `region/name` of the service. */
  readonly invokers: ReadonlyMap<string, FoundInvokers>;
  readonly databases: readonly FoundDatabase[];
  readonly connectors: readonly FoundConnector[];
  readonly caches: readonly FoundCache[];
  readonly forwardingRules: readonly FoundForwardingRule[];
  readonly proxies: readonly FoundProxy[];
  readonly urlMaps: readonly FoundUrlMap[];
  readonly backends: readonly FoundBackend[];
  readonly groups: readonly FoundGroup[];
  readonly certificates: readonly FoundCertificate[];
  readonly callers: readonly FoundCaller[];
  readonly secrets: readonly string[];
  readonly zones: readonly FoundZone[];
  readonly gateways: readonly FoundGateway[];
  readonly bindings: readonly FoundBinding[];
  readonly unseen: readonly Unseen[];
  /** Names of the completed `readings`. Resources of other readings may exist unseen. */
  readonly seen: ReadonlySet<string>;
}

/** Subjects of probes: the project resources that a probe monitors. `--update` uses them to compare a configuration with the project. */
import { at, listAt, nameIn, textAt } from "../../../functions/probe/google/configuration/json.ts";
import type { Configuration, ConfiguredProbe } from "../../../shared/config/model.ts";

/** A resource that a configuration speaks of. */
export interface Subject {
  /** Kind of resource, such as `service`. */
  readonly what: SubjectKind;
  readonly name: string;
  readonly region: string | undefined;
  readonly probe: string;
  /** Path in the settings of the probe; empty if the whole probe monitors the resource. */
  readonly path: readonly (string | number)[];
}

/** Kinds of resources, with what must have been read for one to be called gone. */
export const subjectKinds = {
  service: "Cloud Run services",
  database: "Cloud SQL instances",
  connector: "VPC connectors",
  "load balancer": "URL maps of load balancers",
  Redis: "Memorystore for Redis instances",
  certificate: "certificates of Certificate Manager",
  "SSL certificate": "SSL certificates of load balancers",
  host: "URL maps of load balancers",
  subscription: "Pub/Sub subscriptions",
  subnet: undefined,
} as const;

/** A kind of resource. */
export type SubjectKind = keyof typeof subjectKinds;

/** All resources of a project that a configuration speaks of. */
export function subjectsIn({ probes, googleCloud }: Configuration, project: string): readonly Subject[] {
  return probes.flatMap((probe) => {
    if ((textAt(probe.settings, "project") ?? project) !== project) return [];
    const own = (
      what: SubjectKind,
      name: string | undefined,
      path: Subject["path"] = [],
      region?: string,
    ): Subject[] =>
      name === undefined
        ? []
        : [
            {
              what,
              name,
              region: region ?? textAt(probe.settings, "region") ?? googleCloud?.region,
              probe: probe.name,
              path,
            },
          ];
    return subjectsOf(probe, own);
  });
}

type Own = (what: SubjectKind, name: string | undefined, path?: Subject["path"], region?: string) => Subject[];

function subjectsOf({ kind, settings }: ConfiguredProbe, own: Own): Subject[] {
  const instance = textAt(settings, "instance") ?? textAt(settings, "connection", "instance");
  switch (kind) {
    case "cloud_run":
      return own("service", textAt(settings, "service"));
    case "cloud_sql":
    case "postgres":
      return own("database", instance?.slice(instance.lastIndexOf(":") + 1));
    case "vpc_connector":
      return own("connector", textAt(settings, "connector"));
    case "subnet":
      return own("subnet", textAt(settings, "subnet"));
    case "memorystore":
      return own("Redis", instance);
    case "load_balancer":
      return own("load balancer", textAt(settings, "url_map"));
    case "cloud_monitoring":
      return own("subscription", /subscription_id\s*=\s*"([^"]+)"/.exec(textAt(settings, "filter") ?? "")?.[1]);
    case "gcp_configuration":
      return checked(settings, own);
    default: {
      const url = URL.parse(textAt(settings, "url") ?? "");
      return own("host", url?.hostname ?? textAt(settings, "host"));
    }
  }
}

/** Returns the subjects that the configuration checks name. */
function checked(settings: unknown, own: Own): Subject[] {
  const each = (key: string, name: string, what: SubjectKind): Subject[] =>
    listAt(settings, key).flatMap((one, index) => own(what, textAt(one, name), [key, index], textAt(one, "region")));
  const names = (key: string, what: SubjectKind): Subject[] =>
    listAt(settings, "certificates", key).flatMap((one, index) =>
      typeof one === "string" ? own(what, nameIn(one), ["certificates", key, index]) : [],
    );
  return [
    ...own("connector", textAt(settings, "vpc_connector", "name"), ["vpc_connector"]),
    ...own("database", textAt(settings, "cloud_sql", "instance"), ["cloud_sql"]),
    ...each("services", "name", "service"),
    ...each("redis", "instance", "Redis"),
    ...own("load balancer", textAt(settings, "load_balancer", "url_map"), ["load_balancer"]),
    ...listAt(settings, "load_balancer", "backends").flatMap((backend, index) =>
      listAt(backend, "hosts").flatMap((host, position) =>
        typeof host === "string" ? own("host", host, ["load_balancer", "backends", index, "hosts", position]) : [],
      ),
    ),
    ...names("certificate_manager", "certificate"),
    ...names("compute", "SSL certificate"),
  ];
}

/** Returns the value at a path of the settings of a probe. */
export function settingAt(settings: unknown, path: Subject["path"]): unknown {
  return path.reduce<unknown>(
    (value, key) => (Array.isArray(value) ? value[Number(key)] : at(value, String(key))),
    settings,
  );
}

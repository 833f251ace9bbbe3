/**
 * Attributes changes to components: a part of the environment is found by the names in the entry; an account or a secret by the services
 * that use it, which are only read for such changes.
 */
import type { ReportedChange } from "../../../../shared/messages/report.ts";
import type { ProbeWorld } from "../../prober.ts";
import { nameIn } from "../configuration/json.ts";
import { ask } from "../refusal.ts";
import { takeService } from "../resources/cloud-run.ts";
import type { WatchedResource } from "../watched.ts";
import type { AuditChange } from "./audit.ts";

/** The resources that services use, as far as they could be read. */
export interface Usage {
  /** Components by the email address of their service account. */
  readonly accounts: ReadonlyMap<string, readonly string[]>;
  /** Components by the name of a secret that their services use. */
  readonly secrets: ReadonlyMap<string, readonly string[]>;
  /** Every service was read, so an account or a secret that is missing here is not used by any. */
  readonly isWhole: boolean;
}

/** Nothing was read. */
export const noUsage: Usage = { accounts: new Map(), secrets: new Map(), isWhole: false };

/** Maximum number of services to read. */
const maxServices = 10;

/** Returns whether a change can be attributed only by what services use. */
export function needsUsage({ accounts, names }: AuditChange): boolean {
  return accounts.length > 0 || names.some(({ collection }) => collection === "secrets");
}

/** Reads which accounts and secrets the services of the environment use. Services that may not be read are left out. */
export async function readUsage(
  resources: readonly WatchedResource[],
  world: Pick<ProbeWorld, "google" | "signal" | "conceal">,
): Promise<Usage> {
  const services = resources.filter(({ api, collection }) => api === "run.googleapis.com" && collection === "services");
  const accounts = new Map<string, string[]>();
  const secrets = new Map<string, string[]>();
  const known = (map: Map<string, string[]>, key: string, component: string): void => {
    const before = map.get(key) ?? [];
    if (!before.includes(component)) map.set(key, [...before, component]);
  };
  const places = new Map(services.map((one) => [`${one.project}/${one.location}/${one.name}`, one]));
  let isWhole = places.size > 0 && places.size <= maxServices;
  await Promise.all(
    [...places.values()].slice(0, maxServices).map(async ({ project, location, name }) => {
      try {
        const url = `https://run.googleapis.com/v2/projects/${project}/locations/${location}/services/${name}`;
        const service = takeService(await ask({ url }, world));
        const of = services
          .filter((one) => one.name === name && one.location === location)
          .map(({ component }) => component);
        for (const component of of) {
          if (service.serviceAccount !== undefined) known(accounts, service.serviceAccount, component);
          for (const { secret } of service.secrets) known(secrets, nameIn(secret), component);
        }
      } catch {
        isWhole = false;
      }
    }),
  );
  return { accounts, secrets, isWhole };
}

/** Returns the components that a change affects, or that it is unrelated to the environment. */
export function attributed(
  { names, accounts }: Pick<AuditChange, "names" | "accounts">,
  resources: readonly WatchedResource[],
  usage: Usage,
): Pick<ReportedChange, "components" | "elsewhere"> {
  const named = resources.filter((one) =>
    names.some(({ api, collection, name }) => one.api === api && one.collection === collection && one.name === name),
  );
  const users = [
    ...accounts.flatMap((account) => usage.accounts.get(account) ?? []),
    ...names.flatMap(({ collection, name }) => (collection === "secrets" ? (usage.secrets.get(name) ?? []) : [])),
  ];
  const components = [...new Set([...named.map(({ component }) => component), ...users])];
  return {
    components,
    ...(components.length === 0 && isElsewhere({ names, accounts }, resources, usage) ? { elsewhere: true } : {}),
  };
}

/** Resources that are independent: if the environment names none of them, a change to one is not known to affect it. */
const own: ReadonlySet<string> = new Set(["services", "instances", "connectors"]);

function isElsewhere(
  { names, accounts }: Pick<AuditChange, "names" | "accounts">,
  resources: readonly WatchedResource[],
  { isWhole }: Usage,
): boolean {
  if (accounts.length > 0) return isWhole;
  return names.some(({ api, collection }) => {
    if (collection === "secrets") return isWhole;
    const isKnownKind = resources.some((one) => one.api === api && one.collection === collection);
    return isKnownKind && (own.has(collection) || collection === "networks");
  });
}

/** Cloud Run services, and who may call them. */
import { at, listAt, nameIn, textAt, textsAt } from "../../../../functions/probe/google/configuration/json.ts";
import { parseCores, parseMemory } from "../../../../functions/probe/google/configuration/quantities.ts";
import { takeService } from "../../../../functions/probe/google/resources/cloud-run.ts";
import { takePolicy } from "../../../../functions/probe/google/resources/iam.ts";
import { secretName } from "../../../../shared/config/secret-reference.ts";
import type { FoundInvokers, FoundService } from "../found.ts";
import { accountName, isProbed, type Reading, regionName, resourceName } from "../reading.ts";

const access = { api: "run.googleapis.com", role: "roles/run.viewer" } as const;

/** The regions in which Cloud Run is offered: services are listed region by region, because the API has no list of all of them. */
export const runRegions: Reading<string> = {
  what: "regions of Cloud Run",
  permission: "run.locations.list",
  ...access,
  scope: "project",
  request: ({ project }) => ({ url: `https://run.googleapis.com/v1/projects/${project}/locations?pageSize=100` }),
  entries: (answer) => listAt(answer, "locations"),
  take: (entry) => regionName(textAt(entry, "locationId")),
};

/** Services. Source: Cloud Run Admin API v2, `projects.locations.services`. */
export const runServices: Reading<FoundService> = {
  what: "Cloud Run services",
  permission: "run.services.list",
  ...access,
  scope: "region",
  request: ({ project, region }) => ({
    url: `https://run.googleapis.com/v2/projects/${project}/locations/${region}/services?pageSize=100`,
  }),
  entries: (answer) => listAt(answer, "services"),
  take: (entry, { region }) => takeFoundService(entry, region),
};

/** Reads the callers that are allowed to invoke a service. Source: Cloud Run Admin API v2, `services.getIamPolicy`. */
export const runInvokers = {
  what: "IAM policies of Cloud Run services",
  permission: "run.services.getIamPolicy",
  ...access,
  url: (project: string, region: string, name: string): string =>
    `https://run.googleapis.com/v2/projects/${project}/locations/${region}/services/${name}:getIamPolicy?options.requestedPolicyVersion=3`,
  take(json: unknown): FoundInvokers {
    const invoking = takePolicy(json).filter(({ role }) => role === "roles/run.invoker");
    return {
      everyone: invoking.some(({ everyone, conditional }) => everyone === "without a token" && !conditional),
      accounts: invoking.flatMap(({ accounts }) => accounts).flatMap((account) => accountName(account) ?? []),
    };
  },
};

function takeFoundService(json: unknown, region: string): FoundService | undefined {
  const name = resourceName(textAt(json, "name"));
  if (name === undefined) return undefined;
  const run = takeService(json);
  const template = at(json, "template");
  const containers = listAt(template, "containers");
  const container = containers.find((one) => listAt(one, "ports").length > 0) ?? containers[0];
  const variables = containers.flatMap((one) => listAt(one, "env"));
  const url = [textAt(json, "uri"), ...textsAt(json, "urls")].find((one) => isProbed(one));
  const network = textAt(listAt(template, "vpcAccess", "networkInterfaces")[0], "network");
  const [cpu, memory] = ["cpu", "memory"].map((limit) => textAt(container, "resources", "limits", limit));
  return {
    name,
    region,
    run: { ...run, serviceAccount: accountName(run.serviceAccount) },
    url: url === undefined ? undefined : new URL(url).origin,
    healthPath: healthPathOf(container),
    cpu: cpu !== undefined && parseCores(cpu) ? cpu : undefined,
    memory: memory !== undefined && parseMemory(memory) ? memory : undefined,
    env: [...run.env].filter((variable) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(variable)),
    secretEnv: variables.flatMap((variable) => {
      const [own, secret] = [textAt(variable, "name"), textAt(variable, "valueSource", "secretKeyRef", "secret")];
      if (own === undefined || secret === undefined || !secretName.test(nameIn(secret))) return [];
      return [{ variable: own, secret: nameIn(secret), own: !secret.includes("/") }];
    }),
    mentions: new Set(variables.flatMap((variable) => mentionsIn(at(variable, "value")))),
    attached: listAt(template, "volumes").flatMap((volume) => textsAt(volume, "cloudSqlInstance", "instances")),
    network: network === undefined ? undefined : resourceName(network),
    connectorPath: textAt(template, "vpcAccess", "connector"),
    isMonitor: textAt(json, "labels", "app") === "pathkeeper",
  };
}

/** The path that says how the service is: that of its readiness, liveness or start-up probe. */
function healthPathOf(container: unknown): string | undefined {
  for (const probe of ["readinessProbe", "livenessProbe", "startupProbe"]) {
    if (at(container, probe, "httpGet") === undefined) continue;
    const path = textAt(container, probe, "httpGet", "path") ?? "/";
    const url = URL.parse(path, "http://host");
    if (url !== null && url.host === "host" && path.startsWith("/")) return `${url.pathname}${url.search}`;
  }
  return undefined;
}

/** The longest value that is looked at, in characters. */
const longestValue = 10_000;

/** Hosts of URLs, addresses and instances of Cloud SQL that a value names. */
function mentionsIn(value: unknown): string[] {
  if (typeof value !== "string") return [];
  const text = value.slice(0, longestValue).toLowerCase();
  return [
    ...[...text.matchAll(/\b[a-z][a-z0-9+.-]*:\/\/(?:[^\s/@"']*@)?([a-z0-9.-]+(?::\d+)?)/g)].map(
      ([, host = ""]) => host,
    ),
    ...[...text.matchAll(/(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])/g)].map(([address]) => address),
    ...[...text.matchAll(/[a-z0-9.:-]+:[a-z]+-[a-z]+\d+:[a-z0-9-]+/g)].map(([instance]) => instance),
    ...(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(text) ? [text] : []),
  ];
}

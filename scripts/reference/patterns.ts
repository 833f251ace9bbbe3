/** The page on failure patterns. */
import { type Pattern, patterns } from "../../functions/evaluate/cause/knowledge/patterns.ts";
import { probers } from "../../functions/probe/probers/index.ts";
import { type Role, roleNames, roles } from "../../shared/config/roles.ts";
import { generated, kindLink } from "./markdown.ts";

/** `docs/patterns.md` */
export function patternsPage(): string {
  const groups = Map.groupBy(patterns, ({ of }) => of.map((role) => roleTitles[role]).join(", "));
  const sections = Array.from(groups, ([title, rows]) => `## ${capital(title)}\n\n${rows.map(patternOf).join("\n\n")}`);
  const told = (role: Role): string =>
    Object.values(probers)
      .filter((prober) => prober.role === role)
      .map(({ kind }) => kindLink(kind))
      .join(", ");
  const rows = roleNames.map((role) => `| \`${role}\` | ${roles[role]} | ${told(role)} |`);
  return `${generated}
# Patterns of failure

A failure pattern describes one way in which a component can fail. [The search for the cause](root-cause.md) uses the patterns of the component's \`role\`. If the
configuration does not set the role, the kinds of the component's probes imply it. Every pattern lists the facts that identify it, the sentence that the incident
then contains, and the first step. A pattern explains a cause and does not choose it. If no fact of a pattern was seen, the incident says only that the component
fails by itself, and where to look first.

## Roles

A component with a probe of the kinds below needs no \`role\`. Other kinds, such as \`http\` and \`cloud_monitoring\`, can check any component, so they imply no role.

| role | meaning | implied by probes of kind |
|---|---|---|
${rows.join("\n")}

${sections.join("\n\n")}
`;
}

/** Common name of a component with a role. */
const roleTitles: Readonly<Record<Role, string>> = {
  nat: "the NAT",
  subnet: "the subnet",
  cache: "the cache",
  queue: "the queue",
  storage: "the storage",
  job: "the job",
  third_party: "the other service",
  quota: "the quota",
  region: "the region",
  connector: "the connector",
  database: "the database",
  certificate: "the certificate",
  dns: "the name",
  edge: "the load balancer",
  platform: "another part of the platform",
  auth: "the auth service",
  websocket: "the WebSocket",
  journey: "the journey",
  service: "a service",
};

function patternOf({ name, of, when, for: clues = [], against = [], says, next }: Pattern): string {
  const title = roleTitles[of[0] ?? "service"];
  const facts = [
    ...(when.shows ?? []).map((one) => `it shows "${one}"`),
    ...(when.signals ?? []).map((one) => `it is ${one}`),
    ...(when.makes ?? []).map((one) => `others show "${one}"`),
    ...(when.clues ?? []),
  ];
  const lines = [
    ["known by", facts.join("; or ")],
    ["says", capital(says(title))],
    ["for it", clues.join("; ")],
    ["against it", against.join("; ")],
    ["do first", capital(next(title, { google: true, serverlessConnector: true }))],
  ];
  const shown = lines.filter(([, text]) => text !== "").map(([label, text]) => `| ${label} | ${text} |`);
  return `### ${capital(name)}\n\n| | |\n|---|---|\n${shown.join("\n")}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

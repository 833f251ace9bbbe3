/** The reference pages of the documentation, worked out from the registries and the catalogue: `npm run docs` writes them. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { prices } from "../cli/estimate/prices.ts";
import { loaded } from "../cli/main.ts";
import { testsJsonSchema } from "../cli/scenario/file/json-schema.ts";
import { commandHelp, programHelp } from "../cli/terminal/help.ts";
import { type Pattern, patterns } from "../functions/evaluate/cause/knowledge/patterns.ts";
import type { AnyChannelKind } from "../functions/notify/channel.ts";
import { channels } from "../functions/notify/channels/index.ts";
import { usualPace } from "../functions/notify/deliver/pace.ts";
import { limitText } from "../functions/notify/text/limits.ts";
import type { AnyProber } from "../functions/probe/prober.ts";
import { probers } from "../functions/probe/probers/index.ts";
import { usage } from "../local/options.ts";
import { type Reach, type Role, roleNames, roles } from "../shared/config/roles.ts";
import { googleCloudEntry, keysOf } from "../shared/config/schema.ts";
import { type TemplatePart, templateFields, templateParts } from "../shared/config/templates.ts";
import { statusPageKind } from "../shared/messages/pages-due.ts";
import { type Metric, metricNames, metrics } from "../shared/metrics/catalogue.ts";
import { defaultExports, exportPrefix, ownMetrics } from "../shared/metrics/exported.ts";
import { commonMetrics } from "../shared/metrics/yields.ts";
import { numberFormat } from "../shared/text/formatters.ts";

/** The part of a JSON Schema that the pages show. */
interface Property {
  readonly description?: string;
  readonly default?: unknown;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Property[];
  readonly properties?: Readonly<Record<string, Property>>;
  readonly required?: readonly string[];
  readonly items?: Property;
}

/** A kind of probe or of channel, as far as its page tells of it. */
interface Kind {
  readonly kind: string;
  readonly title: string;
  readonly settings: z.ZodType;
  readonly example: string;
  readonly notes?: string;
}

/** Every generated page: its text by its path from the root of the project. */
export function referencePages(): ReadonlyMap<string, string> {
  return new Map([
    ["docs/metrics.md", metricsPage()],
    ["docs/cost.md", costPage()],
    ["docs/patterns.md", patternsPage()],
    ["docs/templates.md", templatesPage()],
    ["docs/configuration.md", withPart("docs/configuration.md", "channels", channelList(), configurationPage())],
    ["docs/notification.md", withPart("docs/notification.md", "limits", limitsTable())],
    ["docs/cli.md", commandLinePage()],
    ["docs/tests.schema.json", `${JSON.stringify(testsJsonSchema(), null, 2)}\n`],
    ...Object.values(probers).map(
      (prober) => [`docs/probers/${prober.kind}.md`, kindPage(prober, "probe", metricsOf(prober))] as const,
    ),
    ...Object.values(channels).map(
      (channel) => [`docs/channels/${channel.kind}.md`, kindPage(channel, "channel", paceOfKind(channel))] as const,
    ),
  ]);
}

const generated = "<!-- Written by `npm run docs` from the code; edit the code. -->\n";

/** The page as it is written by hand, with the table of kinds of probe. */
function configurationPage(): string {
  const page = readFileSync(new URL("../docs/configuration.md", import.meta.url), "utf8");
  const rows = Object.values(probers).map(
    ({ kind, title, reach }) => `| ${kindLink(kind)} | ${reaches[reach]} | ${cell(title)} |`,
  );
  const table = `| kind | way | what it does |\n|---|---|---|\n${rows.join("\n")}`;
  return page.replace(
    /(<!-- kinds of probe: [^\n]* -->\n).*?(<!-- end -->)/s,
    (_, begin: string, end: string) => `${begin}${table}\n${end}`,
  );
}

const reaches: Readonly<Record<Reach, string>> = {
  users: "that of users",
  private: "straight to the target",
  control_plane: "Google's APIs",
};

/** A page that is written by hand, with the part between its two comments written anew. @param written the page. @default as it stands in the folder */
function withPart(path: string, name: string, part: string, written?: string): string {
  const page = written ?? readFileSync(new URL(`../${path}`, import.meta.url), "utf8");
  const [before, rest] = page.split(`<!-- ${name}: written by \`npm run docs\` -->\n`);
  const [, after] = rest?.split(`<!-- /${name} -->\n`) ?? [];
  if (before === undefined || after === undefined) throw new Error(`${path} has no part "${name}"`);
  return `${before}<!-- ${name}: written by \`npm run docs\` -->\n${part}\n<!-- /${name} -->\n${after}`;
}

const commands = await loaded();

/** The page as it is written by hand, with the help of the program, of each command and of `npm start`. */
function commandLinePage(): string {
  const path = "docs/cli.md";
  const helps: readonly (readonly [string, string])[] = [
    ["help", programHelp(commands).join("\n")],
    ...commands.map(([name, command]) => [name, commandHelp(name, command).join("\n")] as const),
    ["start", usage.trimEnd()],
  ];
  return helps.reduce(
    (page, [name, help]) => withPart(path, name, `\`\`\`\n${help}\n\`\`\``, page),
    readFileSync(new URL(`../${path}`, import.meta.url), "utf8"),
  );
}

function channelList(): string {
  const rows = Object.values(channels).map(({ kind, title }) => `| [\`${kind}\`](channels/${kind}.md) | ${title} |`);
  return ["| kind | what it does |", "|---|---|", ...rows].join("\n");
}

function limitsTable(): string {
  const rows = Object.values(channels).map(({ kind, limits = [], incidentForm = "a message each" }) => {
    return `| [\`${kind}\`](channels/${kind}.md) | ${limits.map(limitText).join("; ")} | ${incidentForm} |`;
  });
  return ["| channel | at most | one incident is |", "|---|---|---|", ...rows].join("\n");
}

function costPage(): string {
  const rows = Object.values(prices).map(({ unit, dollars, free, freeFor, source, asOf }) => {
    const bytes = /^bytes/.test(unit);
    const amount = bytes ? `${gibibytes(free)} GiB` : numberFormat("en-US").format(free);
    const price = bytes ? `$${(dollars * 1024 ** 3).toFixed(4)} a GiB` : `$${dollars.toPrecision(3)}`;
    return `| ${unit} | ${price} | ${amount}, for the ${freeFor} | [${new URL(source).hostname}](${source}) | ${asOf} |`;
  });
  return `${generated}
# Cost

\`npx --no pathkeeper cost\` estimates a month of 30 days from the configuration alone, and \`validate\` says it in one sentence. It counts what the
monitor does while all is well: runs by schedule, how long each kind of probe usually takes, messages, documents, series read from Cloud Monitoring.
An outage makes probes wait for their time-outs and costs a little more; the estimate says nothing of the watched environment itself, of which a
VPC connector, if the module makes one, is the dearest: two e2-micro instances, about $12 a month. A status page is counted with 10,000 readers a month,
each of whom is sent 50 kB; how many will come is anybody's guess, and a gibibyte that they are sent is $0.12 beyond what is free.

What is paid for is the time in which a function answers, so the pace and the slowest probe of a group decide: rounds under a minute keep a function
busy all the time (43,200 minutes a month are 2.6 million vCPU-seconds, about $58), and a journey that waits for an agent is best run every few minutes.

## Prices

List prices of us-central1 in US dollars. Free amounts are those of a month, and shared with everything else of the same billing account or project.

| unit | price | free | source | as of |
|---|---|---|---|---|
${rows.join("\n")}
`;
}

function templatesPage(): string {
  const rows = Object.entries(templateFields).map(([name, meaning]) => `| \`\${${name}}\` | ${meaning} |`);
  const most = (part: TemplatePart): string => numberFormat("en-US").format(templateParts[part]);
  return `${generated}
# Templates

Notices in words of your own, by reader, event and channel. Of each part, the first template in the file that is for a notice and has it is used; what no template
says is said as always.

\`\`\`yaml
templates:
  - audiences: [executives]
    events: [opened]
    title: "\${environment}: \${what}"
    lead: "This costs us: \${impact} \${outlook}"
  - audiences: [support]
    body: |
      Please answer every question with these words:
      \${customers}
  - audiences: [engineers]
    subject: "\${priority} \${title}"
\`\`\`

| key | meaning |
|---|---|
| \`audiences\`, \`events\`, \`channels\` | Only for these. Default: all. |
| \`title\` | The first line, in place of where the incident stands. At most ${most("title")} characters. |
| \`lead\` | The sentence below it, in place of what is broken. At most ${most("lead")} characters. |
| \`body\` | Paragraphs that follow the sentence, before the facts; one a line. At most ${most("body")} characters. |
| \`subject\` | What the incident is called in the subject of mails. It is made with the first notice and stays, so that a thread keeps together; the id of the incident follows it. At most ${most("subject")} characters. |

The facts, the lists and the link always follow: a template adds and rewords, and hides nothing. Where it replaces the state or what is broken without saying it,
that becomes a fact. \`webhook\` and \`status_page\` have their own forms, which templates do not change. What stands in a template is plain text: it is escaped in
every channel as everything else is, and so is what fields say.

## Fields

| field | what it says |
|---|---|
${rows.join("\n")}

\`$\${\` stands for the two characters \`\${\`. A field that a notice does not have is refused by \`npx --no pathkeeper validate\`, with its place and the nearest name. What is not
known yet says so: \`\${resolved}\` is "not yet" while the incident is open. For readers who are no engineers, no field has words of targets or rules.

\`npx --no pathkeeper preview\` shows what comes of a template in every channel, for every reader and event.
`;
}

function gibibytes(bytes: number): string {
  return numberFormat("en-US", { maximumFractionDigits: 2 }).format(bytes / 1024 ** 3);
}

/** What people call a component that plays a role. */
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

function patternsPage(): string {
  const groups = Map.groupBy(patterns, ({ of }) => of.map((role) => roleTitles[role]).join(", "));
  const sections = Array.from(groups, ([title, rows]) => `## ${capital(title)}\n\n${rows.map(patternOf).join("\n\n")}`);
  const kinds = Object.values(probers);
  const told = (role: Role): string =>
    kinds.flatMap((prober) => (prober.role === role ? kindLink(prober.kind) : [])).join(", ");
  const rows = roleNames.map((role) => `| \`${role}\` | ${roles[role]} | ${told(role)} |`);
  return `${generated}
# Patterns of failure

The ways in which the parts of an environment fail, as [the search for the cause](root-cause.md) knows them. A component has the patterns of the part that it
plays: its \`role\`, which follows from the kinds of its probes where the configuration does not state it. Every
pattern says by which fact it is known, what an incident then says, and what to do first. A pattern explains a cause and chooses none. Where none of its facts is there, the
incident says no more than that the part fails by itself, and where to look first.

## Roles

The kinds of probe that tell a role need no \`role\` beside them. The other kinds, such as \`http\` and \`cloud_monitoring\`, can ask anything and tell nothing.

| role | what it is | told by probes of the kind |
|---|---|---|
${rows.join("\n")}

${sections.join("\n\n")}
`;
}

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

function metricsPage(): string {
  const rows = Object.entries(metrics).map(([name, metric]: [string, Metric]) => {
    const labels = metric.labels?.map((label) => `\`${label}\``).join(", ") ?? "";
    const kinds = commonMetrics.some((common) => common === name)
      ? "every probe"
      : Object.values(probers)
          .filter((prober) => prober.yields().some((yielded) => yielded.metric === name))
          .map(({ kind }) => kindLink(kind))
          .join(", ");
    return `| \`${name}\` | ${metric.unit} | ${metric.description} | ${labels} | ${kinds} |`;
  });
  const own = Object.entries(ownMetrics).map(([name, { unit, description, labels = [] }]) => {
    return `| \`${name}\` | ${unit} | ${description} | ${labels.map((label) => `\`${label}\``).join(", ")} |`;
  });
  return `${generated}
# Metrics

Everything that probes measure, in base units: seconds, a ratio from 0 to 1, bytes, a plain count. Conditions write them as people do
(\`70%\`, \`250ms\`, \`64MiB\`). Every series carries the labels \`probe\`, \`component\` and \`vantage\` besides its own.

| metric | unit | meaning | own labels | yielded by |
|---|---|---|---|---|
${rows.join("\n")}

## Exported for dashboards

With each tick the newest values of ${defaultExports.map((name) => `\`${name}\``).join(", ")} go to Cloud Monitoring as \`${exportPrefix}NAME\`, unless the
configuration says otherwise under \`export\`; on one machine to the file \`metrics.prom\` as \`pathkeeper_NAME\`. What the monitor measures of itself goes with them:

| metric | unit | meaning | labels |
|---|---|---|---|
${own.join("\n")}

Each point takes 8 bytes of what Cloud Monitoring bills beyond 150 MiB a month: 60 series each minute are 20 MiB.
`;
}

function kindLink(kind: string): string {
  return Object.hasOwn(probers, kind) ? `[\`${kind}\`](probers/${kind}.md)` : `\`${kind}\``;
}

function metricsOf({ yields }: AnyProber): string {
  const own = new Map(yields().map((yielded) => [yielded.metric, yielded]));
  const rows = metricNames.flatMap((name) => {
    const yielded = own.get(name);
    const { unit, description } = metrics[name];
    return yielded === undefined ? [] : [`| \`${name}\` | ${unit} | ${description} | ${yielded.needs ?? ""} |`];
  });
  return `
## What it can measure

\`probe_success\` and \`probe_duration\`, as every probe, and:

| metric | unit | meaning | only |
|---|---|---|---|
${rows.join("\n")}
`;
}

function kindPage(
  { kind, title, settings, example, notes = "" }: Kind,
  what: "probe" | "channel",
  measured: string,
): string {
  const schema = z.toJSONSchema(settings, { io: "input", unrepresentable: "any" }) as Property;
  const shared = what === "probe" ? "the [fields that all probes share](../configuration.md)" : "`kind`";
  const key = what === "probe" ? "probes" : "channels";
  const own = example
    .trimEnd()
    .split("\n")
    .map((line) => `    ${line}`);
  return `${generated}
# The ${what} \`${kind}\`

${title}

\`\`\`yaml
${key}:
  example:
    kind: ${kind}
${what === "probe" ? "    component: backend\n" : ""}${own.join("\n")}
\`\`\`

## Settings

Besides ${shared}:

| field | type | default | meaning |
|---|---|---|---|
${rowsOf(schema, "").join("\n")}
${measured}${notes === "" ? "" : `\n${notes.trim()}\n`}`;
}

/** What its service takes; a page is written as often as there is news. */
function paceOfKind({ kind, pace = usualPace, recipients }: AnyChannelKind): string {
  if (kind === statusPageKind) return "";
  return `\n${recipients === undefined ? "It" : "Each recipient"} gets at most ${pace.perMinute} notices a minute and ${pace.atOnce} at once, unless \`per_minute\` of the channel says otherwise.\n`;
}

function rowsOf(schema: Property, prefix: string): string[] {
  const properties = Object.entries(schema.properties ?? {});
  // What stands in one list and in another is told of once.
  const told = properties.map(([, { items }]) => JSON.stringify(items ?? null));
  return properties.flatMap(([name, property], position) => {
    const path = `${prefix}${name}`;
    const inherited = prefix === "" && keysOf(googleCloudEntry).includes(name);
    const required = schema.required?.includes(name) ?? false;
    const missing = required ? (inherited ? "of `google_cloud`" : "required") : "";
    const fallback = property.default === undefined ? missing : code(property.default);
    const row = `| \`${path}\` | ${typeOf(property)} | ${fallback} | ${cell(property.description ?? "")} |`;
    const isSecret = property.properties !== undefined && "secret" in property.properties;
    const inner = property.properties && !isSecret ? rowsOf(property, `${path}.`) : [];
    const isNew = told.indexOf(told[position] ?? "") === position;
    const items = property.items?.properties && isNew ? rowsOf(property.items, `${path}[].`) : [];
    return [row, ...inner, ...items];
  });
}

/** More choices than these are not listed in the table of settings. */
const mostListed = 20;

function typeOf(property: Property): string {
  if (property.const !== undefined) return code(property.const);
  if (property.enum?.length === Object.keys(metrics).length) return "name of a [metric](../metrics.md)";
  if (property.enum) return property.enum.map(code).join(", ");
  if (property.anyOf)
    return [...new Set(property.anyOf.flatMap((one) => String(typeOf(one)).split(" or ")))].join(" or ");
  if (property.properties && "secret" in property.properties) return "`{ secret: NAME }`";
  if (property.type === "array" && (property.items?.enum?.length ?? 0) > mostListed) return "list of names, as below";
  if (property.type === "array") return property.items ? `list of ${typeOf(property.items)}` : "list";
  return property.type ?? "any";
}

function code(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text === "{}" || text === "[]" ? "" : `\`${cell(text)}\``;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

/** The reference pages of the documentation, worked out from the registries and the catalogue: `npm run docs` writes them. */
import { readFileSync } from "node:fs";
import { testsJsonSchema } from "../cli/scenario/file/json-schema.ts";
import { channels } from "../functions/notify/channels/index.ts";
import { limitText } from "../functions/notify/text/limits.ts";
import { probers } from "../functions/probe/probers/index.ts";
import type { Reach } from "../shared/config/roles.ts";
import { helps } from "./helps.ts";
import { topKeysTable } from "./reference/configuration.ts";
import { costPage } from "./reference/cost.ts";
import { initPermissions } from "./reference/init.ts";
import { channelPage, proberPage } from "./reference/kinds.ts";
import { cell, kindLink } from "./reference/markdown.ts";
import { metricsPage } from "./reference/metrics.ts";
import { patternsPage } from "./reference/patterns.ts";
import { templatesPage } from "./reference/templates.ts";

/** Every generated page: its text by its path from the root of the project. */
export function referencePages(): ReadonlyMap<string, string> {
  return new Map([
    ["docs/metrics.md", metricsPage()],
    ["docs/cost.md", costPage()],
    ["docs/patterns.md", patternsPage()],
    ["docs/templates.md", templatesPage()],
    ["README.md", withPart("README.md", "kinds", kindsList())],
    ["docs/configuration.md", configurationPage()],
    ["docs/notification.md", withPart("docs/notification.md", "limits", limitsTable())],
    ["docs/cli.md", commandLinePage()],
    ["docs/init.md", withPart("docs/init.md", "init-permissions", initPermissions())],
    ["docs/tests.schema.json", `${JSON.stringify(testsJsonSchema(), null, 2)}\n`],
    ...Object.values(probers).map((prober) => [`docs/probers/${prober.kind}.md`, proberPage(prober)] as const),
    ...Object.values(channels).map((channel) => [`docs/channels/${channel.kind}.md`, channelPage(channel)] as const),
  ]);
}

/** The page as it is written by hand, with the tables of its keys and of the kinds of probe and of channel. */
function configurationPage(): string {
  const path = "docs/configuration.md";
  const page = withPart(path, "channels", channelList(), withPart(path, "probers", proberList()));
  return withPart(path, "keys", topKeysTable(page), page);
}

function proberList(): string {
  const rows = Object.values(probers).map(
    ({ kind, title, reach }) => `| ${kindLink(kind)} | ${reaches[reach]} | ${cell(title)} |`,
  );
  return ["| kind | how it reaches the target | what it does |", "|---|---|---|", ...rows].join("\n");
}

/** Returns the README's list of kinds, each with a link to its page. */
function kindsList(): string {
  const links = (folder: string, kinds: Readonly<Record<string, { readonly kind: string }>>): string =>
    Object.values(kinds)
      .map(({ kind }) => `[\`${kind}\`](docs/${folder}/${kind}.md)`)
      .join(" · ");
  return `| | |\n|---|---|\n| **Probes** | ${links("probers", probers)} |\n| **Notifies** | ${links("channels", channels)} |`;
}

const reaches: Readonly<Record<Reach, string>> = {
  users: "as users do",
  private: "directly",
  control_plane: "through Google's APIs",
};

/** Replaces the part of a handwritten page between its two comments. @param written the page. @default the page in the folder */
function withPart(path: string, name: string, part: string, written?: string): string {
  const page = written ?? readFileSync(new URL(`../${path}`, import.meta.url), "utf8");
  const [before, rest] = page.split(`<!-- ${name}: written by \`npm run docs\` -->\n`);
  const [, after] = rest?.split(`<!-- /${name} -->\n`) ?? [];
  if (before === undefined || after === undefined) throw new Error(`${path} has no part "${name}"`);
  return `${before}<!-- ${name}: written by \`npm run docs\` -->\n${part}\n<!-- /${name} -->\n${after}`;
}

/** The page as it is written by hand, with the help of the program, of each command and of `npm start`. */
function commandLinePage(): string {
  const path = "docs/cli.md";
  const page = readFileSync(new URL(`../${path}`, import.meta.url), "utf8");
  return [...helps].reduce((written, [name, help]) => withPart(path, name, `\`\`\`\n${help}\n\`\`\``, written), page);
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

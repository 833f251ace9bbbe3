/** Writes a draft as `monitor.yaml`, for somebody who reads one for the first time. */
import { Document, isCollection, visit } from "yaml";
import { program } from "../../command.ts";
import { wrapped } from "../../terminal/columns.ts";
import type { Draft, Entry, Settings, Template } from "./draft.ts";

/** The widest line of comments, in characters. */
const width = 110;
/** The longest collection that is written in one line, in characters. */
const longestLine = 96;

/** The text of the file. @param written the day on which it was written: `2026-11-30` */
export function yamlOf(draft: Draft, written: string): string {
  const { environment, title, googleCloud, components, probes, templates, rules, baselines, stages } = draft;
  const sections = [
    [
      ...comment(
        `Written by ${program} init on ${written} from the resources found. Edit it as you like, then run ${program} validate. ${program} init --update lists new and removed resources.`,
      ),
      ...yaml({ environment, title, ...(googleCloud === undefined ? {} : { google_cloud: googleCloud }) }),
    ],
    unseenLines(draft),
    [
      ...comment(
        "The components of the environment. depends_on lists the components that a component needs, so that one outage becomes one incident with one root cause. Add `impact: Nobody can order` to components that users notice, and `team: payments` for the owner.",
      ),
      ...section("components", components, "must not be empty: add a component"),
    ],
    [
      ...comment(
        `The probes, which run every minute unless schedule is set. To try them: ${program} probe. A probe that fails for 2 minutes opens an incident; alert: off prevents this.`,
      ),
      ...section("probes", probes, "add a probe"),
    ],
    [
      ...comment("Probes to complete: remove the # from each line. They belong to the section probes above."),
      ...templates.flatMap((template) => ["", ...templateLines(template)]),
      "",
      ...undiscovered,
    ],
    rules.size === 0
      ? []
      : [
          ...comment("Alerts in addition to failing probes. Adjust the thresholds to your normal values."),
          "monitoring_rules:",
          ...[...rules].flatMap(([name, { settings, comments }]) => [
            ...indented(comments.flatMap(comment)),
            ...indented(yaml([{ name, ...settings }])),
          ]),
        ],
    baselines.size === 0
      ? []
      : [
          ...comment(
            "Normal values, as measured: a recovery is validated only when fresh measurements meet them again.",
          ),
          ...yaml({ baselines: Object.fromEntries(baselines) }),
        ],
    recoveryLines(stages),
    afterwards,
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

/** A component or a probe as it stands in its section. */
export function entryLines(name: string, { settings, comments }: Entry): string[] {
  return indented([...comments.flatMap(comment), ...yaml(Object.fromEntries([[name, settings]]))]);
}

function section(key: string, entries: ReadonlyMap<string, Entry>, empty: string): string[] {
  if (entries.size === 0) return [`${key}: {} # ${empty}`];
  return [`${key}:`, ...[...entries].flatMap(([name, entry]) => entryLines(name, entry))];
}

function unseenLines({ unseen }: Draft): string[] {
  if (unseen.length === 0) return [];
  return [
    "# Not found, and how to make it visible:",
    ...unseen.flatMap((sentence) => wrapped(sentence, "# - ", "#   ", width)),
  ];
}

function templateLines({ says, name, settings }: Template): string[] {
  const body = indented(yaml(Object.fromEntries([[name, settings]])));
  return [...says.flatMap(comment), ...body.map((line) => `#${line}`)];
}

function recoveryLines(stages: Draft["stages"]): string[] {
  if (stages.size === 0) return [];
  return [
    ...comment("How a recovery is validated: stage by stage, with fresh probes that must meet the baselines."),
    "recovery:",
    "  stages:",
    ...[...stages].flatMap(([name, probes]) => indented(indented(yaml([{ name, probes: [...probes] }])))),
  ];
}

/** Logins, conversations and journeys, which nobody can discover. */
const undiscovered =
  `# A health check does not prove that users can log in. This probe logs in as its own user; its body is a secret.
#  login:
#    kind: http
#    component: golden-path
#    method: POST
#    url: https://shop.example.com/login
#    headers: { content-type: application/json }
#    body: { secret: login-body }

# A conversation over a WebSocket, step by step.
#  conversation:
#    kind: websocket
#    component: golden-path
#    url: wss://shop.example.com/ws
#    token: { secret: websocket-token }
#    script:
#      - { name: welcome, expect: [{ json: { $.type: welcome } }], within: 5s }
#      - { name: message, send: { type: message, text: Hello } }
#      - { name: reply, expect: [{ json: { $.type: reply } }], within: 10s }

# What users do, from the login to what they came for, matters most. It is a component of its own, such as
# golden-path: { layer: application, role: journey, depends_on: [what it uses], impact: Nobody can order }.
#  golden-path:
#    kind: journey
#    component: golden-path
#    schedule: every 5m
#    timeout: 45s
#    variables: { email: probe@example.com, password: { secret: probe-password } }
#    steps:
#      - name: log in
#        http:
#          method: POST
#          url: https://shop.example.com/login
#          json: { email: "\${email}", password: "\${password}" }
#        capture: { token: $.token }
#      - name: open socket
#        websocket: { url: "wss://shop.example.com/ws", headers: { authorization: "Bearer \${token}" } }
#      - name: reply
#        expect: [{ json: { $.type: reply } }]
#        within: 10s`.split("\n");

/** Routes and channels, which only a person can fill in. */
const afterwards =
  `# Who is notified of what. Until this section is completed, incidents are recorded, but nobody is notified.
#channels:
#  team-email: { kind: email, to: [team@example.com], from: "Pathkeeper <pathkeeper@example.com>" }
#  team-chat: { kind: slack, url: { secret: slack-webhook-url } }
#routes:
#  - { channels: [team-email, team-chat], severity: [warning, critical], remind_every: 4h }`.split("\n");

function comment(text: string): string[] {
  return wrapped(text, "# ", "# ", width);
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => (line === "" ? "" : `  ${line}`));
}

/** A value in block style, with every collection in one line that fits into it. */
export function yaml(value: Settings | readonly Settings[]): string[] {
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Collection(_, node, path) {
      if (!isCollection(node)) return undefined;
      // The top of a section and its entries are blocks: they grow.
      const isTop = path.length <= (Array.isArray(value) ? 2 : 3);
      if (isTop || JSON.stringify(node.toJSON()).length > longestLine) return undefined;
      node.flow = true;
      return visit.SKIP;
    },
  });
  const text = document.toString({ lineWidth: 0, flowCollectionPadding: true }).trimEnd();
  // Removes padding inside flow lists. Quoted text is unchanged.
  return text
    .replaceAll(/"(?:[^"\\]|\\.)*"|\[ | \]/g, (part) => (part.startsWith('"') ? part : part.trim()))
    .split("\n");
}

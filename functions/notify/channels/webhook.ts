/** Signed webhooks that follow Standard Webhooks 1.0.0: `{ type, timestamp, data }`. https://www.standardwebhooks.com */
import { z } from "zod";
import { customIssue, secretText, textWithSecrets } from "../../../shared/config/fields.ts";
import { placeholderSecret } from "../../../shared/config/secret-reference.ts";
import { incidentEventKinds } from "../../../shared/messages/incident-event.ts";
import { headerMistake, urlMistake } from "../../../shared/net/written-address.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { namedRecord } from "../../../shared/runtime/named-record.ts";
import { marksOf } from "../../../shared/text/placeholders.ts";
import { bounded } from "../../../shared/text/redact.ts";
import { type BodyField, bodyFields } from "../../../shared/text/template-fields.ts";
import type { ChannelKind, Notice, OutgoingRequest } from "../channel.ts";
import { classifyHttp } from "../deliver/classify.ts";
import { atMost } from "../text/limits.ts";
import { fieldsOf, shorten } from "../text/notice-fields.ts";
import { fullBudget, type TextBudget } from "../text/notice-text.ts";
import { literal, SettingText, wellFormedJson } from "../text/secret-text.ts";

const settings = lazily(() =>
  z
    .strictObject({
      url: textWithSecrets().describe(
        "The URL to post to: https://…, or a secret, because such URLs often contain one.",
      ),
      signing_key: secretText()
        .optional()
        .describe("The key that signs every request: whsec_ and base64 of 24 to 64 bytes."),
      signing_keys: z
        .array(secretText())
        .min(1, "must name at least one secret")
        .optional()
        .describe("Several keys instead of one, during a key rotation: every request is signed with each."),
      headers: namedRecord(headerName(), textWithSecrets().superRefine(customIssue(headerMistake)))
        .default({})
        .describe("More headers; their values are texts or secrets."),
      cloudevents: z
        .enum(["binary", "structured"], { error: "must be binary or structured; remove the setting for plain JSON" })
        .optional()
        .describe(
          "Sends CloudEvents 1.0: binary, with ce- headers, or structured, entirely in the body. Requests are signed either way.",
        ),
      body: z
        .union([namedRecord(z.string(), z.unknown()), z.array(z.unknown())], {
          error: "must be a map or a list: the JSON that is sent",
        })
        .optional()
        .describe(
          "Custom JSON instead of the event: `${field}` in its texts stands for a field of the notification. Default: the event.",
        ),
      only: z
        .array(z.enum(incidentEventKinds))
        .min(1)
        .optional()
        .describe(
          "The only events to send, including the end of an incident: for example opened, if each request opens an issue. Default: all.",
        ),
      allow_private: z
        .boolean()
        .default(false)
        .describe("Allows http:// and private addresses, for a receiver in your own network."),
    })
    .superRefine(({ url, allow_private, signing_key, signing_keys, body, cloudevents }, context) => {
      if (body !== undefined && cloudevents !== undefined) {
        const message = "cannot be combined with cloudevents, which defines the body: remove one of them";
        context.addIssue({ code: "custom", path: ["body"], message });
      }
      const mistake = addressMistake(url, allow_private ? ["https", "http"] : ["https"]);
      if (mistake !== undefined) context.addIssue({ code: "custom", path: ["url"], message: mistake });
      if (signing_key !== undefined && signing_keys !== undefined) {
        context.addIssue({
          code: "custom",
          path: ["signing_keys"],
          message: "cannot be combined with signing_key: remove one of them",
        });
      }
    }),
);

/** Settings of a webhook. */
export type WebhookSettings = z.output<ReturnType<typeof settings>>;

/** Headers reserved for the request or its signature, in lower case. */
const ownHeaders: readonly string[] = [
  "host",
  "content-length",
  "content-type",
  "transfer-encoding",
  "connection",
  "expect",
];

const headerName = lazily(() =>
  z
    .string()
    .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, "must be a header name")
    .refine((name) => !ownHeaders.includes(name.toLowerCase()) && !/^(webhook|ce)-/i.test(name), {
      error: "is a header that Pathkeeper sets itself: remove it",
    }),
);

/** Maximum size of the body, in bytes. Standard Webhooks requires less than 20 KB. */
const largestBody = 20_000;

/** The webhook channel. */
export const webhook: ChannelKind<WebhookSettings> = {
  kind: "webhook",
  title: "Posts every event as signed JSON, after Standard Webhooks.",
  limits: [atMost(largestBody - 1, "bytes")],
  ownForm: true,
  everyEvent: true,
  incidentForm: "an event each, with an id that repeats when a request does",
  get settings() {
    return settings();
  },
  example: `url: { secret: ops-hook-url }
signing_key: { secret: ops-hook-key }
headers: { X-Team: infrastructure }
`,
  notes: `## A body of your own

\`body\` is JSON, written as YAML. In its texts, \`\${field}\` stands for a [field of templates](../templates.md#fields), and besides for ${Object.keys(
    bodyFields,
  )
    .map((name) => `\`${name}\``)
    .join(", ")}. Each text stays one text of JSON, whatever a
field holds, so nothing needs to be escaped. \`\${secret:NAME}\` stands for a secret. \`validate\` refuses unknown fields, and \`npx --no pathkeeper preview --channel NAME\` shows what is sent.
The request is a \`POST\`, and it is retried until it succeeds: the receiver may see an event twice, with the same \`\${key}\` and \`webhook-id\`.

\`only: [opened]\` opens one issue for each incident. Without it, every event of the routes is a request, and so is the end of the incident.

\`\`\`yaml
channels:
  jira:
    kind: webhook
    url: https://example.atlassian.net/rest/api/2/issue
    only: [opened]
    headers: { Authorization: { secret: jira-basic } }   # Basic and base64 of address:token
    body:
      fields:
        project: { key: OPS }
        issuetype: { name: Bug }
        summary: "\${title}"
        description: "\${summary}\\n\\n\${evidence}\\n\\n\${link}"
        labels: [pathkeeper, "\${severity}"]
  servicenow:
    kind: webhook
    url: https://example.service-now.com/api/now/table/incident
    only: [opened]
    headers: { Authorization: { secret: servicenow-basic } }
    body:
      short_description: "\${title}"
      description: "\${summary}\\n\${next_steps}"
      correlation_id: "\${incident}"
      urgency: "1"
      assignment_group: Infrastructure
  github:
    kind: webhook
    url: https://api.github.com/repos/OWNER/REPOSITORY/issues
    only: [opened]
    headers: { Authorization: "Bearer \${secret:github-token}", Accept: application/vnd.github+json }
    body:
      title: "\${title}"
      body: "\${summary}\\n\\n\${evidence}\\n\\n\${link}"
      labels: [incident]
\`\`\`

Telling phones by [ntfy](https://ntfy.sh), every event:

\`\`\`yaml
channels:
  phone:
    kind: webhook
    url: https://ntfy.sh/
    headers: { Authorization: "Bearer \${secret:ntfy-token}" }
    body: { topic: my-incidents, title: "\${state} · \${environment}", message: "\${summary}", priority: 4, click: "\${link}" }
\`\`\`
`,
  omits: ({ only }, event) => (only?.includes(event) === false ? "excluded by `only` of the channel" : undefined),
  render: renderRequest,
  classify: classifyHttp,
};

function renderRequest(settings: WebhookSettings, notice: Notice): OutgoingRequest {
  const keys = settings.signing_keys ?? (settings.signing_key === undefined ? [] : [settings.signing_key]);
  return {
    transport: "http",
    v: 2,
    method: "POST",
    url: settings.url,
    headers: { ...settings.headers, ...headersOf(notice, settings.cloudevents) },
    body: settings.body === undefined ? bodyOf(notice, settings.cloudevents) : ownBody(settings.body, notice),
    signature: { id: notice.key, keys },
    allowPrivate: settings.allow_private,
  };
}

/** Returns the JSON from the configuration with its fields filled in. Each text stays one JSON string, whatever the fields contain. */
function ownBody(template: unknown, notice: Notice): string {
  for (const characters of [fullBudget.characters, 300, 150, 75]) {
    const budget = { sentences: Math.ceil(characters / 50), characters };
    const fields = bodyFieldsOf(notice, budget);
    const body = wellFormedJson(filledIn(template, (name) => ownEntry(fields, name) ?? ""));
    if (Buffer.byteLength(body) < largestBody || characters === 75) return body;
  }
  throw new RangeError("no budget is left");
}

function bodyFieldsOf(notice: Notice, budget: TextBudget): Readonly<Record<BodyField, string>> {
  const { event, key } = notice;
  const lines = (texts: readonly string[]): string => shorten(texts, budget).join("\n");
  return {
    ...fieldsOf(notice, budget),
    event: event.event,
    status: event.status,
    summary: bounded(event.summary, [], budget.characters),
    evidence: lines(event.evidence),
    next_steps: lines(event.next_steps ?? []),
    key,
  };
}

/** Fills in the field placeholders in the texts of a JSON value. Placeholders of secrets stay until sending. */
function filledIn(value: unknown, fieldOf: (name: string) => string): unknown {
  if (typeof value === "string") return new SettingText(filledText(value, fieldOf));
  if (Array.isArray(value)) return value.map((part) => filledIn(part, fieldOf));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, filledIn(part, fieldOf)]));
}

function filledText(text: string, fieldOf: (name: string) => string): string {
  let filled = "";
  let from = 0;
  for (const mark of marksOf(text)) {
    const end = mark.offset + mark.length;
    const isSecret = placeholderSecret(mark) !== undefined;
    filled += text.slice(from, mark.offset) + (isSecret ? text.slice(mark.offset, end) : literal(fieldOf(mark.name)));
    from = end;
  }
  return filled + text.slice(from);
}

/** Returns the context attributes of CloudEvents. `source` and `id` together are the same for every attempt, and unique otherwise. */
function contextOf({ event, key }: Notice): Readonly<Record<string, string>> {
  return {
    specversion: "1.0",
    id: key,
    source: `/pathkeeper/${encodeURIComponent(bounded(event.environment))}`,
    type: `pathkeeper.incident.${event.event}`,
    subject: bounded(event.incident),
    time: event.at,
  };
}

/** @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md */
function headersOf(notice: Notice, mode: WebhookSettings["cloudevents"]): Readonly<Record<string, string>> {
  if (mode === "structured") return { "content-type": "application/cloudevents+json" };
  const context = mode === "binary" ? Object.entries(contextOf(notice)) : [];
  const headers = context.map(([name, value]) => [
    `ce-${name}`,
    literal(value.replaceAll(/[^!#$&-~]/gu, encodeURIComponent)),
  ]);
  return { ...Object.fromEntries(headers), "content-type": "application/json" };
}

/** Lists that are shortened if a body would be too large, the least important first. */
const foldable = ["evidence", "whys", "alerts", "components"] as const;

/** Returns the event as JSON. Sentences that do not fit are left out, and `folded` counts them by list. */
function bodyOf(notice: Notice, mode: WebhookSettings["cloudevents"]): string {
  const { event, environment } = notice;
  const lists = {
    evidence: event.evidence.map((text) => bounded(text)),
    whys: event.whys.map((text) => bounded(text)),
    alerts: event.alerts.map((text) => bounded(text)),
    components: event.components.map((text) => bounded(text)),
  };
  const data = {
    ...event,
    root_cause: bounded(event.root_cause),
    summary: bounded(event.summary, [], 600),
    change: bounded(event.change, [], 600),
    title: bounded(event.title),
    impact: bounded(event.impact, [], 600),
    environment_title: bounded(environment),
    ...(notice.url === undefined ? {} : { url: notice.url }),
    ...(event.next_steps === undefined
      ? {}
      : { next_steps: event.next_steps.slice(0, 12).map((text) => bounded(text)) }),
    ...(event.team === undefined ? {} : { team: bounded(event.team) }),
    ...lists,
  };
  const write = (leftOut: number): string => {
    const content = leftOut === 0 ? data : { ...data, ...without(lists, leftOut) };
    if (mode === "binary") return wellFormedJson(content);
    if (mode === "structured")
      return wellFormedJson({ ...contextOf(notice), datacontenttype: "application/json", data: content });
    return wellFormedJson({ type: `incident.${event.event}`, timestamp: event.at, data: content });
  };
  return roomiest(
    write,
    foldable.reduce((count, list) => count + lists[list].length, 0),
  );
}

/** Returns the lists after leaving out a number of sentences, with the count for each list. */
function without(
  lists: Readonly<Record<(typeof foldable)[number], readonly string[]>>,
  leftOut: number,
): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  const folded: Record<string, number> = {};
  let left = leftOut;
  for (const list of foldable) {
    const from = Math.min(left, lists[list].length);
    kept[list] = lists[list].slice(0, lists[list].length - from);
    if (from > 0) folded[list] = from;
    left -= from;
  }
  return { ...kept, folded };
}

/** Returns the first body that is small enough, or the last one if none is. Each body is smaller than the one before. */
function roomiest(write: (leftOut: number) => string, most: number): string {
  const whole = write(0);
  if (Buffer.byteLength(whole) < largestBody) return whole;
  let [tooFew, enough] = [0, most];
  while (enough - tooFew > 1) {
    const middle = Math.floor((tooFew + enough) / 2);
    if (Buffer.byteLength(write(middle)) < largestBody) enough = middle;
    else tooFew = middle;
  }
  return write(enough);
}

/** Returns the error in a URL. A URL that begins with a placeholder cannot be checked. */
function addressMistake(text: string, schemes: readonly string[]): string | undefined {
  if (marksOf(text)[0]?.offset === 0) return undefined;
  if (!schemes.some((scheme) => text.toLowerCase().startsWith(`${scheme}:`)))
    return "must be https://host/path, or with allow_private: true also http://host/path";
  return urlMistake(text, schemes);
}

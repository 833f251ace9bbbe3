/** Signed webhooks after Standard Webhooks 1.0.0: `{ type, timestamp, data }`. https://www.standardwebhooks.com */
import { z } from "zod";
import { secretText, textWithSecrets } from "../../../shared/config/fields.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { namedRecord } from "../../../shared/runtime/named-record.ts";
import { fillMarks, marksOf } from "../../../shared/text/placeholders.ts";
import { bounded } from "../../../shared/text/redact.ts";
import type { ChannelKind, Notice, OutgoingRequest } from "../channel.ts";
import { classifyHttp } from "../deliver/classify.ts";
import { atMost } from "../text/limits.ts";
import { literal, wellFormedJson } from "../text/secret-text.ts";

const settings = lazily(() =>
  z
    .strictObject({
      url: textWithSecrets().describe(
        "Where to post to: https://…, or a secret, because such addresses often are one.",
      ),
      signing_key: secretText()
        .optional()
        .describe("The key that signs every request: whsec_ and base64 of 24 to 64 bytes."),
      signing_keys: z
        .array(secretText())
        .min(1, "must name at least one secret")
        .optional()
        .describe("Several keys in place of one, while they are being changed: every request is signed with each."),
      headers: namedRecord(headerName(), textWithSecrets())
        .default({})
        .describe("More headers; their values are texts or secrets."),
      cloudevents: z
        .enum(["binary", "structured"], { error: "must be binary or structured; leave the key out for plain JSON" })
        .optional()
        .describe(
          "Sends CloudEvents 1.0: binary, with ce- headers, or structured, all in the body. Signed all the same.",
        ),
      allow_private: z
        .boolean()
        .default(false)
        .describe("Allows http:// and addresses that are private, for a receiver on the own network."),
    })
    .superRefine(({ url, allow_private, signing_key, signing_keys }, context) => {
      if (!isUrl(url, allow_private ? ["https:", "http:"] : ["https:"])) {
        const message = "must be https://host/path, or with allow_private: true also http://host/path";
        context.addIssue({ code: "custom", path: ["url"], message });
      }
      if (signing_key !== undefined && signing_keys !== undefined) {
        context.addIssue({
          code: "custom",
          path: ["signing_keys"],
          message: "stands beside signing_key: keep one of them",
        });
      }
    }),
);

/** Settings of a webhook. */
export type WebhookSettings = z.output<ReturnType<typeof settings>>;

/** Headers that belong to the request or to the signature, in lower case. */
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
    .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, "must be the name of a header")
    .refine((name) => !ownHeaders.includes(name.toLowerCase()) && !/^(webhook|ce)-/i.test(name), {
      error: "is a header that Pathkeeper sets itself: leave it out",
    }),
);

/** The largest body, in bytes: Standard Webhooks asks for less than 20 KB. */
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
    body: bodyOf(notice, settings.cloudevents),
    signature: { id: notice.key, keys },
    allowPrivate: settings.allow_private,
  };
}

/** What CloudEvents calls the attributes of its context; `source` and `id` together are the same for every attempt, and for nothing else. */
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

/** Lists that are shortened where a body would be too large, the most dispensable first. */
const foldable = ["evidence", "whys", "alerts", "components"] as const;

/** The event as JSON; sentences that do not fit are left out, and `folded` says how many of which. */
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
  const folded: Partial<Record<(typeof foldable)[number], number>> = {};
  const write = (): string => {
    const told = Object.keys(folded).length === 0 ? data : { ...data, folded };
    if (mode === "binary") return wellFormedJson(told);
    if (mode === "structured")
      return wellFormedJson({ ...contextOf(notice), datacontenttype: "application/json", data: told });
    return wellFormedJson({ type: `incident.${event.event}`, timestamp: event.at, data: told });
  };
  let body = write();
  for (const list of foldable) {
    while (Buffer.byteLength(body) >= largestBody && data[list].length > 0) {
      data[list].pop();
      folded[list] = (folded[list] ?? 0) + 1;
      body = write();
    }
  }
  return body;
}

/** Whether a text is an address, or begins with the placeholder of one. */
function isUrl(text: string, schemes: readonly string[]): boolean {
  const marks = marksOf(text);
  if (marks[0]?.offset === 0) return true;
  const example = fillMarks(text, () => "x");
  return URL.canParse(example) && schemes.includes(new URL(example).protocol);
}

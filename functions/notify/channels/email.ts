/** Mail through SMTP: one thread per incident, readable on a phone, in text and HTML. Each recipient gets a separate mail. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { customIssue, secretText } from "../../../shared/config/fields.ts";
import { urlMistake } from "../../../shared/net/written-address.ts";
import type { Swimlane } from "../../../shared/picture/swimlane.ts";
import { swimlaneTable } from "../../../shared/picture/swimlane-table.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { escapeHtml } from "../../../shared/text/escape-html.ts";
import { bounded } from "../../../shared/text/redact.ts";
import type { ChannelKind, Notice, OutgoingMail } from "../channel.ts";
import { classifySmtp } from "../deliver/classify.ts";
import { fitted } from "../text/fit.ts";
import { atMost, keepsTo, type Limit } from "../text/limits.ts";
import type { NoticeText } from "../text/notice-text.ts";
import { type Tone, toneOf } from "../text/tone.ts";

const settings = lazily(() =>
  z.strictObject({
    to: z
      .array(z.email({ error: "must be a mail address such as team@example.com" }))
      .min(1, "must name at least one mail address")
      .max(50, "must name at most 50 mail addresses: use a mailing list")
      .describe("The recipients: a list of mail addresses."),
    from: z
      .string()
      .regex(/^[^<>@\r\n]*<[^<>@\s]+@[^<>@\s]+>$|^[^<>@\s]+@[^<>@\s]+$/, "must be an address: Name <name@example.com>")
      .default("Pathkeeper <pathkeeper@localhost>")
      .describe("The sender, as `Name <name@example.com>`."),
    server: z
      .union(
        [
          z
            .string()
            .superRefine(customIssue(serverMistake))
            .refine(
              (text) => !isBlocked(text),
              "Google Cloud blocks port 25: use port 587 or 465 of a relay; docs/deliverability.md",
            ),
          secretText(),
        ],
        {
          error:
            "must be smtp://host:port without user and password. With credentials, the URL must be a secret: write { secret: NAME }",
        },
      )
      .prefault({ secret: "smtp-url" })
      .describe("The SMTP server: a secret such as smtps://user:password@host, or smtp://host:port without password."),
    unsubscribe: z
      .string()
      .regex(/^(mailto:[^<>\s]+@[^<>\s]+|https:\/\/[^<>\s]+)$/, "must be mailto:name@example.com or https://host/path")
      .optional()
      .describe("The address to unsubscribe at, for the header `List-Unsubscribe`. Default: no such header."),
  }),
);

/** Settings of a mail channel. */
export type EmailSettings = z.output<ReturnType<typeof settings>>;

/** Gmail clips mails beyond 102 KB. */
const limits: readonly Limit[] = [{ ...atMost(60_000, "bytes"), unit: "bytes of text and HTML" }];

/** The mail channel. */
export const email: ChannelKind<EmailSettings> = {
  kind: "email",
  title: "Sends each recipient a mail by SMTP, one thread an incident.",
  limits,
  incidentForm:
    "one thread: `In-Reply-To`, `References` and `Thread-Index` lead to the opening; the subject stays, behind the state in brackets",
  get settings() {
    return settings();
  },
  example: `to: [infra@example.com]
from: Pathkeeper <pathkeeper@example.com>
server: { secret: smtp-url }
`,
  notes: `[Mail deliverability](../deliverability.md) explains sender, SPF, DKIM, DMARC and relays.

## Each recipient is told independently

A channel with several addresses in \`to\` sends each of them a mail of its own, with its own entry in the ledger. If the server refuses one address for now (\`4xx\`, for example because it
greylists), only that mail is sent again, and the others get no copy. If it refuses one for good (\`5xx\`), that is an incident of the monitor, told by the channels that
work, the other recipients of this one included. An address that you remove while an incident is open still gets the all-clear; an address that you add hears of the incident with the next event that a route brings.

At most four mails of a channel are sent at the same time. For many readers, use a mailing list.
`,
  warnings: ({ from, server }) =>
    domainOf(from) === "localhost" && !isOpenLoopback(server)
      ? [
          {
            key: "from",
            message: `mail servers reject mails from ${addressOf(from)} or treat them as spam: use an address in your domain; see docs/deliverability.md`,
          },
        ]
      : [],
  recipients: ({ to }) => {
    const known = to.map((address) => address.toLowerCase());
    return to.filter((address, index) => known.indexOf(address.toLowerCase()) === index);
  },
  render: renderMail,
  classify: classifySmtp,
};

function renderMail({ to, from, server, unsubscribe }: EmailSettings, notice: Notice): OutgoingMail {
  const content = fitted(
    notice,
    (words) => ({ text: textOf(words), html: htmlOf(words, toneOf(notice), notice.picture) }),
    (written) => keepsTo(limits, written),
  );
  const { thread, key, delay, event } = notice;
  // If the opening was never sent, there is no thread to reply to.
  const isReply = key !== thread && delay !== "unannounced";
  const topic = topicOf(notice);
  return {
    transport: "smtp",
    v: 2,
    from,
    to: notice.recipient === undefined ? to : [notice.recipient],
    subject: `[${tagOf(notice)}] ${topic}`,
    ...content,
    messageId: messageId(key, notice, from),
    ...(isReply ? { inReplyTo: messageId(thread, notice, from) } : {}),
    headers: {
      "Auto-Submitted": "auto-generated",
      "X-Auto-Response-Suppress": "All",
      ...(isUrgent(notice) ? { Importance: "High" } : {}),
      "Thread-Topic": topic,
      "Thread-Index": threadIndex(isReply ? thread : key, Date.parse(event.opened_at), isReply ? key : undefined),
      ...(unsubscribe === undefined ? {} : { "List-Unsubscribe": `<${unsubscribe}>` }),
    },
    server: { url: server },
  };
}

/** Returns the prefix of the subject for each state. It is in brackets, which Gmail ignores when it compares subjects. */
function tagOf({ event: { event, status, severity, drill } }: Notice): string {
  if (drill) return status === "resolved" ? "FIRE DRILL, OVER" : "FIRE DRILL";
  if (status !== "open") return status.toUpperCase();
  return event === "escalated" ? "ESCALATED" : severity.toUpperCase();
}

/** Returns whether a mail is urgent enough to wake somebody: a critical incident opens, worsens or escalates. */
function isUrgent({ event: { event, severity, status, drill }, delay }: Notice): boolean {
  const wakes = event === "opened" || event === "severity_raised" || event === "escalated" || event === "regressed";
  return wakes && severity === "critical" && status === "open" && !drill && delay === undefined;
}

/**
 * Returns the subject without its prefix. It must be the same for all mails of an incident, or Gmail breaks the thread, and without
 * brackets, whose content Gmail ignores.
 */
function topicOf({ event, threadTitle }: Notice): string {
  const title = bounded(threadTitle.replaceAll(/[[\]]/g, " "), [], 120).replaceAll(/ {2,}/g, " ");
  return `${title} · ${bounded(event.incident)}`;
}

/**
 * Returns the conversation index by which Outlook and Exchange group mails: 22 bytes for the thread, its time and its id, and 5 bytes more
 * for a reply (MS-OXOMSG, 2.2.1.3).
 * @param openedAt milliseconds since the epoch
 * @param reply the key of the reply; absent for the first mail
 */
function threadIndex(thread: string, openedAt: number, reply: string | undefined): string {
  const fileTime = (BigInt(Number.isNaN(openedAt) ? 0 : openedAt) + 11_644_473_600_000n) * 10_000n;
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(fileTime);
  const hash = (text: string): Buffer => createHash("sha256").update(text).digest();
  const children = reply === undefined ? [] : [hash(reply).subarray(0, 5)];
  return Buffer.concat([time.subarray(0, 6), hash(thread).subarray(0, 16), ...children]).toString("base64");
}

/**
 * Returns the Message-ID derived from a key, with only permitted characters (RFC 5322, 3.6.4): `<incident.event.channel@…>`, at the domain
 * of the sender, with a hash of the recipient after the channel, because different addresses must have different ids.
 */
function messageId(key: string, { event, recipient = "" }: Notice, from: string): string {
  const isOwn = recipient !== "" && key.endsWith(`:${recipient}`);
  const common = isOwn ? key.slice(0, -recipient.length - 1) : key;
  const hash = isOwn ? `.${createHash("sha256").update(recipient).digest("hex").slice(0, 12)}` : "";
  const left = `${common.replaceAll(/[^A-Za-z0-9_-]+/g, ".")}${hash}`;
  const domain = domainOf(from);
  if (domain !== "localhost" && /^[a-z0-9.-]+$/.test(domain)) return `<${left}@${domain}>`;
  return `<${left}@${event.environment.replaceAll(/[^A-Za-z0-9-]+/g, "-")}.pathkeeper>`;
}

/** The parts of a mail in reading order: the facts and the first step above the button, everything else below. */
interface Arrangement {
  readonly first: NoticeText["facts"];
  readonly facts: NoticeText["facts"];
  readonly lists: NoticeText["lists"];
}

/** The facts most urgent for somebody who has just been woken, in this order. */
const leading: readonly string[] = [
  "Root cause",
  "Tell customers",
  "What was tried",
  "Outlook",
  "What we know",
  "Lasted",
  "Lasting for",
];

/** Maximum number of evidence sentences above the button. */
const evidenceAbove = 2;

function arranged({ facts, lists }: NoticeText): Arrangement {
  const itemsOf = (label: string): readonly string[] => lists.find((list) => list.label === label)?.items ?? [];
  const evidence = itemsOf("Evidence").slice(0, evidenceAbove);
  const step = itemsOf("Next steps").slice(0, 1);
  const moved: Readonly<Record<string, number>> = { Evidence: evidence.length, "Next steps": step.length };
  // The summary for engineers already contains the impact.
  const isForEngineers = facts.some(({ label }) => label === "Root cause");
  const above = isForEngineers ? leading : ["Impact", ...leading];
  const first = above.flatMap((label) => facts.filter((fact) => fact.label === label));
  const proofs = evidence.map((value, at) => ({ label: at === 0 ? "Evidence" : "", value }));
  return {
    first: [...first, ...proofs, ...step.map((value) => ({ label: "First step", value }))],
    facts: facts.filter(({ label }) => !above.includes(label)),
    lists: lists
      .map(({ label, items }) => ({
        label: (ownEntry(moved, label) ?? 0) > 0 ? `More ${label.toLowerCase()}` : label,
        items: items.slice(ownEntry(moved, label) ?? 0),
      }))
      .filter(({ items }) => items.length > 0),
  };
}

function textOf(words: NoticeText): string {
  const { state, what, paragraphs, nextSteps, actions, link, linkTitle } = words;
  const { first, facts, lists } = arranged(words);
  const line = ({ label, value }: NoticeText["facts"][number]): string => (label === "" ? value : `${label}: ${value}`);
  const parts = [
    state,
    what,
    ...paragraphs,
    first.map(line).join("\n"),
    [
      ...(link === undefined ? [] : [`${linkTitle}: ${link}`]),
      ...actions.map(({ title, url }) => `${title}: ${url}`),
    ].join("\n"),
    facts.map(line).join("\n"),
    ...lists.map(({ label, items }) => [`${label}:`, ...items.map((item) => `- ${item}`)].join("\n")),
    nextSteps.join("\n"),
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

/** Colours of the bar beside the state, visible on light and dark backgrounds. */
const colors: Readonly<Record<Tone, string>> = {
  critical: "#d93025",
  warning: "#d07a00",
  info: "#1a73e8",
  resolved: "#188038",
};

/**
 * Renders the HTML. Texts have no colours of their own, so that they stay readable in light and dark mode. Styles are inline, because some
 * clients drop the head.
 */
function htmlOf(words: NoticeText, tone: Tone, picture?: Swimlane): string {
  const { state, what, paragraphs, nextSteps, actions, link, linkTitle } = words;
  const { first, facts, lists } = arranged(words);
  const paragraph = (text: string, style: string): string =>
    `<p style="margin:0 0 12px;${style}">${htmlText(text)}</p>`;
  const heading = (text: string): string => `<h2 style="margin:20px 0 6px;font-size:16px">${escapeHtml(text)}</h2>`;
  const fact = ({ label, value }: NoticeText["facts"][number]): string => {
    const name = label === "" ? "" : `<span style="opacity:.75;font-size:14px">${escapeHtml(label)}</span><br>`;
    return `<p style="margin:0 0 10px">${name}${htmlText(value)}</p>`;
  };
  const parts = [
    `<h1 style="margin:0 0 12px;padding:4px 0 4px 12px;border-left:6px solid ${colors[tone]};font-size:16px">${escapeHtml(state)}</h1>`,
    paragraph(what, "font-size:18px;line-height:1.35"),
    ...paragraphs.map((text) => paragraph(text, "")),
    ...first.map(fact),
    buttons([...(link === undefined ? [] : [{ url: link, title: linkTitle }]), ...actions]),
    ...(picture === undefined ? [] : [swimlaneTable(picture)]),
    ...facts.map(fact),
    ...lists.map(
      ({ label, items }) =>
        `${heading(label)}<ul style="margin:0 0 12px;padding-left:20px">${items
          .map((item) => `<li style="margin:0 0 6px">${htmlText(item)}</li>`)
          .join("")}</ul>`,
    ),
    ...nextSteps.map((step, at) =>
      paragraph(
        step,
        `opacity:.8;font-size:14px${at === 0 ? ";border-top:1px solid;margin-top:20px;padding-top:12px" : ""}`,
      ),
    ),
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>${escapeHtml(state)}</title><style>:root{color-scheme:light dark}</style></head>
<body style="margin:0;padding:16px;font:16px/1.45 system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif;overflow-wrap:anywhere">
<main style="max-width:640px">
${parts.join("\n")}
</main>
</body></html>
`;
}

/** Escapes a text, and sets parts between backticks in a monospace font. */
function htmlText(text: string): string {
  return escapeHtml(text).replaceAll(
    /`([^`]+)`/g,
    '<code style="font:.92em ui-monospace,Consolas,monospace">$1</code>',
  );
}

/** Renders links as buttons large enough to tap. */
function buttons(links: readonly { readonly url: string; readonly title: string }[]): string {
  const style =
    "display:inline-block;margin:0 6px 8px 0;padding:11px 18px;border:1px solid;border-radius:8px;color:inherit;font-weight:bold;text-decoration:none";
  if (links.length === 0) return "";
  const all = links.map(({ url, title }) => `<a href="${escapeHtml(url)}" style="${style}">${escapeHtml(title)}</a>`);
  return `<p style="margin:16px 0 20px">${all.join(" ")}</p>`;
}

function addressOf(from: string): string {
  return /<([^<>]*)>$/.exec(from)?.[1] ?? from;
}

function domainOf(from: string): string {
  return addressOf(from).replace(/^.*@/, "").toLowerCase();
}

/** Returns whether a server is on this machine, with an address that is not secret. */
function isOpenLoopback(server: string): boolean {
  return URL.canParse(server) && isLoopback(new URL(server).hostname);
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || host.startsWith("127.");
}

/** Returns whether a server uses a port that Google Cloud blocks for outbound connections. */
function isBlocked(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { hostname, port } = new URL(text);
  return port === "25" && !isLoopback(hostname);
}

function serverMistake(text: string): string | undefined {
  const mistake = /^smtps?:\/\/[^/]/i.test(text) ? urlMistake(text, ["smtp", "smtps"]) : undefined;
  return mistake ?? (isOpenServer(text) ? undefined : "must be smtp://host:port without user and password");
}

function isOpenServer(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  return (protocol === "smtp:" || protocol === "smtps:") && hostname !== "" && username === "" && password === "";
}

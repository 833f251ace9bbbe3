/**
 * `pathkeeper preview`: shows the notifications that every channel would receive for an incident, or writes them to files. Sends nothing and
 * reads no secrets.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Outgoing } from "../../functions/notify/channel.ts";
import { channels as kinds } from "../../functions/notify/channels/index.ts";
import { compose } from "../../functions/notify/plan/compose.ts";
import { insteadOf } from "../../shared/config/file/problems.ts";
import type { Configuration, ConfiguredChannel } from "../../shared/config/model.ts";
import { type Audience, audiences } from "../../shared/config/notification.ts";
import { incidentLinks } from "../../shared/incident-link.ts";
import {
  type IncidentEvent,
  type IncidentEventKind,
  incidentEventKinds,
} from "../../shared/messages/incident-event.ts";
import { type Html, html } from "../../shared/text/html.ts";
import { nearest } from "../../shared/text/nearest.ts";
import { configurationFor } from "../checked-configuration.ts";
import { type Command, defineCommand, WrongUsage } from "../command.ts";
import { configOperand, configOption, namedConfiguration } from "../configuration.ts";
import { incidentDocument, recordedEvent } from "../replay/recorded-event.ts";
import { sampleEvent } from "../sample-event.ts";
import { storeOf, storeOptions } from "../store.ts";
import { counted, type Terminal } from "../terminal/terminal.ts";

/** The command. */
export const preview: Command = defineCommand({
  summary: "Show the notifications that each channel would receive for a sample or real incident, without sending them",
  operand: configOperand,
  options: {
    ...configOption,
    channel: { type: "string", multiple: true, value: "NAME", help: "show this channel only" },
    audience: {
      type: "string",
      multiple: true,
      value: "NAME",
      help: `show the text for this audience: ${audiences.join(", ")}`,
      usual: "the audience of the channel",
    },
    event: { type: "string", multiple: true, value: "NAME", help: "show this event only, such as opened" },
    incident: { type: "string", value: "ID", help: "a real incident, from --project or --data", usual: "a sample" },
    ...storeOptions,
    html: { type: "boolean", default: false, help: "print the HTML of the selected mail" },
    json: { type: "boolean", default: false, help: "print every notification as JSON" },
    out: {
      type: "string",
      value: "DIR",
      help: "also write a file for each notification, and an index.html that contains all of them",
    },
  },
  examples: [
    ["preview --channel ops-email --event opened", "Show the mail about a new incident"],
    [
      "preview --data ./watch --incident 20250916-120900-cloud-sql --out notices",
      "Write all notifications of an incident to files",
    ],
  ],
  async run({ config, ...values }, terminal, operands) {
    if (values.html && values.json) throw new WrongUsage("--html and --json cannot be combined");
    const { file, configuration } = await configurationFor({ ...values, config: namedConfiguration(config, operands) });
    const named = configuration.channels.map(({ name }) => name);
    const wanted = chosen(values.channel, named, "channel", "channels");
    const told = chosen(values.event, incidentEventKinds, "event", "events");
    const readers = values.audience && chosen(values.audience, audiences, "audience", "audiences");
    const eventOf = await eventsOf(values, configuration);
    const previews = configuration.channels
      .filter(({ name }) => wanted.includes(name))
      .flatMap((channel) => told.flatMap((event) => previewsOf(configuration, channel, eventOf(event), readers)));
    if (previews.length === 0) throw new WrongUsage(`${file} has no channels: add one under channels`);
    if (values.json) terminal.print(JSON.stringify(previews.map(asJson), null, 2));
    else if (values.html) terminal.print(theHtml(previews));
    else for (const one of previews) terminal.print(...linesOf(one, terminal), "");
    if (values.out !== undefined) {
      const files = [
        ...previews.flatMap(filesOf),
        { name: "index.html", content: indexOf(configuration.title, previews) },
      ];
      await writeAll(values.out, files);
      terminal.note(`${counted(files.length, "file")} in ${values.out}, index.html shows them all`);
    }
    return 0;
  },
});

/** Writes files into a folder. @throws WrongUsage when they cannot be written there */
async function writeAll(
  folder: string,
  files: readonly { readonly name: string; readonly content: string }[],
): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    for (const { name, content } of files) await writeFile(join(folder, name), content);
  } catch (cause) {
    const { message } = cause as Error;
    throw new WrongUsage(`cannot write into ${folder}: ${message}; choose another folder with --out DIR`, { cause });
  }
}

/** Returns the events of the incident to show: the specified incident, or a sample. */
async function eventsOf(
  values: { incident?: string | undefined; project?: string | undefined; data?: string | undefined },
  configuration: Configuration,
): Promise<(event: IncidentEventKind) => IncidentEvent> {
  const { incident } = values;
  if (incident === undefined) return (event) => sampleEvent(configuration, event);
  const store = await storeOf(values);
  try {
    const document = await incidentDocument(store, incident);
    return (event) => recordedEvent(incident, document, event);
  } finally {
    await store.close();
  }
}

interface Preview {
  readonly channel: ConfiguredChannel;
  readonly audience: Audience;
  readonly event: string;
  /** A sentence where nothing is sent. */
  readonly outgoing: Outgoing | string;
}

function previewsOf(
  configuration: Configuration,
  channel: ConfiguredChannel,
  event: IncidentEvent,
  readers: readonly Audience[] | undefined,
): Preview[] {
  // The address of the deployment is unknown here, so links use this placeholder.
  const project = configuration.googleCloud?.project ?? "your-project";
  const incidentLinksHere = incidentLinks(configuration, { PATHKEEPER_PROJECT: project, ...process.env });
  const circumstances = { configuration, kinds, silences: [], ledger: [], incidentLinks: incidentLinksHere };
  return (readers ?? [channel.audience ?? "engineers"]).map((audience) => ({
    channel,
    audience,
    event: event.event,
    outgoing: compose(event, { ...channel, audience }, circumstances),
  }));
}

/** The names that were asked for, or all. */
function chosen<Name extends string>(
  asked: readonly string[] | undefined,
  all: readonly Name[],
  what: string,
  plural: string,
): readonly Name[] {
  if (asked === undefined) return all;
  return asked.map((name) => {
    const found = all.find((candidate) => candidate === name);
    if (found !== undefined) return found;
    throw new WrongUsage(`unknown ${what} "${name}": ${insteadOf(nearest(name, all), all, plural)}`);
  });
}

function titleOf({ channel, audience, event }: Preview): string {
  return `${channel.name} (${channel.kind.replaceAll("_", " ")}) · ${audience} · ${event}`;
}

function asJson({ channel, audience, event, outgoing }: Preview): object {
  const common = { channel: channel.name, kind: channel.kind, audience, event };
  if (typeof outgoing === "string") return { ...common, not_sent: outgoing };
  return {
    ...common,
    sent: outgoing.transport === "http" ? { ...outgoing, body: JSON.parse(outgoing.body) } : outgoing,
  };
}

/** The HTML of the one mail that is asked for. */
function theHtml(previews: readonly Preview[]): string {
  const mails = previews.flatMap(({ outgoing }) =>
    typeof outgoing !== "string" && outgoing.transport === "smtp" ? [outgoing.html] : [],
  );
  const [mail, ...others] = mails;
  if (mail === undefined) throw new WrongUsage("--html requires a channel of kind email: specify one with --channel");
  if (others.length > 0)
    throw new WrongUsage(`--html prints one mail, and ${mails.length} match: specify one with --channel and --event`);
  return mail.trimEnd();
}

function linesOf(one: Preview, terminal: Terminal): string[] {
  return [terminal.paint("strong", titleOf(one)), ...textOf(one.outgoing).map((line) => `  ${line}`.trimEnd())];
}

function textOf(outgoing: Outgoing | string): string[] {
  if (typeof outgoing === "string") return [`not sent: ${outgoing}`];
  if (outgoing.transport === "smtp") {
    const { from, to, subject, text } = outgoing;
    return [`From: ${from}`, `To: ${to.join(", ")}`, `Subject: ${subject}`, "", ...text.trimEnd().split("\n")];
  }
  if (outgoing.transport === "page") return [`On the page: ${outgoing.news.text}`];
  const { method, url, body } = outgoing;
  const address = url.replace(/^\$\{secret:([\w-]+)\}.*$/, "the address in the secret $1");
  return [`${method} to ${address}`, "", ...JSON.stringify(JSON.parse(body), null, 2).split("\n")];
}

function nameOf({ channel, audience, event }: Preview): string {
  return `${channel.name}.${audience}.${event}`;
}

function filesOf(one: Preview): { name: string; content: string }[] {
  const { outgoing } = one;
  if (typeof outgoing === "string") return [];
  const name = nameOf(one);
  if (outgoing.transport === "http")
    return [{ name: `${name}.json`, content: `${JSON.stringify(JSON.parse(outgoing.body), null, 2)}\n` }];
  if (outgoing.transport === "page") return [{ name: `${name}.txt`, content: `${outgoing.news.text}\n` }];
  return [
    { name: `${name}.html`, content: outgoing.html },
    { name: `${name}.txt`, content: outgoing.text },
  ];
}

/** One page with all of them: mails as they look, everything else as it is sent. */
function indexOf(title: string, previews: readonly Preview[]): string {
  const shown = (one: Preview): Html => {
    const { outgoing } = one;
    const isMail = typeof outgoing !== "string" && outgoing.transport === "smtp";
    return isMail
      ? html`<iframe src="${nameOf(one)}.html" title="${titleOf(one)}" sandbox="" loading="lazy"></iframe>`
      : html`<pre>${textOf(outgoing).join("\n")}</pre>`;
  };
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>${title}: notifications</title>
<style>body { font: 16px/1.5 system-ui, sans-serif; margin: 1rem auto; max-width: 60rem; padding: 0 1rem }
iframe { border: 1px solid gray; width: 100%; height: 40rem } pre { border: 1px solid gray; overflow: auto; padding: 1rem }</style></head>
<body><h1>${title}: notifications</h1>
${previews.map((one) => html`<h2>${titleOf(one)}</h2>${shown(one)}`)}
</body></html>
`.text;
}

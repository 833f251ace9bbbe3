/** `pathkeeper preview`: what every channel would be told of a sample incident, and files to look at. Nothing is sent and no secret is read. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Outgoing } from "../functions/notify/channel.ts";
import { channels as kinds } from "../functions/notify/channels/index.ts";
import { compose } from "../functions/notify/plan.ts";
import type { Configuration, ConfiguredChannel } from "../shared/config/model.ts";
import { type Audience, audiences } from "../shared/config/notification.ts";
import { insteadOf } from "../shared/config/problems.ts";
import { type IncidentEvent, incidentEventKinds } from "../shared/messages/incident-event.ts";
import { nearest } from "../shared/nearest.ts";
import { checkedConfiguration } from "./checked-configuration.ts";
import { type Command, readArguments, WrongUsage } from "./command.ts";
import { configOption } from "./configuration.ts";
import { sampleEvent } from "./sample-event.ts";
import { counted } from "./terminal.ts";

/** The command. */
export const preview: Command = {
  summary: "show what channels would be told of a sample incident, without sending anything",
  usage: "preview [--config FILE] [--channel NAME]... [--audience NAME]... [--event NAME]... [--out DIR]",
  async run(args, terminal) {
    const { values } = readArguments(args, {
      ...configOption,
      channel: { type: "string", multiple: true },
      audience: { type: "string", multiple: true },
      event: { type: "string", multiple: true },
      out: { type: "string" },
    });
    const configuration = await checkedConfiguration(values.config);
    const named = configuration.channels.map(({ name }) => name);
    const wanted = chosen(values.channel, named, "channel", "channels");
    const told = chosen(values.event, incidentEventKinds, "event", "events");
    const readers = values.audience && chosen(values.audience, audiences, "audience", "audiences");
    const previews = configuration.channels
      .filter(({ name }) => wanted.includes(name))
      .flatMap((channel) =>
        told.flatMap((event) => previewsOf(configuration, channel, sampleEvent(configuration, event), readers)),
      );
    if (previews.length === 0) throw new WrongUsage(`${values.config} has no channels: there is nothing to preview`);
    for (const { channel, audience, event, outgoing } of previews) {
      const kind = channel.kind.replaceAll("_", " ");
      terminal.print(terminal.paint("strong", `${channel.name} (${kind}) · ${audience} · ${event}`));
      terminal.print(...linesOf(outgoing).map((line) => `  ${line}`.trimEnd()), "");
    }
    if (values.out !== undefined) {
      const files = previews.flatMap(filesOf);
      await mkdir(values.out, { recursive: true });
      for (const { name, content } of files) await writeFile(join(values.out, name), content);
      terminal.note(`${counted(files.length, "file")} in ${values.out}`);
    }
    return 0;
  },
};

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
  return (readers ?? [channel.audience ?? "engineers"]).map((audience) => ({
    channel,
    audience,
    event: event.event,
    outgoing: compose(event, { ...channel, audience }, undefined, { configuration, kinds, silences: [], ledger: [] }),
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

function linesOf(outgoing: Outgoing | string): string[] {
  if (typeof outgoing === "string") return [`not sent: ${outgoing}`];
  if (outgoing.transport === "smtp") {
    const { from, to, subject, text } = outgoing;
    return [`From: ${from}`, `To: ${to.join(", ")}`, `Subject: ${subject}`, "", ...text.trimEnd().split("\n")];
  }
  if (outgoing.transport === "page") return [`On the page: ${outgoing.news.text}`];
  const { method, url, body } = outgoing;
  const address = typeof url === "string" ? url : `the address in the secret ${url.secret}`;
  return [`${method} to ${address}`, "", ...JSON.stringify(JSON.parse(body), null, 2).split("\n")];
}

function filesOf({ channel, audience, event, outgoing }: Preview): { name: string; content: string }[] {
  if (typeof outgoing === "string") return [];
  const name = `${channel.name}.${audience}.${event}`;
  if (outgoing.transport === "http")
    return [{ name: `${name}.json`, content: `${JSON.stringify(JSON.parse(outgoing.body), null, 2)}\n` }];
  if (outgoing.transport === "page") return [{ name: `${name}.txt`, content: `${outgoing.news.text}\n` }];
  return [
    { name: `${name}.html`, content: outgoing.html },
    { name: `${name}.txt`, content: outgoing.text },
  ];
}

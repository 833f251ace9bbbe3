/** The mail inbox: an SMTP server that keeps every mail as an `.eml` file, which any mail program opens. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, readdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { type ParsedMail, simpleParser } from "mailparser";
import { SMTPServer, type SMTPServerDataStream } from "smtp-server";
import type { Inbox, InboxOptions, Received } from "./inbox.ts";

/** Starts the inbox at `smtp://127.0.0.1:<port>`. What a mail tells stands in its `Message-ID`: `<incident.event.channel.recipient@…>`. */
export async function startMailInbox({ directory, port = 0, onReceive }: InboxOptions): Promise<Inbox> {
  await mkdir(directory, { recursive: true });
  const kept = await readKept(directory);
  const ids = new Set(kept.map(({ id }) => id));
  let repeated = 0;

  const accept = async (stream: SMTPServerDataStream): Promise<void> => {
    const source = await buffer(stream);
    if (stream.sizeExceeded) throw new Error("the mail is too large");
    const mail = await simpleParser(source);
    const received = receivedOf(mail, Date.now(), source);
    if (ids.has(received.id)) {
      repeated += 1;
      return;
    }
    ids.add(received.id);
    try {
      await keep(directory, received, source);
    } catch (error) {
      ids.delete(received.id);
      throw error;
    }
    kept.push(received);
    onReceive?.(received);
  };

  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["AUTH", "STARTTLS"],
    disableReverseLookup: true,
    size: 1024 * 1024,
    closeTimeout: 100,
    onData: (stream, _session, done) => {
      accept(stream).then(
        () => done(),
        (error: Error) => done(error),
      );
    },
  });
  // A client that breaks off its connection is no failure of the inbox.
  server.on("error", () => {});
  server.listen(port, "127.0.0.1");
  await once(server.server, "listening");
  return {
    port: (server.server.address() as AddressInfo).port,
    received: () => kept,
    repeated: () => repeated,
    stop: () => new Promise((resolve) => server.close(resolve)),
  };
}

/** The name sorts by arrival and is one for one id; the file appears whole or not at all. */
async function keep(directory: string, received: Received, source: Buffer): Promise<void> {
  const instant = new Date(received.at).toISOString().replaceAll(/[:.]/g, "-");
  const file = join(directory, `${instant}-${digest(received.id).slice(0, 12)}.eml`);
  await writeFile(`${file}.part`, source);
  await rename(`${file}.part`, file);
}

async function readKept(directory: string): Promise<Received[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith(".eml")).sort();
  return Promise.all(
    names.map(async (name) => {
      const file = join(directory, name);
      const source = await readFile(file);
      return receivedOf(await simpleParser(source), (await stat(file)).mtimeMs, source);
    }),
  );
}

function receivedOf(mail: ParsedMail, at: number, source: Buffer): Received {
  const id = mail.messageId ?? digest(source);
  // The event carries a number from its second occurrence on: `reminder-2`.
  const told = /^<?(?<incident>[\w-]+)\.(?<event>\w+)(?:-\d+)?\.(?<channel>[\w-]+)(?:\.\w+)?@/.exec(id)?.groups;
  return {
    at,
    channel: told?.["channel"] ?? "email",
    recipient: [mail.to ?? []]
      .flat()
      .map(({ text }) => text)
      .join(", "),
    incident: told?.["incident"] ?? "",
    event: told?.["event"] ?? "",
    id,
  };
}

function digest(content: string | Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}

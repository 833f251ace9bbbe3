import { simpleParser } from "mailparser";
import MailComposer from "nodemailer/lib/mail-composer/index.js";
import { expect, it } from "vitest";
import { incidentEventKinds } from "../../../shared/messages/incident-event.ts";
import type { OutgoingMail } from "../channel.ts";
import { incidentEvent, noticeOf } from "../fixtures.ts";
import { email } from "./email.ts";

const incidents = ["20250916-120000-vpc-connector", "20250917-080000-vpc-connector", "20250917-080000-backend"];

/** Returns the headers used for threading, as parsed from the mail. */
async function arrived(incident: string, event: (typeof incidentEventKinds)[number], at: number) {
  const settings = email.settings.parse({ to: ["infra@example.com"] });
  const notice = noticeOf(incidentEvent({ incident, event, sequence: at + 1, title: "[Netra] VPC connector failing" }));
  const { inReplyTo, ...mail } = email.render(settings, notice) as OutgoingMail;
  const reply = inReplyTo === undefined ? {} : { inReplyTo, references: [inReplyTo] };
  const { from, to, subject, text, html, messageId, headers } = mail;
  const source = await new MailComposer({ from, to: [...to], subject, text, html, messageId, headers, ...reply })
    .compile()
    .build();
  const parsed = await simpleParser(source);
  return {
    incident,
    id: parsed.messageId ?? "",
    references: [parsed.references ?? []].flat(),
    subject: parsed.subject,
  };
}

type Arrived = Awaited<ReturnType<typeof arrived>>;

/** Groups mails by References alone, in any order of arrival and with unknown ids included. https://www.jwz.org/doc/threading.html */
function threadsOf(mails: readonly Arrived[]): Arrived[][] {
  const parents = new Map<string, string>();
  const root = (id: string): string => {
    const parent = parents.get(id);
    return parent === undefined ? id : root(parent);
  };
  for (const { id, references } of mails)
    for (const [at, child] of [...references, id].entries()) {
      const parent = [...references, id][at - 1];
      if (parent !== undefined && !parents.has(child) && root(parent) !== child) parents.set(child, parent);
    }
  return [...Map.groupBy(mails, ({ id }) => root(id)).values()];
}

it.each([
  ["in order", (mails: Arrived[]) => mails],
  ["backwards", (mails: Arrived[]) => mails.toReversed()],
  ["without the first of each incident", (mails: Arrived[]) => mails.filter(({ references }) => references.length > 0)],
])("puts each incident into its own thread, with mails %s", async (_, arrange) => {
  const mails = await Promise.all(
    incidents.flatMap((incident) => incidentEventKinds.map((event, at) => arrived(incident, event, at))),
  );
  const threads = threadsOf(arrange(mails));
  expect(threads.map((thread) => new Set(thread.map(({ incident }) => incident)).size)).toEqual([1, 1, 1]);
  // Gmail also compares subjects, and ignores text in brackets.
  const subjects = threads.map((thread) => new Set(thread.map(({ subject }) => subject?.replaceAll(/\[.*?\]/g, ""))));
  expect(subjects.map(({ size }) => size)).toEqual([1, 1, 1]);
  expect(new Set(subjects.flatMap((all) => [...all])).size).toBe(3);
  expect(new Set(mails.map(({ id }) => id)).size).toBe(mails.length);
});

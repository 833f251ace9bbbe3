/**
 * Compares the mails about incidents that readers received, in order, with the state of the incident at each instant. Returns each
 * contradiction with the incident or with an earlier mail, in sentences. It uses only the mails and the documents.
 */
import type { Played, PlayedIncident } from "../../cli/scenario/play.ts";
import type { OutgoingMail } from "../../functions/notify/channel.ts";
import type { Delivery } from "../../functions/notify/deliver/ledger.ts";
import { readPayload } from "../../functions/notify/deliver/payload.ts";
import { readerName } from "../../shared/documents/delivery-summary.ts";
import type { Fields } from "../../shared/ports.ts";

/** A mail that arrived, and the incident at that time. */
interface ReceivedMail {
  readonly delivery: Delivery;
  readonly mail: OutgoingMail;
  readonly incident: Fields;
}

/** Returns everything that contradicts an incident, or an earlier mail to the same reader. */
export function contradictions({ deliveries, incidents }: Played): string[] {
  return incidents.flatMap((incident) => {
    const own = deliveries.filter((delivery) => delivery.incident === incident.id);
    return [...Map.groupBy(own, readerName).values()].flatMap((deliveries) =>
      ofReader(mailsTo(deliveries, incident), incident),
    );
  });
}

/** Returns the number of mails about an incident that each reader received before its end. */
export function noticesBeforeTheEnd({ deliveries, incidents }: Played): number[] {
  return incidents.flatMap(({ id }) => {
    const mails = deliveries.filter(
      ({ incident, status, kind, event }) =>
        incident === id && status === "delivered" && kind === "email" && event !== "resolved",
    );
    return [...Map.groupBy(mails, readerName).values()].map(({ length }) => length);
  });
}

function mailsTo(deliveries: readonly Delivery[], { versions }: PlayedIncident): ReceivedMail[] {
  return deliveries
    .flatMap((delivery): ReceivedMail[] => {
      const mail = readPayload(delivery.payload);
      const at = delivery.delivered_at?.getTime();
      if (at === undefined || mail?.transport !== "smtp") return [];
      const incident = versions.findLast((version) => version.at <= at)?.fields ?? {};
      return [{ delivery, mail, incident }];
    })
    .sort((a, b) => (a.delivery.delivered_at?.getTime() ?? 0) - (b.delivery.delivered_at?.getTime() ?? 0));
}

function ofReader(received: readonly ReceivedMail[], { id, fields }: PlayedIncident): string[] {
  const wrong = received.flatMap((one, at) => [...ofMail(one), ...ofPair(received[at - 1], one)]);
  const last = received.at(-1);
  if (last !== undefined && fields["status"] === "resolved" && !isEnd(last))
    wrong.push(`${last.delivery.channel} goes on believing that ${id} is not over`);
  return wrong;
}

/** Compares a mail with the incident at the instant at which it arrived. */
function ofMail({ delivery, mail, incident }: ReceivedMail): string[] {
  const { text, subject } = mail;
  const { channel, event } = delivery;
  const { status, severity, impact } = incident;
  const about = `${event} of ${delivery.incident} to ${channel}`;
  const isOver = status === "resolved";
  const isRecovering = status === "recovering";
  const isTaken = status === "acknowledged" || status === "recovering";
  const checks: readonly (readonly [boolean, string])[] = [
    [isOver !== /^(RESOLVED|FIRE DRILL, over)/.test(text), `says ${text.split("\n")[0]}, and it is ${status}`],
    [
      !subject.startsWith("[") || isOver !== /^\[(RESOLVED|FIRE DRILL, OVER)\]/.test(subject),
      `has the subject ${subject}`,
    ],
    [!text.split("\n")[0]?.includes(String(severity)), `says another severity than ${severity}`],
    [isOver && String(impact) !== "" && text.includes(String(impact)), "says an impact that is over"],
    [isOver && /^(Next steps|First step|Evidence|Outlook)/m.test(text), "says what is to be done about what is over"],
    [isTaken && /nobody has (taken|acknowledged)/i.test(text), "says that nobody has acknowledged it"],
    [!isTaken && /We are working on it|we are looking into it/.test(text), "says that somebody works on it"],
    [/\b\d{2}:\d{2}:\d{2}\b/.test(text), "says seconds"],
    [isRecovering && /ha(s|ve) been failing|^(Next steps|First step|Impact)/m.test(text), "says that it still fails"],
    ...repeatedSentences(text).map((sentence) => [true, `says twice: ${sentence}`] as const),
  ];
  return checks.flatMap(([isWrong, what]) => (isWrong ? [`${about} ${what}`] : []));
}

/** Returns the sentences that occur twice in a text. All sentences about the duration count as one. */
function repeatedSentences(text: string): string[] {
  const sentences = text
    .split(/\n+|(?<=[.!?]) +/)
    .map((sentence) => sentence.replace(/^(- )?(Why\? )?(It lasted|Lasted:) .*$/, "It lasted …").trim())
    .filter((sentence) => sentence.length > 8);
  return sentences.filter((sentence, at) => sentences.indexOf(sentence) !== at);
}

/** Compares a mail with the previous one. */
function ofPair(before: ReceivedMail | undefined, { delivery, mail }: ReceivedMail): string[] {
  const about = `${delivery.event} of ${delivery.incident} to ${delivery.channel}`;
  const isNew = /^NEW INCIDENT/.test(mail.text);
  if (before === undefined) return [];
  return [
    ...(isNew ? [`${about} is called new, and was known`] : []),
    ...(isEnd(before) && !/^(OPEN AGAIN|RESOLVED)/.test(mail.text)
      ? [`${about} follows an all-clear without a relapse`]
      : []),
  ];
}

function isEnd({ mail }: ReceivedMail): boolean {
  return /^(RESOLVED|FIRE DRILL, over)/.test(mail.text);
}

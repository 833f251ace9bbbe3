/** The text of every notice for people, in plain words and in one order, whatever the format of the channel. */
import type { Audience } from "../../../shared/config/notification.ts";
import type { TemplateTexts } from "../../../shared/config/templates.ts";
import { fillMarks, marksOf } from "../../../shared/text/placeholders.ts";
import { bounded } from "../../../shared/text/redact.ts";
import type { TemplateField } from "../../../shared/text/template-fields.ts";
import type { Notice, NoticeAction } from "../channel.ts";
import {
  fieldsOf,
  fold,
  isBad,
  isPlain,
  shorten,
  type TextBudget,
  verdictOf,
  withoutSeconds,
} from "./notice-fields.ts";

export type { TextBudget } from "./notice-fields.ts";

/** A notice as text: every part bounded, on one line each, and not yet escaped for any format. */
export interface NoticeText {
  /** State of the incident; always comes first. */
  readonly state: string;
  readonly what: string;
  /** Text from the template, and what changed with this event, unless already included. */
  readonly paragraphs: readonly string[];
  readonly facts: readonly { readonly label: string; readonly value: string }[];
  readonly lists: readonly { readonly label: string; readonly items: readonly string[] }[];
  readonly nextSteps: readonly string[];
  /** Actions available to the reader, each with its URL. Never shortened. */
  readonly actions: readonly NoticeAction[];
  /** URL of the incident; absent if unknown. Never shortened. */
  readonly link?: string;
  /** Title of the link. */
  readonly linkTitle: string;
}

/** Titles of links to the incident and to a status page. */
export const linkTitle = "Open the incident";
const pageLinkTitle = "Open the status page";

/** Budget of a notice without tighter limits. */
export const fullBudget: TextBudget = { sentences: 12, characters: 600 };

/** Returns the text of a notice. Pure. */
export function wording(notice: Notice, budget: TextBudget = fullBudget): NoticeText {
  const fields = fieldsOf(notice, budget);
  const standard = isPlain(notice) ? plainWording(notice, fields, budget) : engineersWording(notice, fields, budget);
  return withTemplate(standard, notice, fields, budget);
}

/** Returns the subject of an incident, which its first notice fixes: from the template, or else its title. */
export function subjectOf(notice: Notice): string {
  const { subject } = notice.template ?? {};
  return subject === undefined ? notice.event.title : filled(subject, notice, fieldsOf(notice, fullBudget), fullBudget);
}

type Fields = Readonly<Record<TemplateField, string>>;

function engineersWording(notice: Notice, fields: Fields, budget: TextBudget): NoticeText {
  const { event } = notice;
  const isOver = event.status === "resolved";
  const change = event.event === "opened" ? "" : withoutSeconds(bounded(event.change, [], budget.characters));
  // The duration is shown separately, and the state is already included.
  const isRedundant = (sentence: string): boolean => isOver && /^(Resolved\.$|It lasted )/.test(sentence);
  const news = sentencesNotIn(change, fields.what)
    .filter((sentence) => !isRedundant(sentence))
    .join(" ");
  const impact = sentencesNotIn(fields.impact, fields.what).join(" ") || fields.impact;
  const sure =
    fields.cause === "" || isOver || event.confidence === 1 ? "" : ` (${Math.round(event.confidence * 100)}% sure)`;
  // On a phone, nobody reads past a dozen evidence sentences.
  const lists = [
    { label: "Next steps", items: shorten(event.next_steps ?? [], budget) },
    { label: "Evidence", items: shorten(evidenceOf(notice), budget) },
    // For the monitor itself, the sentence says everything.
    { label: "Why", items: event.verdict === "monitor" ? [] : shorten(event.whys, budget) },
  ];
  return {
    state: stateLine(fields),
    what: fields.what,
    paragraphs: news === "" ? [] : [news],
    facts: factsOf([
      ["Impact", impact],
      ["Root cause", fields.cause === "" ? (isOver ? "not found" : "not known yet") : `${fields.cause}${sure}`],
      ["Preceding change", isOver ? "" : withoutSeconds(bounded(event.suspected_change ?? "", [], budget.characters))],
      ["Responsible layer", isOver ? "" : verdictOf[event.verdict]],
      ["Owner", fields.team],
      [isOver ? "Was affected" : "Affected", fields.components],
      ["Alerts", isBad(event) ? fields.alerts : ""],
      ["Since", fields.since],
      ["Resolved", fields.resolved],
      ...lastedOf(notice, fields),
      ["Incident", fields.incident],
    ]),
    // Past symptoms and steps no longer apply; the incident has them.
    lists: isBad(event) ? lists.filter(({ items }) => items.length > 0) : [],
    nextSteps: nextStepsOf(notice),
    ...linksOf(notice),
  };
}

/** Returns the sentences of a text that another text does not already contain. */
function sentencesNotIn(text: string, said: string): string[] {
  return text.split(/(?<=[.!?]) +/).filter((sentence) => sentence !== "" && !said.includes(sentence));
}

/** Returns the evidence without the name of the cause before each sentence, because the cause is shown beside it. */
function evidenceOf({ event, rootCause }: Notice): string[] {
  const [pro, contra] = ["For", "Against"].map((side) => `${side} ${rootCause.title}: `) as [string, string];
  return event.evidence.map((sentence) => {
    if (sentence.startsWith(pro)) return sentence.slice(pro.length);
    return sentence.startsWith(contra) ? `Against it: ${sentence.slice(contra.length)}` : sentence;
  });
}

/** Returns the duration, if it is relevant and not already included. */
function lastedOf({ event }: Notice, { lasted, what }: Fields): (readonly [label: string, value: string])[] {
  if (event.status === "resolved") return what.includes(lasted) ? [] : [["Lasted", lasted]];
  return event.event === "status_update" ? [["Lasting for", lasted]] : [];
}

/** Returns the recent attempts at a fix, for daily updates. */
function triedOf({ tried }: Notice["event"], budget: TextBudget): (readonly [label: string, value: string])[] {
  if (tried === undefined) return [];
  const notes = withoutSeconds(bounded(tried.join(" "), [], budget.characters));
  return [["What was tried", notes === "" ? "Nothing new has been noted since the last update." : notes]];
}

/** Returns impact, outlook and the text for customers, without technical details. */
function plainWording(notice: Notice, fields: Fields, budget: TextBudget): NoticeText {
  const { event, audience } = notice;
  const isOver = event.status === "resolved";
  const unknown = isOver ? "The cause was not found." : "The cause is not known yet.";
  const known = isOver ? `The cause was ${fields.cause}.` : `The likely cause is ${fields.cause}.`;
  const customers = forCustomers(audience) ? fields.customers : "";
  return {
    state: stateLine(fields),
    what: fields.what,
    paragraphs: [],
    facts: factsOf([
      ["Impact", fields.impact],
      ...triedOf(event, budget),
      ["Outlook", isOver ? "" : fields.outlook],
      ["What we know", fields.cause === "" ? unknown : known],
      ["Owner", fields.team],
      ["Tell customers", customers],
      ["Since", customers.includes(fields.since) ? "" : fields.since],
      ["Resolved", fields.resolved],
      ...lastedOf(notice, fields),
      ["Incident", fields.incident],
    ]),
    lists: [],
    nextSteps: [],
    ...linksOf(notice),
  };
}

/** Returns the standard text with the parts that a template replaces. Replaced content that the template does not include becomes a fact. */
function withTemplate(standard: NoticeText, notice: Notice, fields: Fields, budget: TextBudget): NoticeText {
  const { title, lead, body }: TemplateTexts = notice.template ?? {};
  if (title === undefined && lead === undefined && body === undefined) return standard;
  const isOmitted = (text: string | undefined, field: TemplateField): boolean =>
    text !== undefined && ![title, lead, body].some((part) => marksOf(part ?? "").some(({ name }) => name === field));
  const own = (body ?? "").split("\n").map((line) => filled(line, notice, fields, budget));
  return {
    ...standard,
    state: title === undefined ? standard.state : filled(title, notice, fields, budget),
    what: lead === undefined ? standard.what : filled(lead, notice, fields, budget),
    paragraphs: [
      ...fold(
        own.filter((line) => line !== ""),
        budget,
      ),
      ...standard.paragraphs,
    ],
    facts: [
      ...factsOf([
        ["State", isOmitted(title, "state") || isOmitted(title, "severity") ? standard.state : ""],
        ["What", isOmitted(lead, "what") ? standard.what : ""],
      ]),
      ...standard.facts,
    ],
  };
}

/** Fills the fields into a template text, on one line. */
function filled(text: string, notice: Notice, fields: Fields, budget: TextBudget): string {
  const said = fillMarks(text, (name) => {
    const field = name as TemplateField;
    return fields[field] || (nothingToSay(field, notice) ?? "");
  });
  // The budget does not include the words of the template itself.
  return bounded(said, [], text.length + budget.characters);
}

/** Returns the text for a field without content. */
function nothingToSay(field: TemplateField, { event }: Notice): string | undefined {
  const isOver = event.status === "resolved";
  switch (field) {
    case "impact":
      return isBad(event) ? "not known yet" : "none";
    case "cause":
      return isOver ? "a cause that was not found" : "a cause that is not known yet";
    case "team":
      return "nobody in particular";
    case "resolved":
      return "not yet";
    case "link":
      return "the console";
    default:
      return undefined;
  }
}

function stateLine({ state, severity, priority, environment }: Fields): string {
  return `${state} · ${severity} ${priority} · ${environment}`;
}

function factsOf(rows: readonly (readonly [label: string, value: string])[]): NoticeText["facts"] {
  return rows.filter(([, value]) => value !== "").map(([label, value]) => ({ label, value }));
}

function linksOf({ url, isPublicUrl, actions = [] }: Notice): Pick<NoticeText, "actions" | "link" | "linkTitle"> {
  const common = { actions, linkTitle: isPublicUrl ? pageLinkTitle : linkTitle };
  return url === undefined ? common : { link: url, ...common };
}

function forCustomers(audience: Audience | undefined): boolean {
  return audience === "sales" || audience === "support";
}

function nextStepsOf({ event, actions = [] }: Notice): string[] {
  const id = bounded(event.incident);
  const find = `Full record: the document ${id} in the Firestore collection incidents.`;
  if (event.status === "resolved" || actions.length > 0) return [find];
  if (event.status !== "open") return [find, "To resolve it by hand, set status to resolved there."];
  return [find, "To acknowledge it, set status to acknowledged there. To mute it, set silenced_until."];
}

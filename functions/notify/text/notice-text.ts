/** What every notice for people says, in plain words and in one order, whatever the channel makes of it. */
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

/** A notice as text: every part bounded, in one line each, and not yet escaped for any format. */
export interface NoticeText {
  /** The state in which the incident is: the first thing to read. */
  readonly state: string;
  readonly what: string;
  /** What the template adds, and what changed with this event, where that is not said already. */
  readonly paragraphs: readonly string[];
  readonly facts: readonly { readonly label: string; readonly value: string }[];
  readonly lists: readonly { readonly label: string; readonly items: readonly string[] }[];
  readonly nextSteps: readonly string[];
  /** What the reader can do, each with its address. Never shortened. */
  readonly actions: readonly NoticeAction[];
  /** Where people find the incident; absent where that is not known. Never shortened. */
  readonly link?: string;
  /** What the link is called. */
  readonly linkTitle: string;
}

/** What the link of a notice is called that leads to the incident, and one that leads to a status page. */
export const linkTitle = "Open the incident";
const pageLinkTitle = "Open the status page";

/** The room of a notice where nothing asks for less. */
export const fullBudget: TextBudget = { sentences: 12, characters: 600 };

/** Words of a notice. Pure. */
export function wording(notice: Notice, budget: TextBudget = fullBudget): NoticeText {
  const fields = fieldsOf(notice, budget);
  const standard = isPlain(notice) ? plainWording(notice, fields, budget) : engineersWording(notice, fields, budget);
  return inOwnWords(standard, notice, fields, budget);
}

/** What an incident is called from the first notice on: as the template has it, or else by its title. */
export function subjectOf(notice: Notice): string {
  const { subject } = notice.template ?? {};
  return subject === undefined ? notice.event.title : filled(subject, notice, fieldsOf(notice, fullBudget), fullBudget);
}

type Fields = Readonly<Record<TemplateField, string>>;

function engineersWording(notice: Notice, fields: Fields, budget: TextBudget): NoticeText {
  const { event } = notice;
  const isOver = event.status === "resolved";
  const change = event.event === "opened" ? "" : withoutSeconds(bounded(event.change, [], budget.characters));
  // How long it lasted has a place of its own, and the state is said.
  const isSaid = (sentence: string): boolean => isOver && /^(Resolved\.$|It lasted )/.test(sentence);
  const news = unsaid(change, fields.what)
    .filter((sentence) => !isSaid(sentence))
    .join(" ");
  const impact = unsaid(fields.impact, fields.what).join(" ") || fields.impact;
  const sure =
    fields.cause === "" || isOver || event.confidence === 1 ? "" : ` (${Math.round(event.confidence * 100)}% sure)`;
  // On a phone, what comes after a dozen sentences of evidence is not read.
  const lists = [
    { label: "Next steps", items: shorten(event.next_steps ?? [], budget) },
    { label: "Evidence", items: shorten(evidenceOf(notice), budget) },
    // Of the monitor itself, the sentence says all of it.
    { label: "Why", items: event.verdict === "monitor" ? [] : shorten(event.whys, budget) },
  ];
  return {
    state: stateLine(fields),
    what: fields.what,
    paragraphs: news === "" ? [] : [news],
    facts: factsOf([
      ["Impact", impact],
      ["Root cause", fields.cause === "" ? (isOver ? "not found" : "not known yet") : `${fields.cause}${sure}`],
      ["Changed before", isOver ? "" : withoutSeconds(bounded(event.suspected_change ?? "", [], budget.characters))],
      ["Responsible layer", isOver ? "" : verdictOf[event.verdict]],
      ["Owner", fields.team],
      [isOver ? "Was affected" : "Affected", fields.components],
      ["Alerts", isBad(event) ? fields.alerts : ""],
      ["Since", fields.since],
      ["Resolved", fields.resolved],
      ...lastedOf(notice, fields),
      ["Incident", fields.incident],
    ]),
    // What was true and what was to be done while it failed is in the incident: nothing of it is so any more.
    lists: isBad(event) ? lists.filter(({ items }) => items.length > 0) : [],
    nextSteps: nextStepsOf(notice),
    ...linksOf(notice),
  };
}

/** The sentences of a text that another text does not say already. */
function unsaid(text: string, said: string): string[] {
  return text.split(/(?<=[.!?]) +/).filter((sentence) => sentence !== "" && !said.includes(sentence));
}

/** The evidence, where the cause stands beside it: without its name before each sentence. */
function evidenceOf({ event, rootCause }: Notice): string[] {
  const [pro, contra] = ["For", "Against"].map((side) => `${side} ${rootCause.title}: `) as [string, string];
  return event.evidence.map((sentence) => {
    if (sentence.startsWith(pro)) return sentence.slice(pro.length);
    return sentence.startsWith(contra) ? `Against it: ${sentence.slice(contra.length)}` : sentence;
  });
}

/** How long it has lasted, where that is news and not said already. */
function lastedOf({ event }: Notice, { lasted, what }: Fields): (readonly [label: string, value: string])[] {
  if (event.status === "resolved") return what.includes(lasted) ? [] : [["Lasted", lasted]];
  return event.event === "status_update" ? [["Lasting for", lasted]] : [];
}

/** What was tried lately, where a daily update says so. */
function triedOf({ tried }: Notice["event"], budget: TextBudget): (readonly [label: string, value: string])[] {
  if (tried === undefined) return [];
  const notes = withoutSeconds(bounded(tried.join(" "), [], budget.characters));
  return [["What was tried", notes === "" ? "Nothing new has been noted since the last update." : notes]];
}

/** Impact and outlook, and what customers may be told: nothing that only those who mend it understand. */
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

/** The standard wording with the words of a template in their places. What they replace and do not say themselves becomes a fact. */
function inOwnWords(standard: NoticeText, notice: Notice, fields: Fields, budget: TextBudget): NoticeText {
  const { title, lead, body }: TemplateTexts = notice.template ?? {};
  if (title === undefined && lead === undefined && body === undefined) return standard;
  const isUnsaid = (text: string | undefined, field: TemplateField): boolean =>
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
        ["State", isUnsaid(title, "state") || isUnsaid(title, "severity") ? standard.state : ""],
        ["What", isUnsaid(lead, "what") ? standard.what : ""],
      ]),
      ...standard.facts,
    ],
  };
}

/** A text of a template with its fields, on one line. */
function filled(text: string, notice: Notice, fields: Fields, budget: TextBudget): string {
  const said = fillMarks(text, (name) => {
    const field = name as TemplateField;
    return fields[field] || (nothingToSay(field, notice) ?? "");
  });
  // The words of the template itself have their room besides.
  return bounded(said, [], text.length + budget.characters);
}

/** What a field says that has nothing to say. */
function nothingToSay(field: TemplateField, { event }: Notice): string | undefined {
  const isOver = event.status === "resolved";
  switch (field) {
    case "impact":
      return isBad(event) ? "not known yet" : "none any more";
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

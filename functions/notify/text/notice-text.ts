/** What every notice for people says, in plain words and in one order, whatever the channel makes of it. */
import type { Audience } from "../../../shared/config/notification.ts";
import type { TemplateTexts } from "../../../shared/config/templates.ts";
import { fillMarks, marksOf } from "../../../shared/text/placeholders.ts";
import { bounded } from "../../../shared/text/redact.ts";
import type { TemplateField } from "../../../shared/text/template-fields.ts";
import type { Notice } from "../channel.ts";
import { fieldsOf, fold, isPlain, shorten, type TextBudget, verdictOf, withoutSeconds } from "./notice-fields.ts";

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
  const standard = isPlain(notice) ? plainWording(notice, fields) : engineersWording(notice, fields, budget);
  return inOwnWords(standard, notice.template ?? {}, fields, budget);
}

/** What an incident is called from the first notice on: as the template has it, or else by its title. */
export function subjectOf(notice: Notice): string {
  const { subject } = notice.template ?? {};
  return subject === undefined ? notice.event.title : filled(subject, fieldsOf(notice, fullBudget), fullBudget);
}

type Fields = Readonly<Record<TemplateField, string>>;

function engineersWording(notice: Notice, fields: Fields, budget: TextBudget): NoticeText {
  const { event } = notice;
  const isOver = event.status === "resolved";
  const change = withoutSeconds(bounded(event.change, [], budget.characters));
  const isNews = change !== "" && change !== fields.what && event.event !== "opened";
  const sure = fields.cause === "" || isOver ? "" : ` (${Math.round(event.confidence * 100)} % sure)`;
  const lists = [
    // On a phone, what comes after a dozen sentences of evidence is not read.
    { label: "Next steps", items: shorten(event.next_steps ?? [], budget) },
    { label: "Evidence", items: shorten(event.evidence, budget) },
    { label: "Why", items: shorten(event.whys, budget) },
  ];
  return {
    state: stateLine(fields),
    what: fields.what,
    paragraphs: isNews ? [change] : [],
    facts: factsOf([
      ["Impact", fields.impact],
      ["Root cause", fields.cause === "" ? "not known yet" : `${fields.cause}${sure}`],
      ["Changed before", isOver ? "" : withoutSeconds(bounded(event.suspected_change ?? "", [], budget.characters))],
      ["Responsible layer", isOver ? "" : verdictOf[event.verdict]],
      ["Owner", fields.team],
      [isOver ? "Was affected" : "Affected", fields.components],
      ["Alerts", isOver ? "" : fields.alerts],
      ["Since", fields.since],
      ["Resolved", fields.resolved],
      [isOver ? "Lasted" : "Lasting for", isOver || event.event === "status_update" ? fields.lasted : ""],
      ["Incident", fields.incident],
    ]),
    // What was true and what was to be done while it lasted is in the incident: nothing of it is so any more.
    lists: isOver ? [] : lists.filter(({ items }) => items.length > 0),
    nextSteps: nextStepsOf(notice),
    ...linkOf(notice),
  };
}

/** Impact and outlook, and what customers may be told: nothing that only those who mend it understand. */
function plainWording(notice: Notice, fields: Fields): NoticeText {
  const { event, audience } = notice;
  const isOver = event.status === "resolved";
  const unknown = isOver ? "The cause is not known." : "The cause is not known yet.";
  return {
    state: stateLine(fields),
    what: fields.what,
    paragraphs: [],
    facts: factsOf([
      ["Impact", fields.impact],
      ["Outlook", isOver ? "" : fields.outlook],
      ["What we know", fields.cause === "" ? unknown : `It ${isOver ? "came" : "comes"} from ${fields.cause}.`],
      ["Owner", fields.team],
      ["Tell customers", forCustomers(audience) ? fields.customers : ""],
      ["Since", fields.since],
      ["Resolved", fields.resolved],
      [isOver ? "Lasted" : "Lasting for", isOver || event.event === "status_update" ? fields.lasted : ""],
      ["Incident", fields.incident],
    ]),
    lists: [],
    nextSteps: [],
    ...linkOf(notice),
  };
}

/** The standard wording with the words of a template in their places. What they replace and do not say themselves becomes a fact. */
function inOwnWords(standard: NoticeText, template: TemplateTexts, fields: Fields, budget: TextBudget): NoticeText {
  const { title, lead, body } = template;
  if (title === undefined && lead === undefined && body === undefined) return standard;
  const isUnsaid = (text: string | undefined, field: TemplateField): boolean =>
    text !== undefined && ![title, lead, body].some((part) => marksOf(part ?? "").some(({ name }) => name === field));
  const own = (body ?? "").split("\n").map((line) => filled(line, fields, budget));
  return {
    ...standard,
    state: title === undefined ? standard.state : filled(title, fields, budget),
    what: lead === undefined ? standard.what : filled(lead, fields, budget),
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
function filled(text: string, fields: Fields, budget: TextBudget): string {
  const said = fillMarks(text, (name) => {
    const field = name as TemplateField;
    return fields[field] || (unsaid[field] ?? "");
  });
  // The words of the template itself have their room besides.
  return bounded(said, [], text.length + budget.characters);
}

/** What a field says that has nothing to say yet. */
const unsaid: Readonly<Partial<Record<TemplateField, string>>> = {
  impact: "not known yet",
  cause: "a cause that is not known yet",
  team: "nobody in particular",
  resolved: "not yet",
  link: "the console",
};

function stateLine({ state, severity, priority, environment }: Fields): string {
  return `${state} · ${severity} ${priority} · ${environment}`;
}

function factsOf(rows: readonly (readonly [label: string, value: string])[]): NoticeText["facts"] {
  return rows.filter(([, value]) => value !== "").map(([label, value]) => ({ label, value }));
}

function linkOf(notice: Notice): Pick<NoticeText, "link" | "linkTitle"> {
  const title = { linkTitle: notice.isPublicUrl ? pageLinkTitle : linkTitle };
  return notice.url === undefined ? title : { link: notice.url, ...title };
}

function forCustomers(audience: Audience | undefined): boolean {
  return audience === "sales" || audience === "support";
}

function nextStepsOf({ event }: Notice): string[] {
  const where = `incidents/${bounded(event.incident)}`;
  const find = `Everything known stands in the Firestore console: collection incidents, document ${bounded(event.incident)}.`;
  if (event.status === "resolved") return [find];
  if (event.status === "acknowledged") return [find, `To close it by hand, set status to resolved in ${where}.`];
  return [find, `To take it, set status to acknowledged in ${where}. To mute it, set silenced_until there.`];
}

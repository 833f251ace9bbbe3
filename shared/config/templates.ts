/** The section `templates`: words of one's own for notices, with fields for what they tell. */
import { z } from "zod";
import { type IncidentEventKind, incidentEventKinds } from "../messages/incident-event.ts";
import { nearest } from "../text/nearest.ts";
import { marksOf } from "../text/placeholders.ts";
import { bodyFields, templateFields } from "../text/template-fields.ts";
import { names } from "./fields.ts";
import { insteadOf, type Path, type Problems } from "./file/problems.ts";
import { type Audience, audiences } from "./notification.ts";
import { placeholderSecret } from "./secret-reference.ts";

/** The parts of a notice that a template may say in its own words, with the most characters of each. */
export const templateParts = { subject: 200, title: 200, lead: 500, body: 2_000 } as const;

/** One of the parts. */
export type TemplatePart = keyof typeof templateParts;

/** Texts of parts, with `${field}` in them. */
export type TemplateTexts = Readonly<Partial<Record<TemplatePart, string>>>;

/** One entry of `templates`. Absent lists match everything. */
export interface Template extends TemplateTexts {
  readonly audiences?: readonly Audience[];
  readonly events?: readonly IncidentEventKind[];
  readonly channels?: readonly string[];
}

/** An entry of `templates`, as it is written. */
export const templateEntry = z
  .strictObject({
    audiences: z.array(z.enum(audiences)).min(1).optional().describe("Only for these readers. Default: all."),
    events: z.array(z.enum(incidentEventKinds)).min(1).optional().describe("Only for these events. Default: all."),
    channels: names().optional().describe("Only in these channels. Default: all."),
    subject: part(
      "subject",
      "The name of the incident in the subject of mails, from the first notification to the last.",
    ),
    title: part("title", "The first line, instead of the state of the incident."),
    lead: part("lead", "The sentence below it, instead of the description of the failure."),
    body: part("body", "Paragraphs after that sentence and before the facts."),
  })
  .refine(({ subject, title, lead, body }) => (subject ?? title ?? lead ?? body) !== undefined, {
    error: "says nothing: write subject, title, lead or body",
  });

function part(name: TemplatePart, description: string) {
  const most = templateParts[name];
  const text = z.string().max(most, `must have at most ${most} characters`);
  const line = name === "body" ? text : text.regex(/^[^\r\n]*$/, "must be one line");
  return line.regex(/\S/, "must not be empty").optional().describe(description);
}

/** Reports what templates ask for and notices do not have. @param templates as they stand in the file */
export function checkTemplates(templates: unknown, problems: Problems): void {
  if (!Array.isArray(templates)) return;
  for (const [index, entry] of templates.entries()) {
    if (typeof entry !== "object" || entry === null) continue;
    for (const [key, text] of Object.entries(entry))
      if (Object.hasOwn(templateParts, key) && typeof text === "string")
        checkText(text, ["templates", index, key], problems);
  }
}

/** Reports what a text of a body asks for and notices do not have; placeholders of secrets may stand in it. */
export function checkBodyText(text: string, path: Path, problems: Problems): void {
  checkText(text, path, problems, Object.keys({ ...templateFields, ...bodyFields }));
}

function checkText(
  text: string,
  path: Path,
  problems: Problems,
  fields: readonly string[] = Object.keys(templateFields),
): void {
  for (const mark of marksOf(text)) {
    const { name, offset, length, closed } = mark;
    if (closed && fields.includes(name)) continue;
    if (path[0] === "channels" && placeholderSecret(mark) !== undefined) continue;
    const suggestion = nearest(closed ? name : (/^\w*/.exec(name)?.[0] ?? ""), fields);
    const unknown = `unknown field "${name}": ${insteadOf(suggestion, fields, "fields")}`;
    const open = `the brace of \${ is not closed: write \${${suggestion ?? "what"}}, or $\${ for the two characters`;
    problems.error({ path, within: { offset, length } }, { message: closed ? unknown : open, suggestion });
  }
}

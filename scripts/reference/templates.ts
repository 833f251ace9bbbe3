/** The page on custom texts for notifications. */
import { type TemplatePart, templateParts } from "../../shared/config/templates.ts";
import { numberFormat } from "../../shared/text/formatters.ts";
import { templateFields } from "../../shared/text/template-fields.ts";
import { generated } from "./markdown.ts";

/** `docs/templates.md` */
export function templatesPage(): string {
  const rows = Object.entries(templateFields).map(([name, meaning]) => `| \`\${${name}}\` | ${meaning} |`);
  const most = (part: TemplatePart): string => numberFormat("en-US").format(templateParts[part]);
  return `${generated}
# Templates

Templates replace parts of notifications with your own text, by audience, event and channel. For each part, the first template in the file that matches the
notification and has that part applies. Parts without a template keep their usual text.

\`\`\`yaml
templates:
  - audiences: [executives]
    events: [opened]
    title: "\${environment}: \${what}"
    lead: "This costs us: \${impact} \${outlook}"
  - audiences: [support]
    body: |
      Please answer every question with these words:
      \${customers}
  - audiences: [engineers]
    subject: "\${priority} \${title}"
\`\`\`

| key | meaning |
|---|---|
| \`audiences\`, \`events\`, \`channels\` | The template applies only to these. Default: all. |
| \`title\` | The first line, instead of the state of the incident. At most ${most("title")} characters. |
| \`lead\` | The sentence below it, instead of the description of the failure. At most ${most("lead")} characters. |
| \`body\` | Paragraphs after that sentence and before the facts; one per line. At most ${most("body")} characters. |
| \`subject\` | The name of the incident in the subject of mails. It is fixed by the first notification, so that all mails stay in one thread; the incident's id follows it. At most ${most("subject")} characters. |

The facts, the lists and the link always follow, so a template cannot hide them. If a template replaces the state or the description of the failure without
including it, that text is added to the facts. Templates do not affect \`webhook\` and \`status_page\`, which have their own formats. A template is plain text: its
text and the values of its fields are escaped in every channel.

## Fields

| field | value |
|---|---|
${rows.join("\n")}

\`$\${\` stands for the two characters \`\${\`. \`npx --no pathkeeper validate\` refuses an unknown field, and reports its position and the nearest name. A value that is not known yet
says so: \`\${resolved}\` is "not yet" while the incident is open. For audiences other than engineers, no field contains text from targets or rules.

\`npx --no pathkeeper preview\` shows the result of a template in every channel, for every audience and event.
`;
}

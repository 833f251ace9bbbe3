/** The page of words of one's own for notices. */
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

Notices in words of your own, by reader, event and channel. Of each part, the first template in the file that is for a notice and has it is used; what no template
says is said as always.

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
| \`audiences\`, \`events\`, \`channels\` | Only for these. Default: all. |
| \`title\` | The first line, in place of where the incident stands. At most ${most("title")} characters. |
| \`lead\` | The sentence below it, in place of what is broken. At most ${most("lead")} characters. |
| \`body\` | Paragraphs that follow the sentence, before the facts; one a line. At most ${most("body")} characters. |
| \`subject\` | What the incident is called in the subject of mails. It is made with the first notice and stays, so that a thread keeps together; the id of the incident follows it. At most ${most("subject")} characters. |

The facts, the lists and the link always follow: a template adds and rewords, and hides nothing. Where it replaces the state or what is broken without saying it,
that becomes a fact. \`webhook\` and \`status_page\` have their own forms, which templates do not change. What stands in a template is plain text: it is escaped in
every channel as everything else is, and so is what fields say.

## Fields

| field | what it says |
|---|---|
${rows.join("\n")}

\`$\${\` stands for the two characters \`\${\`. A field that a notice does not have is refused by \`npx --no pathkeeper validate\`, with its place and the nearest name. What is not
known yet says so: \`\${resolved}\` is "not yet" while the incident is open. For readers who are no engineers, no field has words of targets or rules.

\`npx --no pathkeeper preview\` shows what comes of a template in every channel, for every reader and event.
`;
}

/** Selects the template texts of a notice. */
import type { Audience } from "../../../shared/config/notification.ts";
import type { Template, TemplatePart, TemplateTexts } from "../../../shared/config/templates.ts";
import type { IncidentEventKind } from "../../../shared/messages/incident-event.ts";

const parts: readonly TemplatePart[] = ["subject", "title", "lead", "body"];

/** Returns the template texts of a notice: each part from the first matching template that has it. */
export function templateFor(
  templates: readonly Template[],
  notice: { readonly audience: Audience; readonly event: IncidentEventKind; readonly channel: string },
): TemplateTexts {
  const matching = templates.filter(
    ({ audiences: readers, events, channels }) =>
      (readers?.includes(notice.audience) ?? true) &&
      (events?.includes(notice.event) ?? true) &&
      (channels?.includes(notice.channel) ?? true),
  );
  const texts: Partial<Record<TemplatePart, string>> = {};
  for (const name of parts) {
    const text = matching.find((template) => template[name] !== undefined)?.[name];
    if (text !== undefined) texts[name] = text;
  }
  return texts;
}

/** Accepts changes reported over the topic `changes`. Incidents of the component cite them like changes from audit logs. */
import { hash } from "node:crypto";
import type { Configuration } from "../../../shared/config/model.ts";
import { parseChangeReport } from "../../../shared/messages/change.ts";
import type { PushedMessage } from "../../../shared/messages/push.ts";
import type { Logger } from "../../../shared/ports.ts";
import { nearest } from "../../../shared/text/nearest.ts";
import { bounded } from "../../../shared/text/redact.ts";
import { type Change, changeFrom } from "../cause/knowledge/changes.ts";
import { maxAhead } from "../partition/publication.ts";

/**
 * Reads a reported change; `undefined` where it is for another environment, or for a component that there is not, which is logged.
 * The same message gives the same change, however often it comes.
 * @throws MalformedMessage
 */
export function reportedChange(
  message: PushedMessage,
  { environment, components }: Configuration,
  logger: Logger,
): Change | undefined {
  const { component, what, kind, at, by, link, environment: meant } = parseChangeReport(message.data);
  if (meant !== undefined && meant !== environment) return undefined;
  const names = components.map(({ name }) => name);
  if (!names.includes(component)) {
    const suggestion = nearest(component, names);
    const perhaps = suggestion === undefined ? "" : `; did you mean ${suggestion}?`;
    logger.warning(`ignored a change of ${JSON.stringify(component)}, which is not a component${perhaps}`);
    return undefined;
  }
  const said = at === undefined ? message.publishedAt : Date.parse(at);
  // Nobody reports what is still to come.
  const instant = said > message.publishedAt + maxAhead ? message.publishedAt : said;
  return changeFrom({
    id: `reported/${hash("sha256", JSON.stringify([component, what, instant])).slice(0, 16)}`,
    at: new Date(instant).toISOString(),
    kind,
    what,
    components: [component],
    ...(by === undefined ? {} : { by: bounded(by, [], 80) }),
    ...(link === undefined ? {} : { link }),
  });
}

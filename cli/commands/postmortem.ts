/** `pathkeeper postmortem`: what happened, from the document of an incident, its deliveries and the availability. Reads, and writes nothing. */

import { readAccount } from "../../functions/evaluate/postmortem/account.ts";
import { postmortemOf } from "../../functions/evaluate/postmortem/postmortem.ts";
import { type Store, StoreError } from "../../shared/ports.ts";
import { nearest } from "../../shared/text/nearest.ts";
import { type Command, defineCommand, WrongUsage } from "../command.ts";
import { newestIncidents } from "../operator/incidents.ts";
import { postmortemPage } from "../postmortem-page.ts";
import { storeOf, storeOptions } from "../store.ts";
import { type Terminal, table } from "../terminal/terminal.ts";

/** Maximum number of incidents that are listed, and that a mistyped ID is matched against. */
const listed = 20;
const known = 200;

/** The command. */
export const postmortem: Command = defineCommand({
  summary: "Print the postmortem of an incident, as Markdown or as a page with a picture",
  operand: { form: "[ID]", help: "the incident (without it, a terminal lists the newest incidents)" },
  options: {
    html: { type: "boolean", default: false, help: "print a page with a picture of the incident instead" },
    anew: { type: "boolean", default: false, help: "generate it again from current data, without saving it" },
    ...storeOptions,
  },
  examples: [
    [
      "postmortem 20250916-121200-vpc-connector --project my-project > postmortem.md",
      "Save the postmortem of an incident",
    ],
    [
      "postmortem 20250916-121200-vpc-connector --html --data ./watch > postmortem.html",
      "Save it as a page, with a picture of what failed when",
    ],
  ],
  async run(values, terminal, [id]) {
    const store = await storeOf(values);
    try {
      const text = id === undefined ? await listing(store, terminal) : await written(store, id, values);
      terminal.print(text);
      return 0;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      terminal.note(`pathkeeper postmortem: the incidents cannot be read: ${error.message}`);
      return 1;
    } finally {
      await store.close();
    }
  },
});

/** As it stands in the document, where people may have added to it; worked out now where it is not written yet, or where that is asked for. */
async function written(
  store: Store,
  id: string,
  { anew, html }: { readonly anew: boolean; readonly html: boolean },
): Promise<string> {
  const account = await readAccount(store, id);
  if (account !== undefined) {
    const { postmortem: kept } = account.incident;
    const text = (anew || kept === null || kept === "" ? postmortemOf(account) : kept).trimEnd();
    return html ? postmortemPage(account, text, "Etc/UTC", Date.now()).trimEnd() : text;
  }
  const ids = (await newestIncidents(store, known)).map((one) => one.id);
  const near = nearest(id, ids);
  if (near !== undefined) throw new WrongUsage(`there is no incident ${id}: did you mean ${near}?`);
  throw new WrongUsage(`there is no incident ${id}: ${theNewest(ids)}`);
}

async function listing(store: Store, terminal: Terminal): Promise<string> {
  const incidents = await newestIncidents(store, listed);
  const ids = incidents.map(({ id }) => id);
  if (!terminal.isInteractive) throw new WrongUsage(`specify the incident: ${theNewest(ids)}`);
  if (incidents.length === 0) return "No incidents.";
  return table(
    incidents.map(({ id, fields }) => [
      id,
      String(fields["status"]),
      String(fields["severity"]),
      String(fields["title"]),
    ]),
  ).join("\n");
}

function theNewest(ids: readonly string[]): string {
  return ids.length === 0 ? "there are none" : `the newest are ${ids.slice(0, 3).join(", ")}`;
}

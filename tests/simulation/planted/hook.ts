/** Plants a bug in its module when it is loaded: in memory, so that no file changes. `PATHKEEPER_PLANTED` names it. */
import { registerHooks } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { patches } from "./patches.ts";
import { planted } from "./plant.ts";

const root = join(import.meta.dirname, "../../..");
const patch = patches.find(({ name }) => name === process.env["PATHKEEPER_PLANTED"]);
if (patch === undefined) throw new Error(`there is no bug "${process.env["PATHKEEPER_PLANTED"]}" to plant`);
const target = pathToFileURL(join(root, patch.file)).href;

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (url !== target || loaded.source == null) return loaded;
    const text =
      typeof loaded.source === "string" ? loaded.source : Buffer.from(loaded.source as Uint8Array).toString();
    return { ...loaded, source: planted(text, patch) };
  },
});

/** The demo's configuration: `monitor.yaml` beside this file, with its placeholders filled in. */
import { readFileSync } from "node:fs";
import { formatDuration, parseDuration } from "../../shared/text/units.ts";
import type { DemoTargets } from "./environment.ts";
import { tempoOf } from "./script.ts";

/** Values to fill in besides the durations; all ports are on 127.0.0.1. */
export interface DemoPlaces extends DemoTargets {
  /** Port of the mail inbox. */
  readonly smtp: number;
  /** Port of the webhook inbox. */
  readonly webhook: number;
  /** Base URL of Google's APIs. */
  readonly googleApi: string;
  /** The folder of the run, with its store and its secrets. */
  readonly data: string;
}

/**
 * Returns the complete text of `monitor.yaml`.
 * @param pace of the script. Durations are divided by its `tempoOf`; schedules must still divide a minute
 */
export function demoConfiguration(places: DemoPlaces, pace = 1): string {
  const template = readFileSync(new URL("./monitor.yaml", import.meta.url), "utf8");
  const values = new Map(Object.entries(places).map(([name, value]) => [name, String(value)]));
  const filled = template
    .slice(template.indexOf("environment:"))
    .replaceAll(/\$\$\{|\$\{([^}]+)\}/g, (_, name?: string) => {
      // Placeholders that the configuration fills in at run time.
      if (name === undefined) return "${";
      const milliseconds = parseDuration(name);
      const value = milliseconds === undefined ? values.get(name) : formatDuration(milliseconds / tempoOf(pace));
      if (value === undefined)
        throw new Error(`local/demo/monitor.yaml uses \${${name}}, which the demo does not provide`);
      return value;
    });
  return `# To use the command line while the demo runs:
#   export PATHKEEPER_GOOGLE_API=${places.googleApi} PATHKEEPER_STORE=${places.data}/store.db
#   npx --no pathkeeper verify --config ${places.data}/monitor.yaml
${filled}`;
}

/** `pathkeeper room`: the pages of the control room, for a system in the cloud or on this machine. */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { userInfo } from "node:os";
import { cloudMeasurements, monitoringFailure } from "../../local/measurements/cloud-measurements.ts";
import type { Measurements } from "../../local/measurements/measurements.ts";
import { MeasurementsFile } from "../../local/measurements/measurements-file.ts";
import { measurementsIn } from "../../local/measurements/recording.ts";
import { openRoom } from "../../local/web/room.ts";
import { googleApi } from "../../shared/adapters/google-api.ts";
import type { Configuration } from "../../shared/config/model.ts";
import { incidentCollection } from "../../shared/documents/incident.ts";
import { StoreError } from "../../shared/ports.ts";
import { configurationFor } from "../checked-configuration.ts";
import { type Command, defineCommand, WrongUsage } from "../command.ts";
import { configOperand, configOption, namedConfiguration } from "../configuration.ts";
import { publisherOf } from "../publisher.ts";
import { type SystemOptions, storeOf, storeOptions } from "../store.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { startDrill } from "./drill.ts";

/** Cache lifetime of documents read from Firestore, in milliseconds. Each read is billed. */
const cloudFreshMs = 10_000;
const localFreshMs = 1_000;

/** The command. */
export const room: Command = defineCommand({
  summary: "Serve the control room for a browser: overview, components, and incidents with their pictures",
  operand: configOperand,
  options: {
    ...configOption,
    ...storeOptions,
    port: { type: "string", value: "PORT", usual: "any free port", help: "the port to listen on, at 127.0.0.1" },
    by: { type: "string", value: "NAME", usual: "your user name", help: "your name, for the timeline" },
    "read-only": { type: "boolean", default: false, help: "hide the buttons for actions" },
  },
  examples: [
    ["room --project my-project --config production.yaml", "Show a system in the cloud, with your own credentials"],
    ["room --data ./watch", "Show the system of npm start on this machine"],
  ],
  async run(values, terminal, operands) {
    const port = values.port === undefined ? 0 : Number(values.port);
    if (!Number.isInteger(port) || port < 0 || port > 65_535)
      throw new WrongUsage(`--port ${values.port} is an invalid port: use a number from 1 to 65535`);
    const by = values.by?.trim() ?? userInfo().username;
    if (by === "") throw new WrongUsage("--by is empty: enter your name");
    const config = namedConfiguration(values.config, operands);
    const { configuration } = await configurationFor({ ...values, config });
    const store = await storeOf(values);
    const interruption = new AbortController();
    const interrupt = (): void => interruption.abort();
    try {
      // An unreadable store is reported here once, and not on every page.
      await store.query({ collection: incidentCollection, limit: 1 });
      const measured = await measurementsOf(values, configuration, terminal);
      const drill = async (): Promise<string> => {
        const publisher = await publisherOf(values);
        return startDrill(configuration.environment, publisher, Date.now()).finally(() => publisher.close());
      };
      const freshMs = values.data === undefined ? cloudFreshMs : localFreshMs;
      const opened = await openRoom({
        sources: { store, configuration, now: Date.now, freshMs, ...measured },
        token: randomBytes(24).toString("base64url"),
        port,
        isPrivate: true,
        ...(values["read-only"] ? {} : { actions: { store, by, drill } }),
      });
      process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
      terminal.print(opened.actingUrl);
      terminal.note("Open this address in a browser on this machine. Ctrl-C closes the room.");
      await new Promise<void>((resolve) => interruption.signal.addEventListener("abort", () => resolve()));
      await opened.stop();
      return 0;
    } catch (error) {
      if (!(error instanceof StoreError || isPortTaken(error))) throw error;
      terminal.note(`pathkeeper room: ${error.message}`);
      return 1;
    } finally {
      process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
      await store.close();
    }
  },
});

/**
 * Returns the source of the charts: the file on this machine, or Cloud Monitoring. Returns nothing and prints one note if neither can be
 * read.
 */
async function measurementsOf(
  { project = process.env["PATHKEEPER_PROJECT"], data }: SystemOptions,
  { environment }: Configuration,
  terminal: Terminal,
): Promise<{ readonly measurements?: Measurements }> {
  if (data !== undefined) {
    const file = measurementsIn(data);
    if (!existsSync(file)) return {};
    try {
      return { measurements: new MeasurementsFile(file, { readOnly: true }) };
    } catch (error) {
      terminal.note(`cannot read ${file}, so there are no charts: ${(error as Error).message}`);
      return {};
    }
  }
  if (project === undefined) return {};
  const google = googleApi(process.env["PATHKEEPER_GOOGLE_API"]);
  const measurements = cloudMeasurements({ google, projectId: project, environment, now: Date.now });
  try {
    await measurements.series();
    return { measurements };
  } catch (error) {
    terminal.note(monitoringFailure(error));
    return {};
  }
}

function isPortTaken(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "code" in error && (error.code === "EADDRINUSE" || error.code === "EACCES");
}

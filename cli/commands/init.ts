/** `pathkeeper init`: writes a first configuration, from a project of Google Cloud or from addresses. */
import { access, writeFile } from "node:fs/promises";
import { googleApi } from "../../shared/adapters/google-api.ts";
import { googleProject, googleRegion } from "../../shared/config/fields.ts";
import type { Configuration } from "../../shared/config/model.ts";
import { secretName } from "../../shared/config/secret-reference.ts";
import { replaceDnsLookup } from "../../shared/net/lookup.ts";
import { GoogleApiError, type Secrets } from "../../shared/ports.ts";
import { ownEntry } from "../../shared/runtime/entries.ts";
import { type Command, defineCommand, type OptionValues, program, WrongUsage } from "../command.ts";
import { usualConfiguration } from "../configuration.ts";
import { estimate } from "../estimate/estimate.ts";
import { secretsFrom, secretsOption } from "../places.ts";
import { openProgress } from "../terminal/progress.ts";
import { failureSentence, resultHead, resultRow } from "../terminal/results.ts";
import { counted, type Terminal, table } from "../terminal/terminal.ts";
import { costSentence } from "./cost.ts";
import { type Address, type AddressWithSecret, readAddress } from "./init/addresses/address.ts";
import { detect } from "./init/addresses/detect.ts";
import { addressOf, type Endpoint, type Sighting } from "./init/addresses/endpoint.ts";
import { offersTls } from "./init/addresses/postgres-tls.ts";
import { compose, endpointsOf } from "./init/compose.ts";
import type { Draft } from "./init/draft.ts";
import type { Found } from "./init/found.ts";
import { askForSource } from "./init/questions.ts";
import { readProject } from "./init/read.ts";
import { isProbed } from "./init/reading.ts";
import { type Trial, tryOut, withTrial } from "./init/trial.ts";
import { unseenSentences } from "./init/unseen.ts";
import { update } from "./init/update.ts";
import { configurationOf, writtenOf } from "./init/written.ts";

const options = {
  project: { type: "string", value: "PROJECT", help: "read this Google Cloud project, with your own credentials" },
  region: { type: "string", value: "REGION", help: "read this region only", usual: "every region" },
  "url-from": {
    type: "string",
    multiple: true,
    value: "ENV",
    help: "monitor the database or cache whose URL is in this environment variable: postgres://, redis:// or rediss://",
  },
  ca: {
    type: "string",
    value: "SECRET",
    help: "the secret that contains the PEM certificate of a private certificate authority",
  },
  config: { type: "string", value: "FILE", help: "the file to write, which must not exist", usual: usualConfiguration },
  update: {
    type: "boolean",
    default: false,
    help: "compare the project with the file and list new and removed resources, without writing; exit code 1 if there are any",
  },
  "no-probe": {
    type: "boolean",
    default: false,
    help: "do not contact targets: neither inspect addresses nor run probes",
  },
  secrets: { ...secretsOption.secrets, usual: "secrets beside the configuration" },
} as const;

/** The command. */
export const init: Command = defineCommand({
  summary: "Generate a monitor.yaml from the resources of a Google Cloud project, or from addresses",
  operand: { form: "[URL...]", help: "addresses of services: https://shop.example.com, wss://shop.example.com/ws" },
  options,
  examples: [
    ["init --project my-project", "Read a project and write monitor.yaml"],
    ["init https://shop.example.com --url-from DATABASE_URL", "Start from addresses, without Google Cloud"],
    ["init --project my-project --update", "List resources that were added or removed since monitor.yaml was written"],
  ],
  async run(values, terminal, operands) {
    const file = values.config ?? usualConfiguration;
    const source = await sourceOf(values, operands, terminal);
    if (values.update)
      return await update({
        file,
        ...source,
        region: values.region,
        terminal,
        read: (project) => read(project, values.region),
      });

    await refuseExisting(file);
    const progress = openProgress();
    const show = (text: string): void => progress.show(text);
    const addresses = source.variables.map(addressIn);
    const secrets = withValues(await secretsFrom({ secrets: values.secrets, config: file }), addresses);
    const ca = await authority(values.ca, secrets);
    try {
      const found = source.project === undefined ? undefined : await read(source.project, values.region, show);
      const sightings = values["no-probe"] ? new Map() : await look({ found, endpoints: source.endpoints }, ca, show);
      const stores = addresses.map(({ address }) => address);
      const draft = compose({
        found,
        endpoints: source.endpoints,
        addresses: values["no-probe"] ? stores : await Promise.all(stores.map(withTls)),
        sightings,
        ca: values.ca,
      });
      if (draft.probes.size === 0) {
        progress.clear();
        terminal.note("found nothing to monitor; no file was written", ...draft.unseen.map((one) => `  ${one}`));
        return 1;
      }
      const trial = values["no-probe"] ? undefined : await tryOut(configurationOf(draft), secrets, show);
      const finished = trial === undefined ? draft : withTrial(draft, trial);
      const { text, configuration, warnings } = writtenOf(finished, file, Date.now());
      await writeNew(file, text);
      progress.clear();
      report({ file, draft: finished, configuration, warnings, trial }, terminal);
      return 0;
    } finally {
      progress.clear();
    }
  },
});

/** Sources of a configuration. */
export interface Source {
  readonly project: string | undefined;
  readonly endpoints: readonly Endpoint[];
  /** Environment variables that hold URLs. */
  readonly variables: readonly string[];
}

async function sourceOf(
  values: OptionValues<typeof options>,
  operands: readonly string[],
  terminal: Terminal,
): Promise<Source> {
  const given = {
    project: values.project,
    endpoints: operands.map(endpointIn),
    variables: values["url-from"] ?? [],
  };
  if (given.project !== undefined && !googleProject().safeParse(given.project).success)
    throw new WrongUsage(
      `invalid project id "${given.project}": use the project ID, such as shop-staging, not the name or number`,
    );
  if (values.region !== undefined && !googleRegion().safeParse(values.region).success)
    throw new WrongUsage(`invalid region "${values.region}": use a value such as us-central1`);
  const isGiven = given.project !== undefined || given.endpoints.length > 0 || given.variables.length > 0;
  if (isGiven || values.update) return given;
  const asked = terminal.isInteractive && process.stdin.isTTY ? await askForSource() : undefined;
  if (asked === undefined) throw new WrongUsage("no input: specify --project, addresses, or --url-from");
  return { project: asked.project, endpoints: asked.urls.map(endpointIn), variables: asked.variables };
}

/** The endpoint of an address. @throws WrongUsage */
export function endpointIn(text: string): Endpoint {
  const url = URL.parse(text.includes("://") ? text : `https://${text}`);
  if (url !== null && /^(postgres|postgresql|redis|rediss):$/.test(url.protocol))
    throw new WrongUsage(
      "a database URL contains a password: put it in an environment variable and use --url-from NAME",
    );
  if (url === null || !/^(https?|wss?):$/.test(url.protocol) || url.hostname === "")
    throw new WrongUsage(`invalid address "${text}": use a URL such as https://shop.example.com/health`);
  if (url.username !== "" || url.password !== "")
    throw new WrongUsage("an address must not contain credentials: remove the user and the password");
  const origin = `${url.protocol.replace(/^ws/, "http")}//${url.host}`;
  if (!isProbed(origin))
    throw new WrongUsage(`invalid host in "${text}": use letters, digits and hyphens between dots`);
  const path = `${url.pathname}${url.search}`;
  const isSocket = url.protocol.startsWith("ws");
  return {
    origin,
    path: path === "/" ? undefined : path,
    given: path !== "/",
    ...(isSocket ? { isSocket: true as const } : {}),
  };
}

/** The address that a variable holds. @throws WrongUsage that does not show its value */
function addressIn(variable: string): AddressWithSecret {
  const value = ownEntry(process.env, variable);
  if (value === undefined || value === "")
    throw new WrongUsage(
      `the environment variable ${variable} is not set: --url-from requires the name of a variable that contains a URL`,
    );
  const read = readAddress(variable, value);
  if (typeof read === "string") throw new WrongUsage(read);
  return read;
}

/** Finds out whether a database offers TLS, where its URL does not say it. */
async function withTls(address: Address): Promise<Address> {
  const { speaks, tls, host, port = 5432 } = address;
  if (speaks !== "postgres" || tls !== undefined || host.startsWith("/")) return address;
  return { ...address, tls: await offersTls(host, port) };
}

/** Secrets, with the values that were given by variables before all others. */
function withValues(secrets: Secrets, addresses: readonly AddressWithSecret[]): Secrets {
  const values = new Map(
    addresses.flatMap(({ address: { secret }, value }) =>
      secret === undefined || value === undefined ? [] : [[secret, value] as const],
    ),
  );
  return { read: async (name) => values.get(name) ?? (await secrets.read(name)) };
}

async function authority(name: string | undefined, secrets: Secrets): Promise<string | undefined> {
  if (name === undefined) return undefined;
  if (!secretName.test(name)) throw new WrongUsage(`invalid secret name "${name}": use letters, digits, - and _`);
  return await secrets.read(name).catch((error: Error) => {
    throw new WrongUsage(`--ca: ${error.message}`, { cause: error });
  });
}

/** Reads a project. @throws WrongUsage where nothing of it can be read */
async function read(project: string, region: string | undefined, progress?: (text: string) => void): Promise<Found> {
  const google = googleApi(process.env["PATHKEEPER_GOOGLE_API"]);
  const options = { project, region, google, ...(progress === undefined ? {} : { progress }) };
  const found = await readProject(options).catch((error: unknown) => {
    if (!(error instanceof GoogleApiError)) throw error;
    const advice = "log in with gcloud auth application-default login";
    throw new WrongUsage(`cannot read the project ${project}: ${error.message}; ${advice}`, { cause: error });
  });
  const [first] = unseenSentences(found.unseen);
  if (found.seen.size === 0)
    throw new WrongUsage(`cannot read any resource of the project ${project}: ${first ?? "no API answered"}`);
  return found;
}

/** Looks at what is reached from here. */
async function look(
  material: Parameters<typeof endpointsOf>[0],
  ca: string | undefined,
  progress: (text: string) => void,
): Promise<ReadonlyMap<string, Sighting>> {
  replaceDnsLookup();
  const sightings = new Map<string, Sighting>();
  const waiting = [...endpointsOf(material)];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      progress(`looking at ${addressOf(next)}`);
      sightings.set(addressOf(next), await detect(next, { ca }));
    }
  };
  await Promise.all(Array.from({ length: 4 }, work));
  return sightings;
}

/** @throws WrongUsage where there is such a file, before anything is asked of anybody */
async function refuseExisting(file: string): Promise<void> {
  const exists = await access(file).then(
    () => true,
    () => false,
  );
  if (exists) throw new WrongUsage(existing(file));
}

/** Writes a file that must not exist. @throws WrongUsage */
async function writeNew(file: string, text: string): Promise<void> {
  await writeFile(file, text, { flag: "wx" }).catch((cause: NodeJS.ErrnoException) => {
    throw new WrongUsage(cause.code === "EEXIST" ? existing(file) : `cannot write ${file}: ${cause.message}`, {
      cause,
    });
  });
}

function existing(file: string): string {
  return `${file} already exists and is never overwritten: choose another file with --config FILE, or compare with --update`;
}

interface Outcome {
  readonly file: string;
  readonly draft: Draft;
  readonly configuration: Configuration;
  readonly warnings: readonly { readonly message: string }[];
  readonly trial: Trial | undefined;
}

function report({ file, draft, configuration, warnings, trial }: Outcome, terminal: Terminal): void {
  const { print, paint } = terminal;
  const { components, probes, rules } = configuration;
  if (trial !== undefined) {
    const head = [...resultHead, "why"].map((cell) => paint("faint", cell));
    print(
      ...table([head, ...trial.results.map((result) => [...resultRow(result, terminal), failureSentence(result)])]),
      "",
    );
  }
  const contents = [
    counted(components.length, "component"),
    counted(probes.length, "probe"),
    counted(rules.length, "rule"),
  ];
  print(`${paint("good", `wrote ${file}`)}: ${contents.join(", ")}`);
  for (const { message } of warnings) print(`  ${paint("warning", "warning")}  ${message}`);
  print(`  costs ${costSentence(estimate(configuration))}`);
  if (draft.unseen.length > 0) print(`  not seen: ${counted(draft.unseen.length, "thing")}, at the top of the file`);
  for (const [secret, holds] of draft.secrets)
    print(`  the secret ${secret} is ${holds}: write it to secrets/${secret} beside ${file}`);
  print("", "Next:", `  ${program} validate ${file}`, `  npm start -- --config ${file} --data ./watch`);
}

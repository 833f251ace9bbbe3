/** `pathkeeper doctor`: examines a live deployment. */
import { googleApi } from "../../shared/adapters/google-api.ts";
import type { Diagnosis } from "../../shared/doctor/doctor.ts";
import { GoogleApiError } from "../../shared/ports.ts";
import { checkedConfiguration } from "../checked-configuration.ts";
import { type Command, defineCommand, WrongUsage } from "../command.ts";
import { configOption, usualConfiguration } from "../configuration.ts";
import { examine } from "../doctor/doctor.ts";
import { counted, type Terminal } from "../terminal/terminal.ts";

/** The command. */
export const doctor: Command = defineCommand({
  summary:
    "Check a live deployment: grants, secrets, subscriptions, jobs, functions, indexes, alarms and the latest reports",
  options: {
    ...configOption,
    project: { type: "string", value: "PROJECT", help: "the Google Cloud project of the monitor (required)" },
    region: {
      type: "string",
      value: "REGION",
      help: "the region of the functions",
      usual: "google_cloud.region of the configuration",
    },
    prefix: { type: "string", value: "PREFIX", help: "name_prefix of the module", default: "pathkeeper" },
    database: { type: "string", value: "NAME", help: "the Firestore database", usual: "the prefix" },
    json: { type: "boolean", default: false, help: "print the gaps as JSON" },
  },
  examples: [
    ["doctor --project my-project --region us-central1", "Show each gap with the gcloud command that fixes it"],
    ["doctor --project my-project --json", "Print the gaps as JSON, for a scheduled check"],
  ],
  async run(values, terminal) {
    const { project, prefix } = values;
    if (project === undefined) throw new WrongUsage("--project is required: the Google Cloud project of the monitor");
    const configuration = await checkedConfiguration(values.config ?? usualConfiguration);
    const region = values.region ?? configuration.googleCloud?.region;
    if (region === undefined)
      throw new WrongUsage("--region is required: the configuration has no google_cloud.region");
    const google = googleApi(process.env["PATHKEEPER_GOOGLE_API"]);
    const patient = { project, region, prefix, database: values.database ?? prefix, configuration };
    const made = await examine(patient, google, Date.now()).catch((error: unknown) => {
      if (error instanceof GoogleApiError)
        throw new WrongUsage(`cannot read the project ${project}: ${error.message}`, { cause: error });
      throw error;
    });
    if (values.json) terminal.print(JSON.stringify(made, null, 2));
    else terminal.print(...lines(made, terminal));
    return made.gaps.length === 0 && made.unknown.length === 0 ? 0 : 1;
  },
});

function lines(
  { project, environment, examined, gaps, unknown }: Diagnosis,
  { paint }: Pick<Terminal, "paint">,
): string[] {
  const isWell = gaps.length === 0 && unknown.length === 0;
  const verdict = isWell ? paint("good", "no gaps") : paint("bad", counted(gaps.length, "gap"));
  return [
    `${environment} in ${project}: ${counted(examined, "question")}: ${verdict}`,
    ...gaps.flatMap(({ what, says, fix }) => ["", `${paint("strong", what)} ${says}`, `    ${fix}`]),
    ...(unknown.length === 0
      ? []
      : ["", paint("warning", "Not examined:"), ...unknown.map((sentence) => `  ${sentence}`)]),
  ];
}

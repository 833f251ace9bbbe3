/** The documentation of the checks on the page of `gcp_configuration`: one row per check, generated from the check itself. */
import { configurationReads, type GoogleRead, type GoogleReadName, googleReads } from "../permissions.ts";
import { checks } from "./checks.ts";

/** The notes, in Markdown. */
export function configurationNotes(): string {
  return `## What is checked

Every check that has something to compare makes a finding for each resource that it looks at, and a sample of \`configuration_ok\`. A check that needs an
expectation (such as \`cpu\` of a service) is made where the settings have one. The name of a check is stable: \`ignore\`, rules
(\`configuration_ok{check="vpc_connector_state"} == 0\`) and the evidence of an incident refer to it.

The severity says what a finding means. \`critical\`: something does not work because of it, and the probe fails. \`warning\`: something will
not work under load, or some day. \`info\`: it is not as it should be, and nothing fails. Neither of the two makes the probe fail: rules judge them.

| check | severity | what is checked | why | permissions |
|---|---|---|---|---|
${checks.map((check) => `| \`${check.name}\` | ${check.severity} | ${cell(check.title)} | ${cell(check.why)} ${cell(check.remedy)} | ${permissions(check.reads)} |`).join("\n")}

## What it needs

It only reads, each resource once a run. Terraform grants the permissions that the settings of the probe need, and enables those APIs. What it may not read it leaves out, and says so: the checks that wait for it are neither right nor
wrong, \`configuration_unchecked\` counts the resources, and all other checks are made. When nothing at all could be read, the probe fails, which
accuses nobody. Of a secret only the state of its version is read. Values of environment variables never leave the code that reads the names, and nothing of an answer is kept but what a check looks at.

${permissionTable(configurationReads)}
The instances in use, the packets that Cloud NAT drops, the memory of Redis and exceeded quotas are measurements of Cloud Monitoring, some minutes old, each
read in one request; Google bills one series for each service, instance and quota that it returns.

A custom role with exactly these permissions is narrower still. \`roles/browser\` is enough to read the IAM policy of the project; roles that an
account has by a group, a folder or the organization are not in it.
`;
}

/** Returns the reads and their permissions as a Markdown table. */
export function permissionTable(reads: readonly GoogleReadName[]): string {
  const rows = reads
    .map((name) => googleReads[name])
    .map(({ what, api, permission, role }) => `| ${what} | \`${api}\` | \`${permission}\` | \`${role}\` |`);
  return `| what is read | API to enable | permission | narrowest role |
|---|---|---|---|
${[...new Set(rows)].join("\n")}
`;
}

function permissions(reads: readonly (keyof typeof googleReads)[]): string {
  const known: readonly GoogleRead[] = reads.map((name) => googleReads[name]);
  return known.map(({ permission }) => `\`${permission}\``).join(" ");
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

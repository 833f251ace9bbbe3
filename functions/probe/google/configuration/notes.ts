/** The documentation of the checks on the page of `gcp_configuration`: one row per check, generated from the check itself. */
import { configurationReads, type GoogleRead, type GoogleReadName, googleReads } from "../permissions.ts";
import { checks } from "./checks.ts";

/** The notes, in Markdown. */
export function configurationNotes(): string {
  return `## What is checked

Every applicable check produces a finding and a sample of \`configuration_ok\` for each resource that it covers. A check that needs an expectation
(such as \`cpu\` of a service) is made only if the settings contain one. The name of a check is stable: \`ignore\`, rules
(\`configuration_ok{check="vpc_connector_state"} == 0\`) and the evidence of an incident refer to it.

The severity of a finding: \`critical\` means that something does not work because of it, and the probe fails. \`warning\` means that something will
fail under load or later. \`info\` means that a setting deviates from good practice without causing a failure. Warnings and infos do not fail the
probe; use rules to alert on them.

| check | severity | what is checked | why | permissions |
|---|---|---|---|---|
${checks.map((check) => `| \`${check.name}\` | ${check.severity} | ${cell(check.title)} | ${cell(check.why)} ${cell(check.remedy)} | ${permissions(check.reads)} |`).join("\n")}

## What it needs

The probe only reads, and reads each resource once per run. Terraform grants the permissions that the settings of the probe require, and enables the
APIs. Resources that may not be read are reported: the checks that depend on them neither pass nor fail, \`configuration_unchecked\` counts the
resources, and all other checks are made. If nothing at all can be read, the probe fails, but the failure does not count against any component. Of a
secret, only the state of its version is read. Values of environment variables never leave the code that reads the names, and only the fields that a
check uses are kept of an answer.

${permissionTable(configurationReads)}
The instances in use, the packets that Cloud NAT drops, the memory of Redis and exceeded quotas are measurements of Cloud Monitoring, some minutes
old, each read in one request. Google bills one series for each service, instance and quota returned.

A custom role with exactly these permissions is narrower still. \`roles/browser\` is sufficient to read the IAM policy of the project. It does not
contain roles that an account has through a group, a folder or the organization.
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

/** The table of permissions of docs/init.md. */
import { readings } from "../../cli/commands/init/read.ts";

/** Returns the resources that `init` reads, by the role that grants access. */
export function initPermissions(): string {
  const rows = [...Map.groupBy(readings, ({ role }) => role)].map(([role, own]) => {
    const what = own.map((reading) => reading.what).join(", ");
    const permissions = [...new Set(own.map(({ permission }) => `\`${permission}\``))].join(" ");
    return `| \`${role}\` | ${what} | ${permissions} |`;
  });
  return ["| role | what it shows | permissions |", "|---|---|---|", ...rows].join("\n");
}

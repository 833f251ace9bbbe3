import { describe } from "vitest";
import { urls } from "../configuration/fixtures.ts";
import { all, checkTable, of } from "./checks.fixtures.ts";
import { secretChecks } from "./secrets.ts";

describe("configuration checks: secrets", () => {
  checkTable(secretChecks, [
    [
      "secret_versions",
      "disabled",
      of("session", "state", "DISABLED"),
      /^session-key version latest is DISABLED$/,
      "worker",
    ],
    ["secret_versions", "destroyed", of("mail", "state", "DESTROYED"), /^mail-password version 3 is DESTROYED$/],
    [
      "secret_versions",
      "missing",
      (table) => void delete table[urls.session],
      /^session-key version latest is missing$/,
      "worker",
    ],
    ["secret_versions", "a state that is not said", of("mail", "state", undefined), "unchecked"],
    [
      "secret_versions",
      "no secrets",
      all(
        of("worker", "template.volumes", undefined),
        of("worker", "template.containers.0.env", []),
        of("backend", "template.containers.0.env", []),
      ),
      "none",
    ],
  ]);
});

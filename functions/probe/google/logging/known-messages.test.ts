import { describe, expect, it } from "vitest";
import { roleNames } from "../../../../shared/config/roles.ts";
import { growthOf } from "../../../../tests/support/growth.ts";
import { knownMessages, meaningOf } from "./known-messages.ts";

const source = { resource: "Cloud Run service backend", name: "backend" };

describe("known log messages", () => {
  it.each(knownMessages.map((row) => [row.name, row] as const))(
    "have an example, a remedy and a source: %s",
    (name, row) => {
      const means = meaningOf(row.example, source);
      expect(means?.name).toBe(name);
      expect(means?.says).toMatch(/^[A-Z].*\.$/);
      expect(means?.remedy).toMatch(/^[A-Z].*\.$/);
      expect(`${means?.says} ${means?.remedy}`).not.toContain("undefined");
      expect(row.source).toMatch(/^https:|^the startup/);
      for (const role of row.blames ?? []) expect(roleNames).toContain(role);
    },
  );

  it.each([
    [
      "Secret Version [projects/1/secrets/key/versions/7] is in DISABLED state.",
      "gcloud secrets versions enable 7 --secret key",
    ],
    [
      "googleapi: Error 403: boss::NOT_AUTHORIZED: Not authorized to access resource, forbidden. sqladmin",
      "roles/cloudsql.client",
    ],
    ["SMD Phase 3: DATABASE initialization timed out", "update-labels restarted"],
    ["phase_5 error: services", "gcloud run services logs read backend"],
    ["failed during startup phase 7", "gcloud run services logs read backend"],
    ["Container called exit(3).", "--to-revisions REVISION=100"],
  ])("include %s", (message, remedy) => {
    expect(meaningOf(message, source)?.remedy).toContain(remedy);
  });

  it.each([
    "Container called exit(0).",
    "phase 3 completed in 4.2 s",
    "GET /orders 500 in 12 ms",
    "KeyError: 'user'",
    "",
  ])("do not include %j", (message) => {
    expect(meaningOf(message, source)).toBeUndefined();
  });

  it.each(["403 ", "phase 3 ", "sqladmin ", "RESOURCE_EXHAUSTED ", "secrets/a/versions/1 "])(
    "are matched against a long message of %j in linear time",
    (part) => {
      expect(growthOf((size) => meaningOf(part.repeat(size), source), 100)).toBeLessThan(32);
    },
  );
});

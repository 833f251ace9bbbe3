import { describe, expect, it } from "vitest";
import { readingPhase } from "../../../../shared/messages/report.ts";
import { checkTable } from "../checks/checks.fixtures.ts";
import { checks } from "./checks.ts";
import { answers, assessed, refusal, set, urls, written } from "./fixtures.ts";

describe("an environment with a valid configuration", () => {
  it("passes every check that applies to it", async () => {
    const { failure, findings = [], unchecked, measurements } = await assessed(answers());
    expect(findings.filter(({ ok }) => !ok)).toEqual([]);
    expect([failure, unchecked]).toEqual([undefined, []]);
    const made = new Set(findings.map(({ check }) => check));
    const notMade = checks.map(({ name }) => name).filter((name) => !made.has(name));
    // No service in this environment uses the socket.
    expect(notMade).toEqual([
      "connections_of_one_instance",
      "private_database_without_vpc_access",
      "socket_without_volume",
      "socket_on_private_instance",
      "socket_with_new_certificates",
    ]);
    expect(measurements).toHaveLength(findings.length + 1);
    expect(measurements.at(-1)).toEqual({ metric: "configuration_unchecked", value: 0 });
  });
});

describe("configuration checks", () => {
  checkTable(
    checks.filter(({ name }) => name === "resource_exists"),
    [
      ["resource_exists", "a missing connector", (table) => void delete table[urls.connector], /^missing$/],
      [
        "resource_exists",
        "a missing endpoint group",
        (table) => void delete table[urls.group],
        /^shop-backend-neg, which it references, is missing$/,
      ],
    ],
  );

  it("have stable names and whole sentences that fit a finding", async () => {
    for (const { name, title, why, remedy } of checks) {
      expect(name).toMatch(/^[a-z0-9]+(_[a-z0-9]+)+$/);
      expect(title).not.toMatch(/^[A-Z].*\.$/);
      for (const sentence of [why, remedy]) expect(sentence).toMatch(/^[A-Z].*\.$/);
      expect(`${why} ${remedy}`.length, name).toBeLessThanOrEqual(300);
    }
    expect(new Set(checks.map(({ name }) => name)).size).toBe(checks.length);
  });

  it("are skipped when they are ignored", async () => {
    const [table, settings] = [answers(), written()];
    set(table[urls.connector], "state", "ERROR");
    const { failure, findings = [] } = await assessed(table, { ...settings, ignore: ["vpc_connector_state"] });
    expect(failure).toBeUndefined();
    expect(findings.map(({ check }) => check)).not.toContain("vpc_connector_state");
  });
});

describe("a read that is not permitted", () => {
  it.each(Object.entries(urls))("of %s skips the checks that need it, and no others", async (_, url) => {
    const whole = await assessed(answers());
    const {
      failure,
      findings = [],
      unchecked = [],
    } = await assessed({ ...answers(), [url]: refusal(403, "IAM_PERMISSION_DENIED") });
    expect(failure).toBeUndefined();
    expect(findings.filter(({ ok }) => !ok)).toEqual([]);
    const [entry, ...others] = unchecked;
    expect(others).toEqual([]);
    expect(entry?.explanation).toMatch(
      /^The .* could not be read: grant the service account of the probe the permission [\w.]+ in the project shop-staging, for example with roles\/[\w.]+\.$/,
    );
    const made = new Set(findings.map(({ check, resource }) => `${check} ${resource}`));
    const lost = (whole.findings ?? []).filter(({ check, resource }) => !made.has(`${check} ${resource}`));
    // Only the answer determines whether these checks apply.
    const byAnswer = [
      "private_database_without_vpc_access",
      "vpc_connector_region",
      "secret_versions",
      "direct_vpc_first_connection",
    ];
    const waiting = entry?.checks.filter(
      (check) => !byAnswer.includes(check) || lost.some((finding) => finding.check === check),
    );
    expect([...new Set(lost.map(({ check }) => check))].sort()).toEqual(waiting?.toSorted());
    expect(lost.length).toBeGreaterThan(0);
  });

  it.each([
    [
      "PERMISSION_DENIED",
      refusal(403, "IAM_PERMISSION_DENIED"),
      /permission vpcaccess\.connectors\.get in the project shop-staging, for example with roles\/vpcaccess\.viewer\.$/,
    ],
    [
      "a disabled API",
      refusal(403, "SERVICE_DISABLED"),
      /gcloud services enable vpcaccess\.googleapis\.com --project shop-staging\.$/,
    ],
    [
      "a disabled API, said the old way",
      refusal(403, "HTTP_403", "X API has not been used in project 1 before or it is disabled."),
      /gcloud services enable/,
    ],
    ["no identity", refusal(0, "NO_IDENTITY"), /gcloud auth application-default login/],
    ["a token that is not accepted", refusal(401, "UNAUTHENTICATED"), /no identity that Google accepts/],
    ["trouble of Google's", refusal(503, "UNAVAILABLE"), /vpcaccess\.googleapis\.com answered 503 UNAVAILABLE\.$/],
    [
      "no network",
      refusal(0, "UNREACHABLE", "vpcaccess.googleapis.com gave no answer: connect ECONNREFUSED"),
      /gave no answer: connect ECONNREFUSED\.$/,
    ],
  ])("with %s names the remedy", async (_, error, sentence) => {
    const { unchecked = [] } = await assessed({ ...answers(), [urls.connector]: error });
    expect(unchecked).toMatchObject([
      { resource: "shop-connector", component: "vpc-connector", explanation: expect.stringMatching(sentence) },
    ]);
    expect(String(unchecked[0]?.explanation).length).toBeLessThanOrEqual(300);
  });

  it("fails the probe if it applies to all reads", async () => {
    const table = Object.fromEntries(Object.values(urls).map((url) => [url, refusal(403, "IAM_PERMISSION_DENIED")]));
    const { failure, findings } = await assessed(table);
    expect(findings).toEqual([]);
    expect(failure).toMatchObject({
      kind: "auth",
      phase: readingPhase,
      message: expect.stringContaining("roles/vpcaccess.viewer"),
    });
  });
});

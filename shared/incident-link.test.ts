import { describe, expect, it } from "vitest";
import { incidentLink, incidentLinks, incidentUrl } from "./incident-link.ts";

const incident = "20250916-120900-vpc-connector";

describe("link to an incident", () => {
  it.each<[string, string | undefined, Record<string, string>, string | undefined]>([
    [
      "in the console of the project",
      undefined,
      { PATHKEEPER_PROJECT: "shop-staging" },
      `https://console.cloud.google.com/firestore/databases/-default-/data/panel/incidents/${incident}?project=shop-staging`,
    ],
    [
      "and of its database",
      undefined,
      { PATHKEEPER_PROJECT: "shop-staging", PATHKEEPER_DATABASE: "pathkeeper" },
      `https://console.cloud.google.com/firestore/databases/pathkeeper/data/panel/incidents/${incident}?project=shop-staging`,
    ],
    [
      "where the environment says",
      undefined,
      { PATHKEEPER_INCIDENT_URL: `http://127.0.0.1:80/\${incident}`, PATHKEEPER_PROJECT: "shop" },
      `http://127.0.0.1:80/${incident}`,
    ],
    [
      "before all, where the configuration says",
      `https://ops.example.com/i?id=\${incident}`,
      { PATHKEEPER_INCIDENT_URL: `http://127.0.0.1:80/\${incident}` },
      `https://ops.example.com/i?id=${incident}`,
    ],
    ["nowhere in an emulator", undefined, { PATHKEEPER_PROJECT: "shop", FIRESTORE_EMULATOR_HOST: "x:1" }, undefined],
    ["nowhere without any of them", undefined, {}, undefined],
  ])("%s", (_, configured, environment, expected) => {
    const links = incidentLinks(configured === undefined ? {} : { incidentUrl: configured }, environment);
    expect(links && incidentLink(links, incident)).toBe(expected);
  });

  it("stays at the address for any id", () => {
    expect(incidentLink(`https://ops.example.com/\${incident}`, "../a?b#c\ud800")).toBe(
      "https://ops.example.com/..%2Fa%3Fb%23c%EF%BF%BD",
    );
  });

  it.each<[string, string]>([
    ["ftp://example.com/${incident}", "is not a valid address"],
    ["https:///${incident}", "is not a valid address"],
    ["https://example.com/", "has no place for the id of the incident"],
    ["https://example.com/${id}", 'knows no field "id", only ${incident}'],
    ["https://example.com/${incident", "does not close the brace of ${incident"],
  ])("refuses %s", (text, message) => {
    const { error } = incidentUrl.safeParse(text);
    expect(error?.issues[0]?.message).toContain(message);
  });
});

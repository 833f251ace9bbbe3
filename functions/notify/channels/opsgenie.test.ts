import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { Notice, OutgoingRequest } from "../channel.ts";
import { configurationOf, heldLedger, incidentEvent, noon, noticeOf, resolvedEvent } from "../fixtures.ts";
import { plan } from "../plan/plan.ts";
import { characters } from "../text/fit.ts";
import { opsgenie } from "./opsgenie.ts";
import { hostileNotices, leftOut } from "./support/hostile.fixtures.ts";
import { serviceContract, text } from "./support/service.contract.ts";

/** https://docs.opsgenie.com/docs/alert-api */
const form = z.union([
  z.strictObject({ source: text(100), note: text(25_000) }),
  z.strictObject({
    message: text(130),
    alias: text(512),
    description: text(15_000),
    entity: text(512, 0),
    source: text(100),
    priority: z.enum(["P1", "P2", "P3", "P4", "P5"]),
    details: z
      .record(z.string(), z.string())
      .refine((details) => characters(JSON.stringify(details)) <= 8_000, "must have at most 8,000 characters")
      .optional(),
  }),
]);

serviceContract(opsgenie, form);

function requestOf(notice: Notice = noticeOf(incidentEvent()), settings: object = {}): OutgoingRequest {
  const parsed = opsgenie.settings.parse({ api_key: { secret: "opsgenie-key" }, ...settings });
  return opsgenie.render(parsed, notice) as OutgoingRequest;
}

describe("an incident", () => {
  it("opens one alert, with the incident id as its alias", () => {
    const request = requestOf();
    expect(request).toMatchObject({
      url: "https://api.opsgenie.com/v2/alerts",
      headers: { authorization: "GenieKey ${secret:opsgenie-key}" },
      allowPrivate: false,
    });
    expect(JSON.parse(request.body)).toEqual({
      message: "critical · Netra staging · Netra staging: VPC connector failing",
      alias: "20250916-120000-vpc-connector",
      description: expect.stringContaining("Impact: $500K+ ARR pipeline blocked"),
      entity: "VPC connector",
      source: "Netra staging",
      priority: "P1",
      details: { "Open the incident": noticeOf(incidentEvent()).url },
    });
  });

  it.each([
    [incidentEvent({ event: "acknowledged", status: "acknowledged" }), "acknowledge"],
    [resolvedEvent(), "close"],
  ])("updates that alert", (event, action) => {
    const request = requestOf(noticeOf(event), { region: "eu" });
    expect(request.url).toBe(
      `https://api.eu.opsgenie.com/v2/alerts/20250916-120000-vpc-connector/${action}?identifierType=alias`,
    );
    expect(JSON.parse(request.body)).toEqual({ source: "Netra staging", note: expect.stringContaining("Since: ") });
  });

  // https://developer.atlassian.com/cloud/jira/service-desk-ops/rest/v1/api-group-integration-events/
  it.each([
    [incidentEvent(), ""],
    [
      incidentEvent({ event: "acknowledged", status: "acknowledged" }),
      "/20250916-120000-vpc-connector/acknowledge?identifierType=alias",
    ],
    [resolvedEvent(), "/20250916-120000-vpc-connector/close?identifierType=alias"],
  ])("is the same request to Jira Service Management", (event, path) => {
    const notice = noticeOf(event);
    const request = requestOf(notice, { url: "https://api.atlassian.com/jsm/ops/integration/" });
    expect(request).toEqual({
      ...requestOf(notice),
      url: `https://api.atlassian.com/jsm/ops/integration/v2/alerts${path}`,
    });
    expect(request.headers).toMatchObject({ authorization: "GenieKey ${secret:opsgenie-key}" });
  });

  it("is closed with the key and region of its opening, even after the configuration changed", () => {
    const settings = { api_key: { secret: "first-key" }, region: "eu" };
    const [opening] = heldLedger("ops", [[{}, "delivered"]]);
    if (opening === undefined) throw new Error("there is an opening");
    const ledger = [
      { ...opening, delivery: { ...opening.delivery, kind: "opsgenie", settings: JSON.stringify(settings) } },
    ];
    const now = { name: "ops", kind: "opsgenie", settings: { api_key: { secret: "second-key" } } };
    for (const channels of [[now], []]) {
      const configuration = configurationOf(channels);
      const context = { configuration, kinds: { opsgenie }, silences: [], ledger };
      expect(plan(resolvedEvent(), context, noon).deliveries).toMatchObject([
        {
          payload: {
            url: "https://api.eu.opsgenie.com/v2/alerts/20250916-120000-vpc-connector/close?identifierType=alias",
            headers: { authorization: "GenieKey ${secret:first-key}" },
          },
        },
      ]);
    }
  });

  it.each(hostileNotices)("stays within Opsgenie's limits with %s", (_, notice) => {
    const { message, alias, description, entity, source } = JSON.parse(requestOf(notice).body);
    expect(characters(message)).toBeLessThanOrEqual(130);
    expect(characters(alias)).toBeLessThanOrEqual(512);
    expect(characters(description)).toBeLessThanOrEqual(15_000);
    expect(characters(entity)).toBeLessThanOrEqual(512);
    expect(characters(source)).toBeLessThanOrEqual(100);
    expect(description).not.toMatch(/[<>]/);
    expect(leftOut(description)).toEqual([]);
  });
});

it.each<[number, object]>([
  [202, { outcome: "delivered", answer: "202 x" }],
  [
    401,
    {
      outcome: "retry",
      correctable: true,
      answer: "401 x: the key is wrong: copy the key of the API integration into the secret again",
    },
  ],
  [429, { outcome: "retry", answer: "429 x" }],
  [503, { outcome: "retry", answer: "503 x" }],
])("classifies a response with %i", (status, expected) => {
  expect(opsgenie.classify({ status, headers: {}, body: "x" })).toEqual(expected);
});

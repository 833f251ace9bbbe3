import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { OutgoingRequest } from "../channel.ts";
import { incidentEvent, noticeOf } from "../fixtures.ts";
import { bytes } from "../text/fit.ts";
import { serviceContract } from "./support/service.contract.ts";
import { webhook } from "./webhook.ts";

/** https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
const form = z
  .strictObject({ type: z.string().regex(/^incident\.[a-z_]+$/), timestamp: z.iso.datetime(), data: z.looseObject({}) })
  .refine((body) => bytes(JSON.stringify(body)) < 20_000, "must have fewer than 20,000 bytes");

serviceContract(webhook, form);

function requestOf(changes: Parameters<typeof incidentEvent>[0] = {}, settings: object = {}): OutgoingRequest {
  const parsed = webhook.settings.parse({ url: { secret: "ops-url" }, ...settings });
  return webhook.render(parsed, noticeOf(incidentEvent(changes))) as OutgoingRequest;
}

describe("settings", () => {
  it.each<[object, string]>([
    [{ url: "http://example.com/" }, "must be https://host/path, or with allow_private: true also http://host/path"],
    [{ url: "example.com" }, "must be https://host/path"],
    [{ url: "ftp://example.com/", allow_private: true }, "must be https://host/path"],
    [{ signing_key: "whsec_abc" }, "a secret does not belong in this file: write { secret: NAME }"],
    [{ signing_keys: [] }, "must name at least one secret"],
    [
      { signing_key: { secret: "a" }, signing_keys: [{ secret: "b" }] },
      "cannot be combined with signing_key: remove one of them",
    ],
    [{ headers: { "Content-Length": "1" } }, "is a header that Pathkeeper sets itself: remove it"],
    [{ headers: { "Webhook-Id": "1" } }, "is a header that Pathkeeper sets itself: remove it"],
    [{ headers: { "ce-id": "1" } }, "is a header that Pathkeeper sets itself: remove it"],
    [{ cloudevents: "batched" }, "must be binary or structured; remove the setting for plain JSON"],
    [{ headers: { "X Team": "1" } }, "must be a header name"],
  ])("refuse %j", (changes, message) => {
    const { error } = webhook.settings.safeParse({ url: { secret: "ops-url" }, ...changes });
    expect(JSON.stringify(error?.issues)).toContain(message);
  });

  it("allow plain HTTP on private networks only", () => {
    const url = "http://10.0.0.7/hook";
    expect(requestOf({}, { url, allow_private: true })).toMatchObject({ url, allowPrivate: true });
    expect(requestOf()).toMatchObject({ url: "${secret:ops-url}", allowPrivate: false });
  });
});

describe("a request", () => {
  it("contains the whole event in the envelope of Standard Webhooks", () => {
    const event = incidentEvent();
    const request = requestOf({}, { signing_keys: [{ secret: "old" }, { secret: "new" }] });
    expect(JSON.parse(request.body)).toEqual({
      type: "incident.opened",
      timestamp: "2025-09-16T12:00:00.000Z",
      data: { ...event, environment_title: "Netra staging", url: noticeOf(incidentEvent()).url },
    });
    expect(request.signature).toEqual({
      id: "20250916-120000-vpc-connector:opened:ops",
      keys: ["${secret:old}", "${secret:new}"],
    });
  });

  it("is a CloudEvent in binary mode: the context in headers, the event in the body", () => {
    const { headers, body, signature } = requestOf({}, { cloudevents: "binary" });
    expect(headers).toEqual({
      "content-type": "application/json",
      "ce-specversion": "1.0",
      "ce-id": "20250916-120000-vpc-connector:opened:ops",
      "ce-source": "/pathkeeper/netra-staging",
      "ce-type": "pathkeeper.incident.opened",
      "ce-subject": "20250916-120000-vpc-connector",
      "ce-time": "2025-09-16T12:00:00.000Z",
    });
    expect(JSON.parse(body)).toEqual({
      ...incidentEvent(),
      environment_title: "Netra staging",
      url: noticeOf(incidentEvent()).url,
    });
    expect(signature?.id).toBe(headers["ce-id"]);
  });

  it("is a CloudEvent in structured mode: all of it in the body", () => {
    const { headers, body } = requestOf({}, { cloudevents: "structured" });
    expect(headers).toEqual({ "content-type": "application/cloudevents+json" });
    expect(JSON.parse(body)).toEqual({
      specversion: "1.0",
      id: "20250916-120000-vpc-connector:opened:ops",
      source: "/pathkeeper/netra-staging",
      type: "pathkeeper.incident.opened",
      subject: "20250916-120000-vpc-connector",
      time: "2025-09-16T12:00:00.000Z",
      datacontenttype: "application/json",
      data: { ...incidentEvent(), environment_title: "Netra staging", url: noticeOf(incidentEvent()).url },
    });
  });

  it("escapes event texts in CloudEvents headers", () => {
    const { headers } = requestOf({ incident: 'a "b"\r\nX-Evil: 1 é %' }, { cloudevents: "binary" });
    for (const value of Object.values(headers)) expect(value).toMatch(/^([!#$&-~]|%[0-9A-F]{2})+$/);
  });

  it("without a key is unsigned, but has its id", () => {
    expect(requestOf().signature).toEqual({ id: "20250916-120000-vpc-connector:opened:ops", keys: [] });
  });

  it("stays under 20 KB: leaves out evidence first, then whys, and counts them", () => {
    const sentence = "x".repeat(280);
    const many = requestOf({ evidence: Array(100).fill(sentence) });
    const more = requestOf({ evidence: Array(100).fill(sentence), whys: Array(100).fill(sentence) });
    for (const { body } of [many, more]) expect(Buffer.byteLength(body)).toBeLessThan(20_000);
    const { evidence, whys, folded } = JSON.parse(many.body).data;
    expect(evidence.length + folded.evidence).toBe(100);
    expect(evidence.length).toBeGreaterThan(50);
    expect(whys).toHaveLength(2);
    expect(JSON.parse(more.body).data.folded).toMatchObject({ evidence: 100, whys: expect.any(Number) });
  });
});

describe("classifying a response", () => {
  const date = "Tue, 16 Sep 2025 12:00:00 GMT";

  it.each<[number, Record<string, string>, object]>([
    [204, {}, { outcome: "delivered", answer: "204" }],
    [302, {}, { outcome: "rejected", answer: "302: redirects are not followed, configure the final address" }],
    [400, {}, { outcome: "rejected", answer: "400" }],
    [404, {}, { outcome: "retry", correctable: true, answer: "404" }],
    [408, {}, { outcome: "retry", answer: "408" }],
    [410, {}, { outcome: "rejected", answer: "410: the receiver is gone for good, remove the channel" }],
    [429, { "retry-after": "120" }, { outcome: "retry", answer: "429", afterMs: 120_000 }],
    [429, { "retry-after": "99999999" }, { outcome: "retry", answer: "429", afterMs: 3_600_000 }],
    [
      503,
      { "retry-after": "Tue, 16 Sep 2025 12:01:00 GMT", date },
      { outcome: "retry", answer: "503", afterMs: 60_000 },
    ],
    [503, { "retry-after": "Tue, 16 Sep 2025 11:00:00 GMT", date }, { outcome: "retry", answer: "503", afterMs: 0 }],
    [503, { "retry-after": "soon" }, { outcome: "retry", answer: "503" }],
    [500, {}, { outcome: "retry", answer: "500" }],
  ])("%i with %j", (status, headers, expected) => {
    expect(webhook.classify({ status, headers, body: "" })).toEqual(expected);
  });
});

it("folds items that do not fit, and counts them", () => {
  const evidence = Array.from({ length: 200 }, (_, at) => `${at} ${"x".repeat(290)}`);
  const { data } = JSON.parse(requestOf({ evidence }).body);
  expect(data.evidence.length + data.folded.evidence).toBe(200);
});

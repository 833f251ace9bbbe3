import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { Notice, OutgoingRequest } from "../channel.ts";
import { incidentEvent, noticeOf } from "../fixtures.ts";
import { characters } from "../text/limits.ts";
import { mattermost } from "./mattermost.ts";
import { hostileNotices, leftOut } from "./support/hostile.fixtures.ts";
import { serviceContract, text } from "./support/service.contract.ts";

/** https://developers.mattermost.com/integrate/webhooks/incoming/#parameters */
const form = z.strictObject({
  text: text(16_383),
  channel: z.string().optional(),
  username: z.string().optional(),
});

serviceContract(mattermost, form);

function requestOf(notice: Notice = noticeOf(incidentEvent()), settings: object = {}): OutgoingRequest {
  const given = { url: { secret: "mattermost-url" }, ...settings };
  return mattermost.render(mattermost.settings.parse(given), notice) as OutgoingRequest;
}

function textOf(notice: Notice): string {
  return JSON.parse(requestOf(notice).body).text;
}

describe("a message", () => {
  it("goes to the webhook's channel, or to the configured channel and username", () => {
    const plain = requestOf();
    expect(plain).toMatchObject({ url: "${secret:mattermost-url}", allowPrivate: false });
    expect(Object.keys(JSON.parse(plain.body))).toEqual(["text"]);
    const { body, allowPrivate } = requestOf(undefined, {
      channel: "town-square",
      username: "Pathkeeper ${secret:name}",
      allow_private: true,
    });
    expect(JSON.parse(body)).toMatchObject({ channel: "town-square", username: "Pathkeeper ${secret:name}" });
    expect(allowPrivate).toBe(true);
  });

  it.each([{ channel: "Town Square" }, { username: "" }, { url: "https://mattermost.example.com/hooks/x" }])(
    "is refused with the invalid setting %j",
    (settings) => {
      expect(mattermost.settings.safeParse({ url: { secret: "u" }, ...settings }).success).toBe(false);
    },
  );

  it.each(["@channel", "@all @here", "x@channel", "<!channel> <!here>", "\\@all", "<@U123|bob>"])(
    "creates no mention for %s",
    (summary) => {
      const said = textOf(noticeOf(incidentEvent({ summary, evidence: [summary] })));
      expect(said).not.toMatch(/@[\w]|<[!@]/);
    },
  );

  it("escapes Markdown", () => {
    const said = textOf(noticeOf(incidentEvent({ summary: "# **bold** [link](https://evil.example) `code` | ~x~" })));
    expect(said).toContain("\\# \\*\\*bold\\*\\* \\[link\\](https://\u2060evil.example) \\`code\\` \\| \\~x\\~");
  });

  it("links to the incident, whatever characters its URL has", () => {
    const said = textOf({ ...noticeOf(incidentEvent()), url: "https://console.example.com/a(b)|c" });
    expect(said).toContain("[Open the incident](https://console.example.com/a%28b%29%7cc)");
  });

  it.each(hostileNotices)("stays within 16,383 characters with %s", (_, notice) => {
    const said = textOf(notice);
    expect(characters(said)).toBeLessThanOrEqual(16_383);
    expect(leftOut(said)).toEqual([]);
  });
});

it.each<[number, string]>([
  [200, "delivered"],
  [404, "retry"],
  [429, "retry"],
  [500, "retry"],
])("classifies a response with %i as %s", (status, outcome) => {
  expect(mattermost.classify({ status, headers: {}, body: "" }).outcome).toBe(outcome);
});

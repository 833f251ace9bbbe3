/** Custom bodies: JSON from the configuration, with fields of the notice filled in. */
import { describe, expect, it } from "vitest";
import { vocabulary } from "../../../cli/vocabulary.ts";
import { loadConfiguration } from "../../../shared/config/load.ts";
import type { OutgoingRequest } from "../channel.ts";
import { sender } from "../deliver/send.ts";
import { incidentEvent, noticeOf, secretsOf, webInbox } from "../fixtures.ts";
import { webhook } from "./webhook.ts";

const url = "https://hooks.example.com/";

function requestOf(body: unknown, changes: Parameters<typeof incidentEvent>[0] = {}): OutgoingRequest {
  return webhook.render(webhook.settings.parse({ url, body }), noticeOf(incidentEvent(changes))) as OutgoingRequest;
}

describe("a custom body", () => {
  it("is the JSON from the configuration, with the fields filled in", () => {
    const { body } = requestOf({
      fields: { project: { key: "OPS" }, summary: "${severity}: ${title}", labels: ["${priority}", 4, true, null] },
      event: "${event} ${status} ${key}",
    });
    expect(JSON.parse(body)).toEqual({
      fields: {
        project: { key: "OPS" },
        summary: "critical: Netra staging: VPC connector failing",
        labels: ["P0", 4, true, null],
      },
      event: "opened open 20250916-120000-vpc-connector:opened:ops",
    });
  });

  it.each(['"},"admin":true,{"x":"', "${secret:token}", "\\u0000\n\r\t", "\ud83d", "</script>", "$${x}"])(
    "keeps a text from a target as one JSON string: %j",
    async (text) => {
      await using inbox = await webInbox();
      const settings = webhook.settings.parse({
        url: inbox.url,
        allow_private: true,
        body: { text: "${summary}", token: "${secret:token}", dollars: "$${summary}" },
      });
      const outgoing = webhook.render(settings, noticeOf(incidentEvent({ summary: text })));
      await sender(secretsOf({ token: 'canary"' }))(outgoing, 0);
      const sent = JSON.parse(inbox.received[0]?.body ?? "");
      expect(Object.keys(sent)).toEqual(["text", "token", "dollars"]);
      expect(sent).toMatchObject({ token: 'canary"', dollars: "${summary}" });
      expect(sent.text).not.toContain("canary");
    },
  );

  it("stays below the size limit, whatever the length of the texts", () => {
    const long = Array.from({ length: 400 }, (_, index) => `Fact ${index} ${"é".repeat(300)}`);
    const { body } = requestOf(
      { a: "${evidence}", b: "${next_steps}", c: "${summary}" },
      {
        evidence: long,
        next_steps: long,
        summary: "x".repeat(50_000),
      },
    );
    expect(Buffer.byteLength(body)).toBeLessThan(20_000);
  });

  it.each<[string, RegExp]>([
    ["{ text: '${severty}' }", /unknown field "severty": did you mean "?severity/],
    ["{ text: '${severity' }", /the brace of \$\{ is not closed/],
    ["text", /must be a map or a list/],
  ])("is validated: %s", (body, expected) => {
    const text = `
environment: shop
control: off
components: { shop: { layer: application } }
probes: { shop: { kind: http, component: shop, url: "https://shop.example.com/" } }
channels: { hook: { kind: webhook, url: "${url}", body: ${body} } }
routes: [{ channels: [hook] }]
`;
    const loaded = loadConfiguration(text, "monitor.yaml", vocabulary);
    const problems = "problems" in loaded ? loaded.problems.map(({ message }) => message).join() : "valid";
    expect(problems).toMatch(expected);
  });
});

it("sends only the configured events, without adding the resolution", () => {
  const settings = webhook.settings.parse({ url, only: ["opened"] });
  expect(
    ["opened", "severity_raised", "resolved"].map((event) => webhook.omits?.(settings, event as "opened")),
  ).toEqual([undefined, expect.stringContaining("`only`"), expect.stringContaining("`only`")]);
});

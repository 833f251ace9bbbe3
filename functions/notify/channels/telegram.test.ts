import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { Notice, OutgoingRequest, Reply } from "../channel.ts";
import { SecretFiller } from "../deliver/secrets.ts";
import { incidentEvent, noticeOf, secretsOf } from "../fixtures.ts";
import { hostileNotices, leftOut } from "./support/hostile.fixtures.ts";
import { serviceContract, text } from "./support/service.contract.ts";
import { telegram } from "./telegram.ts";

/** https://core.telegram.org/bots/api#sendmessage */
const form = z.strictObject({
  chat_id: z.union([z.int(), text(64)]),
  message_thread_id: z.int().optional(),
  text: text(35_000),
  parse_mode: z.literal("HTML"),
  link_preview_options: z.strictObject({ is_disabled: z.literal(true) }),
});

serviceContract(telegram, form);

function requestOf(notice: Notice = noticeOf(incidentEvent()), settings: object = {}): OutgoingRequest {
  const given = { token: { secret: "telegram-token" }, chat_id: "-1001234567890", ...settings };
  return telegram.render(telegram.settings.parse(given), notice) as OutgoingRequest;
}

function textOf(notice: Notice): string {
  return JSON.parse(requestOf(notice).body).text;
}

/** Returns the text without the tags and entities of Telegram's HTML. Telegram refuses all others. */
function shown(html: string): string {
  const plain = html.replaceAll(/<\/?[bi]>|<a href="[^"<>]*">|<\/a>/g, "");
  expect(plain).not.toMatch(/[<>]|&(?!(amp|lt|gt|quot);)/);
  return plain.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
}

describe("settings", () => {
  it.each<[object, string]>([
    [{ token: "123456:ABC" }, "a secret does not belong in this file: write { secret: NAME }"],
    [{ chat_id: "incidents" }, "must be a chat ID"],
    [{ message_thread_id: 0 }, "must be the number of a topic"],
  ])("refuse %j", (changes, message) => {
    const given = { token: { secret: "t" }, chat_id: 1, ...changes };
    expect(JSON.stringify(telegram.settings.safeParse(given).error?.issues)).toContain(message);
  });
});

describe("a message", () => {
  it("goes to the chat, with the token in the path of the URL", async () => {
    const request = requestOf(undefined, { message_thread_id: 7 });
    expect(request.url).toBe("https://api.telegram.org/bot${secret:telegram-token}/sendMessage");
    const filler = new SecretFiller(secretsOf({ "telegram-token": "123456:AAF-x_y" }));
    expect((await filler.url(request.url, ["https:"])).href).toBe(
      "https://api.telegram.org/bot123456:AAF-x_y/sendMessage",
    );
    expect(JSON.parse(request.body)).toMatchObject({
      chat_id: "-1001234567890",
      message_thread_id: 7,
      parse_mode: "HTML",
      link_preview_options: { is_disabled: true },
    });
  });

  it("shows texts from targets literally, and mentions nobody", () => {
    const summary = '<b>not bold</b> </a> &amp; "quoted" *x* _y_ @everyone <a href="tg://user?id=1">';
    const said = shown(textOf(noticeOf(incidentEvent({ summary }))));
    expect(said.replaceAll("\u2060", "")).toContain(summary);
    expect(said).not.toMatch(/@\w/);
  });

  it.each(hostileNotices)("stays within 4,096 characters after parsing entities, with %s", (_, notice) => {
    const said = shown(textOf(notice));
    expect(said.length).toBeLessThanOrEqual(4_096);
    expect(leftOut(`${said}\n${notice.url}`)).toEqual([]);
  });
});

describe("classifying a response", () => {
  const reply = (status: number, body: object, headers = {}): Reply => ({
    status,
    headers,
    body: JSON.stringify(body),
  });

  it.each<[string, Reply, object]>([
    ["of success", reply(200, { ok: true, result: { message_id: 1 } }), { outcome: "delivered" }],
    [
      "that asks for a delay",
      reply(429, { ok: false, error_code: 429, parameters: { retry_after: 35 } }),
      { outcome: "retry", afterMs: 35_000 },
    ],
    ["that asks for a delay of days", reply(429, { parameters: { retry_after: 999_999 } }), { afterMs: 3_600_000 }],
    [
      "that asks for a delay in the header",
      { status: 429, headers: { "retry-after": "3" }, body: "busy" },
      { afterMs: 3_000 },
    ],
    [
      "that refuses the token",
      reply(401, { ok: false, description: "Unauthorized" }),
      { outcome: "retry", correctable: true, answer: expect.stringContaining("the token is wrong") },
    ],
    ["from a broken server", reply(502, {}), { outcome: "retry" }],
  ])("%s", (_, answer, expected) => {
    expect(telegram.classify(answer)).toMatchObject(expected);
  });
});

import { describe, expect, it } from "vitest";
import { capture, isSecretName, withoutSecretFields } from "./capture.ts";

const documents = [
  { token: "abc", user: { id: 7 }, empty: "", none: null },
  { late: true, token: "second" },
];
const headers = { "set-cookie": "a=1; session=s-9; Path=/", "x-list": ["p", "q"] };

describe("capture", () => {
  it.each([
    [{ token: { json: "$.token" } }, [["token", "abc", true]], undefined],
    [
      { id: { json: "$.user.id" }, late: { json: "$.late" } },
      [
        ["id", 7, false],
        ["late", true, false],
      ],
      undefined,
    ],
    [{ whole: { json: "$.user", secret: true } }, [["whole", { id: 7 }, true]], undefined],
    [{ token: { json: "$.token", secret: false } }, [["token", "abc", false]], undefined],
    [{ sid: { header: "set-cookie", matches: "/session=([^;]+)/" } }, [["sid", "s-9", false]], undefined],
    [{ all: { header: "x-list", matches: "/p.*/" } }, [["all", "p, q", false]], undefined],
    [{ digits: { json: "$.user", matches: "/\\d+/" } }, [["digits", "7", false]], undefined],
    [{ x: { json: "$.nope" } }, [], "$.nope is missing, so ${x} cannot be captured"],
    [{ x: { json: "$.empty" } }, [], "$.empty is empty, so ${x} cannot be captured"],
    [{ x: { json: "$.none" } }, [], "$.none is null, so ${x} cannot be captured"],
    [{ x: { header: "x-nope" } }, [], "the header x-nope is missing, so ${x} cannot be captured"],
    [
      { x: { json: "$.nope" }, token: { json: "$.token" } },
      [["token", "abc", true]],
      "$.nope is missing, so ${x} cannot be captured",
    ],
    [
      { x: { header: "set-cookie", matches: "/no=(.*)/" } },
      [],
      "/no=(.*)/ in the header set-cookie is missing, so ${x} cannot be captured",
    ],
  ])("from %j captures %j", (wanted, values, problem) => {
    expect(capture(wanted, documents, headers)).toEqual({ values, ...(problem === undefined ? {} : { problem }) });
  });

  it("matches any pattern in linear time", () => {
    const text = `${"a ".repeat(100_000)}id=7;`;
    const place = { json: "$.text", matches: "/^(?:\\w+\\s?)*id=(\\d+);$/" };
    expect(capture({ id: place }, [{ text }]).values).toEqual([["id", "7", false]]);
    expect(capture({ id: place }, [{ text: `${text}!` }]).values).toEqual([]);
  });

  it.each([
    ["token", true],
    ["accessToken", true],
    ["api_key", true],
    ["PASSWORD", true],
    ["session_cookie", true],
    ["thread", false],
    ["key", false],
    ["user", false],
  ])("treats %s as secret by its name: %s", (name, secret) => {
    expect(isSecretName(name)).toBe(secret);
  });

  it.each([
    ['{"token":"abcdef","id":"abcdef"}', '{"token":"***","id":"abcdef"}'],
    ['{"a": {"refresh_token" : "ab\\"cdef"}, "x": 1}', '{"a": {"refresh_token" : "***"}, "x": 1}'],
    ['{"access_token":"abcdef', '{"access_token":"***'],
    ['{"token_kind":"jwt","tokens":12}', '{"token_kind":"jwt","tokens":12}'],
    ["no JSON, token: abcdef", "no JSON, token: abcdef"],
  ])("conceals the secret fields of %s", (text, expected) => {
    expect(withoutSecretFields(text)).toBe(expected);
  });
});

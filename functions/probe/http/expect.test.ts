import { describe, expect, it } from "vitest";
import { Redactor } from "../../../shared/text/redact.ts";
import { cite, TargetText } from "../text/target-text.ts";
import { expectations, type ObservedResponse, unmet } from "./expect.ts";

type Written = Omit<ObservedResponse, "body" | "statusText"> & { readonly body: string };

const seen: Written = {
  status: 200,
  headers: { "content-type": "application/json", "x-build": "42-abc" },
  body: '{"status":"healthy","pool":0.72,"ready":true,"checks":[{"name":"db"}]}',
  seconds: 1.5,
};

const judge = (settings: unknown, answer: Partial<Written> = {}): string | undefined => {
  const all = { ...seen, ...answer };
  let json: unknown;
  try {
    json = JSON.parse(all.body);
  } catch {
    json = undefined;
  }
  const answered = { ...all, statusText: TargetText.of("OK"), body: TargetText.of(all.body) };
  const failure = unmet(expectations().parse(settings), answered, json);
  return failure && cite`${failure.kind} at ${failure.phase}: ${failure.message}`.open(new Redactor());
};

describe("expectations", () => {
  it.each([
    [{}, 200, true],
    [{}, 299, true],
    [{}, 301, false],
    [{ status: 204 }, 204, true],
    [{ status: 204 }, 200, false],
    [{ status: "4xx" }, 404, true],
    [{ status: "200-204" }, 203, true],
    [{ status: "200-204" }, 205, false],
    [{ status: [200, "3xx"] }, 302, true],
    [{ status: [200, "3xx"] }, 201, false],
  ])("%j judges %i as %s", (settings, status, fine) => {
    expect(judge(settings, { status }) === undefined).toBe(fine);
  });

  it.each<[unknown, string | undefined]>([
    [{ headers: { "Content-Type": "application/json" } }, undefined],
    [{ headers: { "x-build": "/^\\d+-/" } }, undefined],
    [{ headers: { "x-build": "41" } }, 'body at response: the header x-build is "42-abc", expected 41'],
    [{ headers: { "x-none": "1" } }, "body at response: the header x-none is missing, expected 1"],
    [{ body_contains: "healthy" }, undefined],
    [{ body_contains: "sick" }, `body at body: the body does not contain "sick"; the body is: ${seen.body}`],
    [{ body_matches: '"pool":0\\.7\\d' }, undefined],
    [{ body_matches: "/HEALTHY/i" }, undefined],
    [{ body_matches: "^x" }, `body at body: the body does not match /^x/; the body is: ${seen.body}`],
    [{ json: { "$.status": "healthy", "$.ready": true, "$.pool": "< 0.8", "$.checks[0].name": "/^d/" } }, undefined],
    [{ json: { "$.pool": "<= 70%" } }, "body at body: $.pool is 0.72, expected <= 70%"],
    [{ json: { "$.status": "!= healthy" } }, 'body at body: $.status is "healthy", expected != healthy'],
    [{ json: { "$.status": "> 5" } }, 'body at body: $.status is "healthy", expected > 5'],
    [{ json: { "$.ready": "true" } }, undefined],
    [{ json: { "$.ready": false } }, "body at body: $.ready is true, expected false"],
    [{ json: { "$.none": 1 } }, "body at body: the body has no $.none, expected 1"],
    [{ max_time: "2s" }, undefined],
    [{ max_time: "1s" }, "timeout at response: answered after 1s500ms, expected within 1s"],
  ])("%j", (settings, problem) => {
    expect(judge(settings)).toBe(problem);
  });

  it("reports an excerpt of a body that is not JSON", () => {
    const told = judge({ json: { "$.status": "healthy" } }, { body: `<html>${"x".repeat(5_000)}` });
    expect(told).toMatch(/^body at body: the body is not JSON; the body is: <html>x+…$/);
    expect(told?.length).toBeLessThan(200);
  });

  it.each([
    ["^(\\w+\\s?)+ok$", `${"a".repeat(40)}!`],
    ["(a+)+b", "a".repeat(500_000)],
    ["^(a|aa)+$", `${"a".repeat(500_000)}b`],
    ["(x+x+)+y", "x".repeat(500_000)],
    ["(.*a){12}$", `${"a".repeat(100_000)}b`],
  ])("searches with %s in linear time", (pattern, body) => {
    for (const settings of [{ body_matches: pattern }, { headers: { "x-text": `/${pattern}/` } }])
      expect(judge(settings, { body, headers: { "x-text": body } })).toMatch(/^body at /);
    const json = { json: { "$.text": `/${pattern}/` } };
    expect(judge(json, { body: JSON.stringify({ text: body }) })).toMatch(/^body at body: \$\.text is /);
  });

  it("rejects an invalid pattern in every setting that accepts one", () => {
    for (const settings of [{ body_matches: "(" }, { headers: { a: "/(/" } }, { json: { "$.a": "/(/" } }])
      expect(expectations().safeParse(settings).error?.issues[0]?.message).toMatch(
        /^(must be a regular expression|invalid regular expression between the slashes): missing closing \) in "\("$/,
      );
  });
});

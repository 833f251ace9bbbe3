import { describe, expect, it } from "vitest";
import { headerMistake, hostMistake, unfilledMark, urlMistake } from "./written-address.ts";

const http = ["https", "http"];

describe("a configured URL", () => {
  it.each([
    "https://example.com",
    "https://example.com/health?deep=1#top",
    "http://localhost:8080/x",
    "http://10.0.0.2:1/",
    "http://[::1]:65535/x",
    "https://user:password@a.example/",
    "https://a.example./",
    "https://bücher.example/",
    "https://my_service.internal/",
    "https://a.example/threads/${thread}",
    "https://${host}/",
    "HTTPS://EXAMPLE.COM/",
  ])("accepts %s", (url) => expect(urlMistake(url, http)).toBeUndefined());

  it.each([
    ["example.com", "must be a URL that begins with https:// or http://"],
    ["ftp://example.com", "must be a URL that begins with https:// or http://"],
    ["https:///health", "the host after https:// is missing"],
    ["https://:443/", "the host after https:// is missing"],
    ["https://user@/x", "the host after https:// is missing"],
    ["https://?q", "the host after https:// is missing"],
    ["https://api..example.com/", 'invalid host "api..example.com"'],
    ["https://.example.com/", 'invalid host ".example.com"'],
    ["https://-a.example/", 'invalid host "-a.example"'],
    ["https://a!.example/", 'invalid host "a!.example"'],
    ["https://300.1.1.1/", 'invalid host "300.1.1.1"'],
    ["https://1.2.3/", 'invalid host "1.2.3"'],
    ["https://[::g]/", 'invalid IPv6 address "::g"'],
    ["https://[::1/", "the ] that closes the IPv6 address is missing"],
    ["https://example.com:99999/", "invalid port 99999: write one from 1 to 65535"],
    ["https://example.com:0/", "invalid port 0"],
    ["https://example.com:https/", "invalid port https"],
    ["https://example.com:/", "the port after the colon is missing"],
    ["https://example.com/a b", "a URL has no spaces and line breaks"],
    ["https://exa\nmple.com/", "a URL has no spaces and line breaks"],
    ["https://example.com\u0000/", "a URL has no spaces and line breaks"],
  ])("explains the error in %j", (url, said) => expect(urlMistake(url, http)).toContain(said));

  it("finds unfilled placeholders", () => {
    expect(unfilledMark("https://${HOST}/")).toBe("${HOST} is not filled in here: write the address itself");
    expect(unfilledMark("https://example.com/{id}")).toBeUndefined();
  });

  it.each([
    ["10.0.0.2", undefined],
    ["::1", undefined],
    ["cart.internal", undefined],
    [`${"a".repeat(64)}.example`, "at most 63 characters"],
    [`${"a.".repeat(130)}example`, "at most 253 characters"],
  ])("judges the host %s", (host, said) =>
    said === undefined ? expect(hostMistake(host)).toBeUndefined() : expect(hostMistake(host)).toContain(said),
  );

  it.each([
    ["Bearer abc", true],
    ["a\tb", true],
    ["Zürich", true],
    ["a\r\nset-cookie: b", false],
    ["a\nb", false],
    ["a\u0000b", false],
    ["a\u007fb", false],
  ])("judges the value of a header %j", (value, isRight) => expect(headerMistake(value) === undefined).toBe(isRight));
});

import { describe, expect, it } from "vitest";
import { redact } from "../../../shared/text/redact.ts";
import { secretsOf } from "../fixtures.ts";
import { literal, SettingText, wellFormedJson } from "../text/secret-text.ts";
import { SecretFiller } from "./secrets.ts";

const secrets = secretsOf({
  base: "https://chat.example.com/v1/spaces/A?key=k1",
  plain: "abc-123",
  token: "123456:AAF-x_y",
  odd: `a/b?c#d&e="f" g%\\`,
  host: "hooks.example.com:8443",
  line: "Bearer x\n",
});
const filler = (): SecretFiller => new SecretFiller(secrets);

describe("a URL", () => {
  it.each<[string, string]>([
    ["${secret:base}", "https://chat.example.com/v1/spaces/A?key=k1"],
    ["${secret:base}?requestId=a%3Ab", "https://chat.example.com/v1/spaces/A?key=k1&requestId=a%3Ab"],
    ["${secret:base}/messages?key=k2", "https://chat.example.com/v1/spaces/A/messages?key=k2"],
    ["https://a.example/bot${secret:token}/send", "https://a.example/bot123456:AAF-x_y/send"],
    ["https://a.example/${secret:odd}/x", "https://a.example/a%2Fb%3Fc%23d&e=%22f%22%20g%25%5C/x"],
    ["https://a.example/x?t=${secret:odd}", "https://a.example/x?t=a%2Fb%3Fc%23d%26e%3D%22f%22%20g%25%5C"],
    ["https://${secret:host}/x", "https://hooks.example.com:8443/x"],
    ["https://me:${secret:odd}@a.example/", "https://me:a%2Fb%3Fc%23d%26e%3D%22f%22%20g%25%5C@a.example/"],
    ["https://a.example/${secret:plain}?x=${secret:plain}", "https://a.example/abc-123?x=abc-123"],
  ])("%s is %s", async (text, expected) => {
    expect((await filler().url(text, ["https:"])).href).toBe(expected);
  });

  it.each<[string, string, string]>([
    ["https://${secret:odd}/x", "ESETTINGS", "used as a host"],
    ["${secret:plain}", "ESETTINGS", "the address is not a URL"],
    ["https://a.example/${secret: plain}", "ESETTINGS", "malformed placeholder"],
    ["https://a.example/${secret:missing}", "ESECRET", "the secret missing cannot be read"],
  ])("%s is refused", async (text, code, message) => {
    await expect(filler().url(text, ["https:"])).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
  });
});

describe("a header", () => {
  it("has unescaped secrets, without a trailing line break", async () => {
    expect(await filler().text("${secret:line} and ${secret:plain}")).toBe("Bearer x and abc-123");
  });
});

describe("a body", () => {
  it("is valid JSON for any secret", async () => {
    const body = wellFormedJson({
      key: new SettingText("=${secret:odd}="),
      said: "${secret:plain} $${secret:plain} ${x",
    });
    expect(JSON.parse(await filler().json(body))).toEqual({
      key: `=a/b?c#d&e="f" g%\\=`,
      said: "${secret:plain} $${secret:plain} ${x",
    });
  });

  it("does not fill in placeholders created by cutting", async () => {
    const body = wellFormedJson({ said: "$\ud83d{secret:plain}" });
    expect(await filler().json(body)).toBe('{"said":"${secret:plain}"}');
  });
});

it.each(["${secret:plain}", "$${", "$$${secret:plain}", "a ${b} $$", "${"])(
  "keeps a literal %s unchanged",
  async (text) => {
    expect(await filler().text(literal(text))).toBe(text);
  },
);

it("redacts filled-in values in every encoding", async () => {
  const one = filler();
  await one.url("https://a.example/bot${secret:token}/send?x=${secret:odd}", ["https:"]);
  for (const text of ["bot123456:AAF-x_y", "123456%3AAAF-x_y", encodeURIComponent(`a/b?c#d&e="f" g%\\`)])
    expect(redact(text, one.known)).toContain("***");
});

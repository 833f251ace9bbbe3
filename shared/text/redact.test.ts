import { describe, expect, it } from "vitest";
import * as fc from "../../tests/support/chance.ts";
import { repetitions } from "../../tests/support/repetitions.ts";
import { type Encode, encodings } from "./encodings.fixtures.ts";
import { bounded, excerpt, Redactor, redact } from "./redact.ts";

describe("bounded", () => {
  it.each([
    ["fine", 10, "fine"],
    ["exactly te", 10, "exactly te"],
    ["longer than ten", 10, "longer th…"],
    ["two\nlines\u0000\u001b[31m", 30, "two lines [31m"],
    ["12345678😀", 9, "12345678…"],
    ["1234567890😀", 10, "123456789…"],
  ])("bounds %j to %i characters: %j", (text, limit, expected) => {
    expect(bounded(text, [], limit)).toBe(expected);
  });

  it("truncates a very long text without leaking a secret", () => {
    const text = bounded(`token=s3cr3t-value ${"x".repeat(1_000_000)}`, ["s3cr3t-value"]);
    expect(text.length).toBe(300);
    expect(text).toMatch(/^token=\*\*\* x+…$/);
  });
});

const login = (text: string): string => `Basic ${encodings["base64"]?.(text)}`;

describe("redact", () => {
  it.each<[secret: string, text: string, expected: string]>([
    // Secrets as they are.
    ["p@ss/word", "a p@ss/word b p%40ss%2Fword c", "a *** b *** c"],
    ["p@ss/word", "p%40ss%2fword", "***"],
    ["a", "a b c", "a b c"],
    ["abc", "abc abd", "*** abd"],
    ["tr41ling\n", "tr41ling", "***"],
    // Tokens behind a scheme or the name of a header.
    ["Bearer t0ken-value", "t0ken-value is expired", "*** is expired"],
    ["Bearer t0ken-value", "Bearer t0ken-value is expired", "*** is expired"],
    ["Bearer t0ken-value", "write Bearer and a token", "write Bearer and a token"],
    ["DPoP t0ken-value", "t0ken-value", "***"],
    ["X-Api-Key: t0ken-value", "t0ken-value", "***"],
    ["Authorization: Bearer t0ken-value", "t0ken-value", "***"],
    ["Token token=t0ken-value", "t0ken-value", "***"],
    [
      'Digest username="someone", realm="someplace", response="d1gest"',
      "someone d1gest someplace",
      "someone *** someplace",
    ],
    // Logins: the user stays readable.
    [login("someone:p@ss/word"), "user someone, password p@ss/word", "user someone, password ***"],
    [login("someone:p@ss/word"), "someone:p@ss/word", "someone:***"],
    [login("someone:p@ss/word"), login("someone:p@ss/word").slice(6), "***"],
    [login("someone:p@ss:word"), "p@ss:word", "***"],
    [login("t0ken-value:"), "t0ken-value", "***"],
    [login("t0ken-value:"), "t0ken-value:", "***:"],
    ["someone:p@ss/word", "someone p@ss/word", "someone ***"],
    ["someone:p@ss/word", "someone:p@ss/word", "***"],
    ["someone:p@ss/word", login("someone:p@ss/word"), "Basic ***"],
    // URLs.
    ["postgres://someone:p%40ss%2Fword@host/db", "someone: p@ss/word", "someone: ***"],
    ["postgres://someone:p%40ss%2Fword@host/db", "someone: p%40ss%2Fword", "someone: ***"],
    ["postgres://someone:p@ss/word@host/db", "someone: p@ss/word", "someone: ***"],
    ["postgres://someone:p@ss/word@host/db", "a host, db and someone", "a host, db and someone"],
    ["postgres://someone:p@ssword@host/db", "at postgres://someone:p@ssword@host/db.", "at ***."],
    ["https://hooks.example.com/in/4b1dc0de", "no such path: /in/4b1dc0de", "no such path: ***"],
    ["https://hooks.example.com/in/4b1dc0de", "hooks.example.com knows no 4b1dc0de", "hooks.example.com knows no ***"],
    ["https://example.com/?sig=t0ken-value&user=someone", "someone t0ken-value", "someone ***"],
    ["https://t0ken-value@example.com/", "t0ken-value", "***"],
    ["https://someone@example.com/", "someone may not come in", "someone may not come in"],
    // Cookies, forms, and other named values.
    ["sid=t0ken-value; theme=dark", "t0ken-value", "***"],
    ["sid=t0ken-value==; theme=dark", "sid is t0ken-value==", "sid is ***"],
    [
      "grant_type=password&username=someone&password=p%40ss%2Fword",
      "password of someone: p@ss/word",
      "password of someone: ***",
    ],
    [
      '{"email":"someone@example.com","password":"p@ss/word"}',
      "someone@example.com p@ss/word",
      "someone@example.com ***",
    ],
    ["host=db user=someone password=p@ss/word", "someone p@ss/word", "someone ***"],
    ["host=db user=someone password='p@ss w\\'ord' dbname=db", "someone p@ss w'ord", "someone ***"],
    // In something else.
    ["t0ken-value", `{"told":"{\\"token\\":\\"t0ken-value\\"}"}`, `{"told":"{\\"token\\":\\"***\\"}"}`],
    ["t0ken-value", Buffer.from("1t0ken-value1").toString("base64"), "M***MQ=="],
    [
      "t0ken-value",
      `eyJhbGciOiJub25lIn0.${Buffer.from('{"jti":"t0ken-value"}').toString("base64url")}.c2ln`,
      "eyJhbGciOiJub25lIn0.eyJqdGkiOi***J9.c2ln",
    ],
    ["t0ken-value", `/path/${Buffer.from("t0ken-value").toString("base64")}`, "/path/***"],
    // Text decoded with the wrong character set.
    ["pässwörd", "pässwörd p\u00c3\u00a4ssw\u00c3\u00b6rd p\ufffdssw\ufffdrd", "*** *** ***"],
  ])("keeps %j out of %j", (secret, text, expected) => {
    expect(redact(text, [secret])).toBe(expected);
  });

  it("redacts a secret that contains another", () => {
    expect(redact("a key-1/more b key-1 c", ["key-1", "key-1/more"])).toBe("a *** b *** c");
    expect(redact("abcdefghi", ["abcdef", "defghi"])).toBe("***");
  });

  it("redacts every secret in every encoding, and in every double encoding", () => {
    const forms = fc.array(fc.constantFrom(...Object.keys(encodings)), { maxLength: 3 });
    const text = fc
      .string({ unit: "grapheme", minLength: 12, maxLength: 90 })
      .map((any) => any.toWellFormed().replaceAll(/\s+/g, " "))
      .filter((any) => any.trim() === any && any.length >= 6);
    fc.assert(
      fc.property(text, forms, (secret, names) => {
        const encoded = names.reduce((inner, name) => encodings[name]?.(inner) ?? "", secret);
        expect(redact(`told: ${encoded} .`, [secret])).toBe("told: *** .");
      }),
      { numRuns: repetitions(2_000) },
    );
  });

  it("redacts the parts of a secret in every double encoding", () => {
    const token = "c4n4ry/S3cret+value&<é>";
    const secrets = [
      `Bearer ${token}`,
      login(`someone:${token}`),
      `someone:${token}`,
      `sid=${encodeURIComponent(token)}`,
    ];
    const all: readonly (readonly [string, Encode])[] = Object.entries(encodings);
    for (const secret of secrets) {
      const redactor = new Redactor([secret]);
      for (const [first, encode] of all) {
        for (const [second, again] of all)
          expect(redactor.redact(`told: ${again(encode(token))} .`), `${second} of ${first}`).toBe("told: *** .");
        expect(redactor.redact(`told: ${encode(`someone:${token}`)} .`), first).not.toContain(encode(token));
      }
    }
  });

  it("redacts secrets registered later", () => {
    const redactor = new Redactor(["first-secret"]);
    expect(redactor.redact("first-secret second-secret")).toBe("*** second-secret");
    redactor.add("second-secret");
    expect(redactor.redact("first-secret second-secret")).toBe("*** ***");
  });

  it("keeps the rest of a text", () => {
    const text = `"é" %41 &amp; \\" 😀 ${Buffer.from("no secret here").toString("base64")} a+b`;
    expect(redact(`${text} t0ken-value ${text}`, ["t0ken-value"])).toBe(`${text} *** ${text}`);
    expect(redact(text, ["t0ken-value"])).toBe(text);
  });
});

describe("a truncated secret", () => {
  const secret = "Bearer c4n4ry-S3cret/value";

  it.each([
    ["token c4n4ry-S3cret", "token ***"],
    ["token c4n4ry…", "token ***…"],
    ["token c4n4ry... is expired", "token ***... is expired"],
    ['it begins with "c4n4ry-S3cret"', 'it begins with "***"'],
    ["token c4n4ry-S3cret%2", "token ***%2"],
    ["Bearer", "Bearer"],
    ['the user "c4n4ry" is not known', 'the user "c4n4ry" is not known'],
  ])("is redacted in %j", (text, expected) => {
    expect(redact(text, [secret])).toBe(expected);
  });

  it.each(Object.entries(encodings))("is redacted at every truncation point: %s", (_name, encode) => {
    const token = "c4n4ry-S3cret/value".repeat(10);
    const { redact: conceal } = new Redactor([token]);
    const encoded = encode(token);
    for (let before = 0; before < 90; before++) {
      const told = excerpt(`${"x ".repeat(before / 2)}${encoded} and more`, 20, conceal);
      expect(told).not.toContain(encoded.slice(0, 8));
    }
  });
});

it("searches a text in linear time for any secrets and text", () => {
  const secrets = [`${"a".repeat(5_000)}b`, `${"ab".repeat(31)}c`];
  const text = "a".repeat(300_000) + "ab".repeat(100_000);
  expect(redact(`${text}b ${secrets[1]}`, secrets)).toMatch(/ \*\*\*$/);
});

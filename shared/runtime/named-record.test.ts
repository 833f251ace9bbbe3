import { describe, expect, it } from "vitest";
import { z } from "zod";
import { anyJson, namedRecord } from "./named-record.ts";

const parsed = (text: string): unknown => JSON.parse(text);

describe("namedRecord", () => {
  it.each(Object.getOwnPropertyNames(Object.prototype))("keeps an entry named %s", (name) => {
    const value = parsed(`{"a":1,"${name}":2}`);
    expect(namedRecord(z.string(), z.number()).parse(value)).toEqual(value);
    expect(Object.keys(namedRecord(z.string(), z.number()).parse(value))).toEqual(["a", name]);
    expect(Object.entries(namedRecord(z.string(), z.unknown()).default({}).describe("d").parse(value))).toHaveLength(2);
  });

  it("reads its name and its value by their schemas", () => {
    const schema = z.object({ of: namedRecord(z.string().regex(/^[a-z]+$/), z.number()) });
    const issues = (text: string): unknown =>
      schema.safeParse(parsed(text)).error?.issues.map(({ code, path }) => ({ code, path }));
    expect(issues('{"of":{"__proto__":1}}')).toEqual([{ code: "invalid_key", path: ["of", "__proto__"] }]);
    const values = namedRecord(z.string().toUpperCase(), z.number().transform(String));
    expect(Object.entries(values.parse(parsed('{"__proto__":1}')))).toEqual([["__PROTO__", "1"]]);
    expect(values.safeParse(parsed('{"__proto__":"1"}')).error?.issues).toMatchObject([
      { code: "invalid_type", path: ["__proto__"] },
    ]);
  });

  it("is a record in every other way", () => {
    const ours = namedRecord(z.string(), z.number()).describe("numbers");
    const zods = z.record(z.string(), z.number()).describe("numbers");
    expect(ours).toBeInstanceOf(z.ZodRecord);
    expect(z.toJSONSchema(ours)).toEqual(z.toJSONSchema(zods));
    for (const value of [[], null, "a", { a: "1" }, { a: 1 }]) {
      expect(ours.safeParse(value).error?.issues).toEqual(zods.safeParse(value).error?.issues);
    }
    const named = namedRecord(z.string(), z.number(), { error: "must be a map" });
    expect(named.safeParse(1).error?.issues[0]?.message).toBe("must be a map");
  });
});

it("reads any value of JSON as it is", () => {
  const text = '{"a":[1,"b",null,true,{"__proto__":{"constructor":2}}]}';
  expect(JSON.stringify(anyJson().parse(parsed(text)))).toBe(text);
  expect(anyJson().safeParse(undefined).success).toBe(false);
});

import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import { BadSigningKey, sign } from "./sign.ts";

const key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const body = '{"test": 2432232314}';

describe("sign", () => {
  it.each([
    ["with its prefix", key],
    ["without it", key.slice("whsec_".length)],
    ["with a trailing line break", `${key}\n`],
  ])("computes the specification's test vector from a key %s", (_, given) => {
    expect(sign("msg_p5jXN8AQM9LWM0D4loKWxJek", body, [given], 1_614_265_330_000)).toEqual({
      "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
      "webhook-timestamp": "1614265330",
      "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    });
  });

  it("is verified by the reference library with either key during rotation", () => {
    const next = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
    const headers = { ...sign("incident:opened:hook", body, [key, next], Date.now()) };
    for (const known of [key, next]) expect(new Webhook(known).verify(body, headers)).toEqual({ test: 2432232314 });
    expect(() => new Webhook(known3).verify(body, headers)).toThrow("No matching signature");
  });

  it("returns id and time without a signature if there is no key", () => {
    expect(sign("a", body, [], 5_000)).toEqual({ "webhook-id": "a", "webhook-timestamp": "5" });
  });

  it.each([
    ["", "not base64"],
    ["whsec_not base64!", "not base64"],
    [`whsec_${Buffer.alloc(23).toString("base64")}`, "has 23 bytes, it must have 24 to 64"],
    [`whsec_${Buffer.alloc(65).toString("base64")}`, "has 65 bytes, it must have 24 to 64"],
  ])("refuses the key %j without repeating it", (bad, reason) => {
    expect(() => sign("a", body, [bad], 0)).toThrow(BadSigningKey);
    expect(() => sign("a", body, [bad], 0)).toThrow(reason);
    if (bad !== "") expect(() => sign("a", body, [bad], 0)).not.toThrow(bad);
  });
});

const known3 = `whsec_${Buffer.alloc(32, 9).toString("base64")}`;

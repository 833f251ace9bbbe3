import { describe, expect, it } from "vitest";
import { type OutgoingMessage, PublishError } from "../ports.ts";
import { encodeMessages } from "./publish-rules.ts";

const attributes = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`key-${index}`, "x"]));
const cyclic: Record<string, unknown> = {};
cyclic["self"] = cyclic;

describe("messages that may be published", () => {
  it.each<[string, OutgoingMessage]>([
    ["no attributes", { data: { v: 1 } }],
    ["null", { data: null }],
    ["100 attributes", { data: 1, attributes: attributes(100) }],
    ["a key of 256 bytes", { data: 1, attributes: { ["é".repeat(128)]: "x" } }],
    ["a value of 1024 bytes", { data: 1, attributes: { k: "é".repeat(512) } }],
    ["an empty value", { data: 1, attributes: { k: "" } }],
    ["10 MB of JSON", { data: "x".repeat(9_999_998) }],
  ])("%s", (_name, message) => {
    expect(encodeMessages("measurements", [message])).toEqual([
      { json: JSON.stringify(message.data), attributes: message.attributes ?? {} },
    ]);
  });

  it("an empty list is accepted", () => expect(encodeMessages("measurements", [])).toEqual([]));
});

describe("messages that may not", () => {
  it.each<[string, OutgoingMessage, RegExp]>([
    ["no data", { data: undefined }, /it has no data/],
    ["a cycle", { data: cyclic }, /circular/],
    ["101 attributes", { data: 1, attributes: attributes(101) }, /it has 101 attributes, at most 100/],
    ["no key", { data: 1, attributes: { "": "x" } }, /the key of an attribute is empty/],
    ["a long key", { data: 1, attributes: { ["é".repeat(129)]: "x" } }, /"é{40}…" has 258 bytes, at most 256/],
    ["a long value", { data: 1, attributes: { k: "é".repeat(513) } }, /the attribute "k" has 1026 bytes, at most 1024/],
    ["a reserved key", { data: 1, attributes: { googclient: "x" } }, /"googclient" starts with the reserved "goog"/],
    ["too much data", { data: "x".repeat(9_999_999) }, /its data has 10000001 bytes, at most 10000000/],
  ])("%s", (_name, message, reason) => {
    const publish = () => encodeMessages("measurements", [{ data: 1 }, message]);
    expect(publish).toThrow(PublishError);
    expect(publish).toThrow(/^cannot publish message 2 of 2 to "measurements": /);
    expect(publish).toThrow(reason);
    expect(publish).toThrow(expect.objectContaining({ retryable: false }));
  });

  it.each(["", "ab", "1st", "two words", "google-topic", "a/b", "x".repeat(256)])("the topic %j", (topic) => {
    expect(() => encodeMessages(topic, [{ data: 1 }])).toThrow("a topic is named by 3 to 255 letters");
  });
});

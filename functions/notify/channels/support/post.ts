/** The request with which every channel that is no webhook of our own posts its message. */
import type { OutgoingRequest } from "../../channel.ts";
import { wellFormedJson } from "../../text/fit.ts";

/** Posts a message as JSON to an address on the internet. */
export function postJson(
  url: OutgoingRequest["url"],
  message: object,
  additions: Pick<OutgoingRequest, "query" | "secretFields" | "authorization"> = {},
): OutgoingRequest {
  return {
    transport: "http",
    method: "POST",
    url,
    headers: { "content-type": "application/json; charset=utf-8" },
    body: wellFormedJson(message),
    allowPrivate: false,
    ...additions,
  };
}

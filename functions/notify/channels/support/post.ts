/** The request with which every channel that is no webhook of our own posts its message. */
import type { OutgoingRequest } from "../../channel.ts";
import { wellFormedJson } from "../../text/secret-text.ts";

/**
 * Posts a message as JSON to an address on the internet.
 * @param url a text of the settings, with its placeholders
 * @param headers more of them, with their placeholders
 */
export function postJson(
  url: string,
  message: object,
  headers: Readonly<Record<string, string>> = {},
): OutgoingRequest {
  return {
    transport: "http",
    v: 2,
    method: "POST",
    url,
    headers: { "content-type": "application/json; charset=utf-8", ...headers },
    body: wellFormedJson(message),
    allowPrivate: false,
  };
}

/** The request with which all channels except webhooks post their messages. */
import type { OutgoingRequest } from "../../channel.ts";
import { wellFormedJson } from "../../text/secret-text.ts";

/**
 * Posts a message as JSON to a URL on the internet.
 * @param url a text from the settings, with its placeholders
 * @param headers additional headers, with their placeholders
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

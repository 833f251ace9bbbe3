/** Reads stored payloads, in the format of this version and of older ones. */
import { isSecretReference, type SecretReference, secretPlaceholder } from "../../../shared/config/secret-reference.ts";
import type { Outgoing, OutgoingMail, OutgoingRequest } from "../channel.ts";
import { literal, withQuery } from "../text/secret-text.ts";

/** Parses the payload of a delivery; `undefined` if it is invalid. */
export function readPayload(payload: string | undefined): Outgoing | undefined {
  try {
    const stored: Outgoing | OlderRequest | OlderMail | null = JSON.parse(payload ?? "null");
    if (stored === null) return undefined;
    if (stored.transport === "page" || stored.v === 2) return stored;
    return stored.transport === "smtp" ? upgradedMail(stored) : upgradedRequest(stored);
  } catch {
    return undefined;
  }
}

type Text = SecretReference | string;

/** A request in the first format: its texts had no placeholders, and five fields held references to secrets. */
interface OlderRequest extends Pick<OutgoingRequest, "transport" | "method" | "body" | "allowPrivate" | "readAnswer"> {
  readonly v?: never;
  readonly url: Text;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, Text>>;
  readonly secretFields?: Readonly<Record<string, SecretReference>>;
  readonly authorization?: { readonly scheme: string; readonly secret: SecretReference };
  readonly signature?: { readonly id: string; readonly keys: readonly SecretReference[] };
}

interface OlderMail extends Omit<OutgoingMail, "v" | "server"> {
  readonly v?: never;
  readonly server: { readonly url: Text };
}

function upgradedRequest(older: OlderRequest): OutgoingRequest {
  const { url, query, headers, body, secretFields = {}, authorization, signature, ...kept } = older;
  const fields = Object.entries(secretFields).map(([name, secret]) => [name, secretPlaceholder(secret)]);
  return {
    ...kept,
    v: 2,
    url: query === undefined ? upgradedText(url) : withQuery(upgradedText(url), query),
    headers: {
      ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, upgradedText(value)])),
      ...(authorization === undefined
        ? {}
        : { authorization: `${literal(authorization.scheme)} ${secretPlaceholder(authorization.secret)}` }),
    },
    body:
      fields.length === 0
        ? literal(body)
        : JSON.stringify({ ...JSON.parse(literal(body)), ...Object.fromEntries(fields) }),
    ...(signature === undefined
      ? {}
      : { signature: { id: signature.id, keys: signature.keys.map(secretPlaceholder) } }),
  };
}

function upgradedMail({ server, ...kept }: OlderMail): OutgoingMail {
  return { ...kept, v: 2, server: { url: upgradedText(server.url) } };
}

function upgradedText(text: Text): string {
  return isSecretReference(text) ? secretPlaceholder(text) : literal(text);
}

/** Addresses of databases and caches, read from environment variables: they hold passwords, which go nowhere else. */
import { isIP } from "node:net";
import { isPrivateAddress } from "../../../../shared/net/address.ts";

/** An address of a store, without its password. */
export interface Address {
  /** Protocol of the server. */
  readonly speaks: "postgres" | "redis";
  /** The variable that holds it. */
  readonly variable: string;
  readonly host: string;
  readonly port: number | undefined;
  readonly user: string | undefined;
  /** True if the server uses TLS; `undefined` if unknown. */
  readonly tls: boolean | undefined;
  /** True if the address is reachable only from inside the VPC. */
  readonly inside: boolean;
  /** The secret that a probe needs; absent where it needs none. */
  readonly secret: string | undefined;
  /** Description of the secret's content. */
  readonly holds: string;
}

/** An address with the value of its secret, for a trial. */
export interface AddressWithSecret {
  readonly address: Address;
  readonly value: string | undefined;
}

/**
 * Reads the address that a variable holds.
 * @returns the address, or why it is none, in words that do not show the value
 */
export function readAddress(variable: string, value: string): AddressWithSecret | string {
  const url = URL.parse(value.trim());
  const scheme = url?.protocol.replace(/:$/, "");
  if (url === null || !/^(postgres|postgresql|redis|rediss)$/.test(scheme ?? ""))
    return `the variable ${variable} must contain a database URL that begins with postgres://, redis:// or rediss://`;
  // A socket is written as a parameter: postgres://user@/name?host=/cloudsql/project:region:instance.
  const host = url.searchParams.get("host") ?? url.hostname.replace(/^\[|\]$/g, "");
  if (host === "") return `the URL in ${variable} has no host`;
  if (
    !host.startsWith("/") &&
    isIP(host) === 0 &&
    !/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i.test(host)
  )
    return `invalid host in the URL in ${variable}: use letters, digits and hyphens between dots`;
  const secret = secretOf(variable);
  const sslmode = url.searchParams.get("sslmode");
  const common = {
    variable,
    host,
    port: url.port === "" ? undefined : Number(url.port),
    user: url.username === "" ? undefined : decoded(url.username),
    inside: isIP(host) !== 0 && isPrivateAddress(host),
  };
  if (scheme !== "redis" && scheme !== "rediss")
    return {
      address: {
        ...common,
        speaks: "postgres",
        tls: sslmode === null ? undefined : sslmode !== "disable",
        secret,
        holds: `the value of ${variable}`,
      },
      value: value.trim(),
    };
  const password = decoded(url.password);
  return {
    address: {
      ...common,
      speaks: "redis",
      tls: scheme === "rediss",
      secret: password === "" ? undefined : `${secret}-password`,
      holds: `the password in ${variable}`,
    },
    value: password === "" ? undefined : password,
  };
}

/** `DATABASE_URL` is the secret `database-url`. */
function secretOf(variable: string): string {
  const name = variable
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^[^a-z]+|-+$/g, "");
  return name === "" ? "database-url" : name;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

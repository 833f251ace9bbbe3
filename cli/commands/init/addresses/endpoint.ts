/** Addresses that users come by, and what was seen there. */

/** An address over HTTP. */
export interface Endpoint {
  /** Scheme, host and port: `https://api.example.com`. */
  readonly origin: string;
  /** The path that tells how it is, where somebody says it. */
  readonly path: string | undefined;
  /** True if the user specified the path. It is then probed even if it does not look like a health check. */
  readonly given: boolean;
  /** True for a WebSocket address. Nothing else is requested from it. */
  readonly isSocket?: true;
}

/** Returns the key that identifies an endpoint. */
export function addressOf({ origin, path = "/", isSocket }: Endpoint): string {
  return `${isSocket ? origin.replace(/^http/, "ws") : origin}${path}`;
}

/** Result of inspecting an endpoint. */
export interface Sighting {
  /** Why it could not be reached, in one sentence. */
  readonly unreachable?: string;
  /** The certificate is of an authority that this machine does not know. */
  readonly untrusted?: boolean;
  /** The answer that tells how it is. */
  readonly health?: Health;
  /** Other answers in JSON that hold metrics. */
  readonly figures?: readonly Health[];
  /** Paths at which a WebSocket was answered. */
  readonly sockets?: readonly Socket[];
}

/** An answer that tells how something is. */
export interface Health {
  readonly path: string;
  readonly status: number;
  /** Values of its JSON that say that all is well, by their paths: `$.status` is `ok`. */
  readonly json: readonly (readonly [path: string, value: string | boolean])[];
  /** Metrics of the catalogue that its JSON holds. */
  readonly metrics: readonly HealthMetric[];
}

/** A metric in JSON. */
export interface HealthMetric {
  readonly metric: string;
  readonly path: string;
  readonly unit?: string;
  readonly equals?: string;
}

/** A WebSocket at a path: accepted (101), or refused for want of a login (401, 403). */
export interface Socket {
  readonly path: string;
  readonly status: number;
}

/** Returns true if a path requires a login. */
export function wantsLogin(status: number): boolean {
  return status === 401 || status === 403;
}

/** One case of the suite: a server with one behaviour, the check of it, and the result that a monitor must report. */
import type { FailureKind } from "../shared/messages/report.ts";
import type { Stand } from "./stand.ts";

/** A certificate authority to trust, in PEM. */
interface Trust {
  readonly ca?: string;
}

/** The check that a monitor performs, in terms that every monitor supports. */
export type Check =
  | ({
      readonly protocol: "http";
      readonly url: string;
      /** A text that the body must contain. */
      readonly contains?: string;
      /** Values inside of a JSON body, by path. */
      readonly json?: Readonly<Record<string, string | number>>;
      /** The DNS server to query, as `address:port`. @default that of the machine */
      readonly resolver?: string;
    } & Trust)
  | ({
      readonly protocol: "tls";
      readonly host: string;
      readonly port: number;
      /** The name to request. @default the host */
      readonly serverName?: string;
    } & Trust)
  | ({
      readonly protocol: "websocket";
      readonly url: string;
      /** A text that a message must contain. */
      readonly expects?: string;
      readonly subprotocol?: string;
    } & Trust)
  | ({
      readonly protocol: "postgres";
      readonly host: string;
      readonly port: number;
      readonly tls?: "disable" | "require" | "verify-full";
      readonly password?: string;
    } & Trust)
  | ({
      /** Sends a text, and expects a matching response. */
      readonly protocol: "tcp";
      readonly host: string;
      readonly port: number;
      readonly send?: string;
      readonly matches?: string;
      readonly tls?: boolean;
    } & Trust)
  | ({
      /** A PING must be answered with PONG. */
      readonly protocol: "redis";
      readonly host: string;
      readonly port: number;
      readonly tls?: boolean;
      readonly password?: string;
    } & Trust)
  | {
      readonly protocol: "dns";
      readonly name: string;
      readonly type: "A" | "MX" | "TXT";
      /** The DNS server to query, as `address:port`. */
      readonly server: string;
      /** All records of the type, in any order. */
      readonly records?: readonly string[];
      /** A port at which every address must accept a connection. */
      readonly connect?: number;
    }
  | ({
      /** A stream of server-sent events. */
      readonly protocol: "sse";
      readonly url: string;
      /** The event that must arrive. */
      readonly event: string;
      /** A text that its data must contain. */
      readonly data?: string;
      /** The event that must not arrive before it. */
      readonly failOn?: string;
    } & Trust)
  | ({
      /** The standard health service of gRPC. */
      readonly protocol: "grpc";
      readonly host: string;
      readonly port: number;
      readonly tls?: boolean;
      /** @default the server as a whole */
      readonly service?: string;
    } & Trust)
  | {
      readonly protocol: "google";
      /** Base URL of Google's APIs, each by its host. */
      readonly stand: string;
    };

/** The result that a monitor must report. */
export type Verdict =
  | "up"
  | {
      readonly kind: FailureKind | readonly FailureKind[];
      /** The phase of the failure, or the accepted phases. */
      readonly phase: string | readonly string[];
      readonly status?: number;
      /** The code from the protocol or the system: an SQLSTATE, a close code. */
      readonly code?: string;
      /** A pattern that the message must match. */
      readonly says: RegExp;
    };

/** A case. */
export interface Case {
  /** Behaviour of the server, as a phrase that follows "a server that". */
  readonly name: string;
  /** Starts the server. */
  readonly serve: (stand: Stand) => Promise<Check>;
  readonly verdict: Verdict;
  /** Maximum time for the monitor, in milliseconds. @default 2000 */
  readonly timeoutMs?: number;
}

/** The result that a monitor reported for a case. */
export interface Said {
  readonly up: boolean;
  /** Absent if a monitor has no kinds of failures. */
  readonly kind?: string;
  readonly phase?: string;
  readonly status?: number;
  readonly code?: string;
  /** The monitor's whole explanation. */
  readonly text: string;
}

/** A monitor under test: the interface of an adapter. */
export interface Monitor {
  readonly name: string;
  /** @returns `undefined` if the monitor does not support the check */
  look(check: Check, timeoutMs: number): Promise<Said | undefined>;
  stop(): Promise<void>;
}

/**
 * Returns the mistakes in a monitor's result; empty if there are none.
 * @param whole whether to check kind, phase, status, code and message too, and not only whether the target is up
 */
export function mistakes(verdict: Verdict, said: Said, whole: boolean): readonly string[] {
  if (verdict === "up") return said.up ? [] : [`it is up, and was said to be down: ${said.text}`];
  if (said.up) return ["it is down, and was said to be up"];
  if (!whole) return [];
  const found = verdict.says.test(said.text) ? [] : [`the sentence does not match ${verdict.says}: ${said.text}`];
  for (const part of ["kind", "phase", "status", "code"] as const) {
    const wanted = verdict[part];
    const all: readonly (string | number)[] = wanted === undefined ? [] : [wanted].flat();
    if (wanted !== undefined && !all.some((one) => one === said[part]))
      found.push(`${part} is ${String(said[part])}, expected ${all.join(" or ")}`);
  }
  return found;
}

/** Text that no message for people may contain: internal terms, files and codes of libraries. */
export const libraryText: RegExp =
  /SSL routines|\.c:\d+|error:[0-9A-F]{8}|\bERR_[A-Z_]+|\bat \S+ \(|node:|node_modules|getaddrinfo|\bE[A-Z]{4,}\b|Z_[A-Z_]+|SASL:|undefined|\[object/;

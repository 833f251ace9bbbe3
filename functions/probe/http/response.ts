/**
 * Reads an HTTP/1.1 response as it arrives. Written for the probe, because the time spent in a general parser and its streams would be
 * measured as latency of the target, and because a probe must name the error for every invalid byte. Pure: bytes in, no sockets.
 * @see https://www.rfc-editor.org/rfc/rfc9112
 */
import { ownEntry, setEntry } from "../../../shared/runtime/entries.ts";
import { ProbeFault } from "../net/faults.ts";
import { cite, type ReportText, TargetText } from "../text/target-text.ts";

/** Headers by their names in lower case; several of one name are joined, except those that set cookies. */
export type Headers = Readonly<Record<string, string | readonly string[]>>;

/** The part of a response that precedes its body. */
export interface Head {
  readonly status: number;
  readonly statusText: TargetText;
  readonly headers: Headers;
}

/** Callbacks for the parts of a response as they arrive. */
export interface ResponseListener {
  head(head: Head): void;
  /** Receives a part of the body, without its transfer coding. */
  body(chunk: Buffer): void;
}

/** Maximum length of a head, in bytes: about the limit of browsers. */
const longestHead = 256 * 1024;
/** Maximum length of a line between chunks, and of the trailers, in bytes. */
const longestLine = 16 * 1024;

type State = "head" | "length" | "close" | "chunk-size" | "chunk" | "chunk-end" | "trailers" | "done";

/** Reads one response. */
export class ResponseReader {
  readonly #method: string;
  readonly #listener: ResponseListener;
  #state: State = "head";
  /** The beginning of an incomplete head or line. */
  #kept: Buffer = empty;
  /** Remaining bytes of the body or of the chunk. */
  #left = 0;
  #trailers = 0;

  /** @param method of the request: a response to HEAD has no body, whatever its headers say */
  constructor(method: string, listener: ResponseListener) {
    this.#method = method;
    this.#listener = listener;
  }

  /** Whether the response is complete. */
  get done(): boolean {
    return this.#state === "done";
  }

  /** Processes received data. @throws HttpSyntaxError, or ProbeFault */
  push(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0 && this.#state !== "done") rest = this.#take(rest);
  }

  /** Handles the end of the connection. @returns whether that ends the response instead of cutting it off */
  end(): boolean {
    if (this.#state === "close") this.#state = "done";
    return this.done;
  }

  /** Consumes data from the beginning of the buffer. @returns the rest */
  #take(bytes: Buffer): Buffer {
    switch (this.#state) {
      case "head":
        return this.#takeHead(bytes);
      case "close":
        this.#listener.body(bytes);
        return empty;
      case "length":
        return this.#takeBody(bytes, "done");
      case "chunk":
        return this.#takeBody(bytes, "chunk-end");
      default:
        return this.#takeLine(bytes);
    }
  }

  #takeHead(bytes: Buffer): Buffer {
    const all = this.#kept.length === 0 ? bytes : Buffer.concat([this.#kept, bytes]);
    const end = endOfHead(all);
    if (end === undefined || end.at > longestHead) {
      const start = all.toString("latin1", 0, Math.min(all.length, beginning.length));
      if (!beginning.startsWith(start)) throw noHttp(all, TargetText.of(start, true));
      if (all.length > longestHead) throw new HttpSyntaxError("", true);
      this.#kept = all;
      return empty;
    }
    this.#kept = empty;
    const head = parseHead(all, end.at);
    const rest = all.subarray(end.at + end.length);
    if (head.status === 101) throw new ProbeFault("protocol", "the server switched protocols without being asked");
    // After an informational response, keep waiting for the final one.
    if (head.status < 200) return rest;
    this.#state = this.#framing(head);
    this.#listener.head(head);
    return rest;
  }

  /** Returns how the end of the body is determined, by RFC 9112, section 6.3. */
  #framing({ status, headers }: Head): State {
    if (this.#method === "HEAD" || status === 204 || status === 304) return "done";
    const coding = headers["transfer-encoding"];
    if (coding !== undefined) {
      if (/^\s*chunked\s*$/i.test(String(coding))) return "chunk-size";
      throw new HttpSyntaxError(cite`its transfer encoding is ${TargetText.of(String(coding)).quoted(60)}`);
    }
    const length = headers["content-length"];
    if (length === undefined) return "close";
    const [first = "", ...others] = String(length).split(/\s*,\s*/);
    if (!/^\d{1,15}$/.test(first) || others.some((other) => other !== first))
      throw new HttpSyntaxError(cite`its content-length is ${TargetText.of(String(length)).quoted(60)}`);
    this.#left = Number(first);
    return this.#left === 0 ? "done" : "length";
  }

  #takeBody(bytes: Buffer, next: State): Buffer {
    const part = bytes.length <= this.#left ? bytes : bytes.subarray(0, this.#left);
    this.#left -= part.length;
    if (this.#left === 0) this.#state = next;
    this.#listener.body(part);
    return bytes.subarray(part.length);
  }

  /** Handles one of the lines between and after chunks. */
  #takeLine(bytes: Buffer): Buffer {
    const all = this.#kept.length === 0 ? bytes : Buffer.concat([this.#kept, bytes]);
    const end = all.indexOf("\n");
    if (end < 0) {
      if (all.length > longestLine) throw new HttpSyntaxError("a line between chunks is not terminated");
      this.#kept = all;
      return empty;
    }
    this.#kept = empty;
    this.#line(all.toString("latin1", 0, end).replace(/\r$/, ""));
    return all.subarray(end + 1);
  }

  #line(line: string): void {
    if (this.#state === "chunk-end") {
      if (line !== "") throw new HttpSyntaxError("a chunk is longer than its stated size");
      this.#state = "chunk-size";
    } else if (this.#state === "chunk-size") {
      const size = /^([0-9a-f]{1,12})\s*(;.*)?$/i.exec(line)?.[1];
      if (size === undefined) throw new HttpSyntaxError(cite`the size of a chunk is ${TargetText.of(line).quoted(20)}`);
      this.#left = Number.parseInt(size, 16);
      this.#state = this.#left === 0 ? "trailers" : "chunk";
    } else if (line === "") {
      this.#state = "done";
    } else {
      this.#trailers += line.length;
      if (this.#trailers > longestLine) throw new HttpSyntaxError("", true);
    }
  }
}

/** Returns the error for bytes that are not HTTP. */
export class HttpSyntaxError extends Error {
  override readonly name = "HttpSyntaxError";
  readonly code: "HTTP_SYNTAX" | "HTTP_TOO_LONG";

  readonly reportText: ReportText;

  constructor(text: ReportText, tooLong = false) {
    super(String(text));
    this.reportText = text;
    this.code = tooLong ? "HTTP_TOO_LONG" : "HTTP_SYNTAX";
  }
}

const empty: Buffer = Buffer.alloc(0);
const beginning = "HTTP/1.";

/** Returns the end of a head and the length of its terminator, including heads whose lines end in line feeds alone, as RFC 9112, 2.2, allows. */
export function endOfHead(bytes: Buffer): { readonly at: number; readonly length: number } | undefined {
  const ends = (["\n\r\n", "\n\n"] as const)
    .map((end) => ({ at: bytes.indexOf(end), length: end.length }))
    .filter(({ at }) => at >= 0);
  return ends.toSorted((one, other) => one.at - other.at)[0];
}

/** Returns the error for a server that speaks another protocol, identified by its first bytes where possible. */
function noHttp(bytes: Buffer, start: TargetText): ProbeFault | HttpSyntaxError {
  const [first, second, , type] = bytes;
  if ((first === 0x15 || first === 0x16) && second === 3) return new TlsInPlace();
  if (first === 0 && second === 0 && type === 4)
    return new ProbeFault("protocol", "the server answered an HTTP/1.1 request in HTTP/2");
  return new HttpSyntaxError(cite`its response begins with ${start.quoted(40)}`);
}

/** A server that speaks TLS and received plain HTTP. */
export class TlsInPlace extends ProbeFault {
  /** @param peer @default the server */
  constructor(peer = "the server") {
    super("protocol", `${peer} speaks TLS on this port, but the request was in plain text: use https:// (or wss://)`);
  }
}

function parseHead(bytes: Buffer, end: number): Head {
  const lines = bytes.toString("latin1", 0, end).replace(/\r$/, "").split(/\r?\n/);
  const [, code, statusText = ""] = /^HTTP\/1\.[01] ([1-9]\d{2})(?: ([^\r\n]*))?$/.exec(lines[0] ?? "") ?? [];
  if (code === undefined) throw noHttp(bytes, TargetText.of(lines[0] ?? ""));
  const headers: Record<string, string | string[]> = Object.create(null);
  for (const line of unfolded(lines.slice(1))) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0)).trimEnd().toLowerCase();
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name) || line.includes("\0"))
      throw new HttpSyntaxError(cite`invalid header ${TargetText.of(line).quoted(40)}`);
    const value = line.slice(colon + 1).trim();
    const known = ownEntry(headers, name);
    if (name === "set-cookie") headers[name] = [...(known ?? []), value];
    // A list of addresses is not accepted.
    else if (name !== "location" || known === undefined)
      setEntry(headers, name, known === undefined ? value : `${String(known)}, ${value}`);
  }
  return { status: Number(code), statusText: TargetText.of(statusText), headers };
}

/** Puts each header on one line: a line that begins with a space continues the previous one. @see RFC 9112, 5.2 */
function unfolded(lines: readonly string[]): string[] {
  const whole: string[] = [];
  for (const line of lines) {
    const last = whole.at(-1);
    if (/^[ \t]/.test(line) && last !== undefined) whole[whole.length - 1] = `${last.trimEnd()} ${line.trim()}`;
    else whole.push(line);
  }
  return whole;
}

import { describe, expect, it } from "vitest";
import { array, assert, constantFrom, nat, property, tuple, uint8Array } from "../../../tests/support/chance.ts";
import { repetitions } from "../../../tests/support/repetitions.ts";
import { thrownText } from "../fixtures.ts";
import { ProbeFault } from "../net/faults.ts";
import { type Head, HttpSyntaxError, ResponseReader } from "./response.ts";

interface Read {
  readonly head: Head | undefined;
  readonly reason: string | undefined;
  readonly body: string;
  readonly done: boolean;
}

/** Reads a response that arrives in these parts, and then the end of the connection if `closes`. */
function read(parts: readonly (string | Uint8Array)[], { method = "GET", closes = false } = {}): Read {
  let head: Head | undefined;
  const chunks: Buffer[] = [];
  const reader = new ResponseReader(method, {
    head: (seen) => {
      head = seen;
    },
    body: (chunk) => chunks.push(chunk),
  });
  for (const part of parts) reader.push(Buffer.from(part as Uint8Array));
  if (closes) reader.end();
  const reason = head?.statusText.judge((text) => text);
  return { head, reason, body: Buffer.concat(chunks).toString("latin1"), done: reader.done };
}

const ok = "HTTP/1.1 200 OK\r\n";

describe("an HTTP/1.1 response", () => {
  it.each<[string, string, Parameters<typeof read>[1], object]>([
    ["of a length", `${ok}Content-Length: 5\r\n\r\nhello, and more`, {}, { body: "hello", done: true }],
    ["of a length that is given twice", `${ok}content-length: 2, 2\r\n\r\nhi`, {}, { body: "hi", done: true }],
    ["of length 0", `${ok}content-length: 0\r\n\r\n`, {}, { body: "", done: true }],
    ["that is not all there", `${ok}content-length: 9\r\n\r\nhello`, { closes: true }, { body: "hello", done: false }],
    ["that ends with the connection", `${ok}\r\nhello`, { closes: true }, { body: "hello", done: true }],
    ["whose connection is open", `${ok}\r\nhello`, {}, { body: "hello", done: false }],
    [
      "in chunks, with extensions and trailers",
      `${ok}transfer-encoding: Chunked\r\n\r\n5\r\nhello\r\nA;x="y"\r\n, everyone\r\n0\r\nx-sum: 1\r\n\r\n`,
      {},
      { body: "hello, everyone", done: true },
    ],
    [
      "in chunks whose last is missing",
      `${ok}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n`,
      { closes: true },
      { done: false },
    ],
    ["to HEAD", `${ok}content-length: 5\r\n\r\n`, { method: "HEAD" }, { body: "", done: true }],
    ["without content", "HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\n", {}, { body: "", done: true }],
    ["of HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nhi", { closes: true }, { body: "hi", done: true }],
    [
      "after one that only informs",
      `HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${ok}content-length: 2\r\n\r\nhi`,
      {},
      { head: { status: 200, headers: { "content-length": "2" } }, body: "hi", done: true },
    ],
    [
      "with headers that come twice",
      `${ok}A: 1\r\na:2\r\nSet-Cookie: x=1\r\nset-cookie: y=2\r\nEmpty:\r\n\r\n`,
      {},
      { head: { headers: { a: "1, 2", "set-cookie": ["x=1", "y=2"], empty: "" } } },
    ],
    [
      "with folded headers",
      `${ok}A: 1\r\n  and\r\n\tmore\r\nb: 2\r\n\r\n`,
      {},
      { head: { headers: { a: "1 and more", b: "2" } } },
    ],
    [
      "with 24 KB of headers",
      `${ok}a: ${"x".repeat(24_576)}\r\ncontent-length: 2\r\n\r\nhi`,
      {},
      { head: { headers: { a: "x".repeat(24_576) } }, body: "hi", done: true },
    ],
    [
      "whose lines end in line feeds",
      "HTTP/1.1 200 OK\na: 1\ncontent-length: 4\n\n\nhi\n",
      {},
      { head: { headers: { a: "1" } }, body: "\nhi\n", done: true },
    ],
    ["with a space before a colon", `${ok}a : 1\r\n\r\n`, {}, { head: { headers: { a: "1" } } }],
    ["with two locations", `${ok}location: /a\r\nlocation: /b\r\n\r\n`, {}, { head: { headers: { location: "/a" } } }],
    ["without a reason", "HTTP/1.1 503\r\ncontent-length: 0\r\n\r\n", {}, { head: { status: 503 }, reason: "" }],
    [
      "with a header called as a part of every object",
      `${ok}__proto__: 1\r\nconstructor: 2\r\n\r\n`,
      {},
      { head: { status: 200 } },
    ],
  ])("%s", (_what, text, options, expected) => {
    expect(read([text], options)).toMatchObject(expected);
  });

  it.each([
    ["SSH-2.0-OpenSSH\r\n", 'its response begins with "SSH-2.0"'],
    ["HTTP/2", 'its response begins with "HTTP/2"'],
    ["HTTP/1.1 OK\r\n\r\n", 'its response begins with "HTTP/1.1 OK"'],
    ["HTTP/1.1 099 What\r\n\r\n", 'its response begins with "HTTP/1.1 099 What"'],
    ["HTTP/1.1 2000 OK\r\n\r\n", 'its response begins with "HTTP/1.1 2000 OK"'],
    [`${ok}no colon\r\n\r\n`, 'invalid header "no colon"'],
    [`${ok} folded\r\n\r\n`, 'invalid header " folded"'],
    [`${ok}a b: 1\r\n\r\n`, 'invalid header "a b: 1"'],
    [`${ok}content-length: five\r\n\r\n`, 'its content-length is "five"'],
    [`${ok}content-length: -1\r\n\r\n`, 'its content-length is "-1"'],
    [`${ok}content-length: 5\r\ncontent-length: 6\r\n\r\n`, 'its content-length is "5, 6"'],
    [`${ok}transfer-encoding: gzip, chunked\r\n\r\n`, 'its transfer encoding is "gzip, chunked"'],
    [`${ok}transfer-encoding: chunked\r\n\r\nhello\r\n`, 'the size of a chunk is "hello"'],
    [`${ok}transfer-encoding: chunked\r\n\r\n2\r\nhello\r\n`, "a chunk is longer than its stated size"],
    [`${ok}transfer-encoding: chunked\r\n\r\n${"1".repeat(20_000)}`, "a line between chunks is not terminated"],
  ])("is rejected when it is %j", (text, message) => {
    expect(() => read([text])).toThrow(HttpSyntaxError);
    expect(thrownText(() => read([text]))).toBe(message);
  });

  it.each([
    ["head", `${ok}a: ${"x".repeat(300_000)}`],
    ["complete head", `${ok}a: ${"x".repeat(300_000)}\r\n\r\n`],
    ["trailers", `${ok}transfer-encoding: chunked\r\n\r\n0\r\n${"a: b\r\n".repeat(5_000)}`],
  ])("is rejected when its %s is too long", (_what, text) => {
    expect(() => read([text])).toThrow(expect.objectContaining({ code: "HTTP_TOO_LONG" }));
  });

  it.each([
    ["TLS", "\u0015\u0003\u0001\u0000\u0002\u0002\u0046", "speaks TLS on this port, but the request was in plain text"],
    ["HTTP/2", "\u0000\u0000\u0012\u0004\u0000\u0000\u0000\u0000\u0000", "answered an HTTP/1.1 request in HTTP/2"],
  ])("is distinguished from %s", (_what, text, message) => {
    expect(() => read([text])).toThrow(message);
  });

  it("is rejected when it switches to another protocol", () => {
    expect(() => read(["HTTP/1.1 101 Yes\r\n\r\n"])).toThrow(ProbeFault);
  });

  const answers = [
    `${ok}content-length: 5\r\na: b\r\n\r\nhello`,
    `HTTP/1.1 100 Continue\r\n\r\n${ok}transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\nx: y\r\n\r\n`,
    "HTTP/1.1 500 Oh No\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n\r\nto the end",
  ];

  it("is parsed identically in any fragmentation", () => {
    assert(
      property(constantFrom(...answers), array(nat(120), { maxLength: 12 }), (text, cuts) => {
        const places = [0, ...cuts.filter((cut) => cut < text.length).sort((a, b) => a - b), text.length];
        const parts = places.slice(1).map((place, index) => text.slice(places[index], place));
        expect(read(parts, { closes: true })).toEqual(read([text], { closes: true }));
      }),
    );
  });

  it("is read to its end or rejected, whatever its errors", () => {
    const spoiled = tuple(constantFrom(...answers), nat(100), uint8Array({ maxLength: 12 }));
    assert(
      property(spoiled, ([text, place, noise]) => {
        const parts = [text.slice(0, place), noise, text.slice(place)];
        try {
          read(parts, { closes: true });
        } catch (error) {
          expect(error instanceof HttpSyntaxError || error instanceof ProbeFault).toBe(true);
        }
      }),
      { numRuns: repetitions(1_000) },
    );
  });
});

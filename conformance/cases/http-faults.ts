/** Servers that break off, send nothing, or do not speak HTTP. */
import type { Case } from "../case.ts";
import { goodLeaf } from "../stand.ts";
import { answers, at, hangs, head, protocol } from "../support/http.ts";

/** The cases. */
export const httpFaultCases: readonly Case[] = [
  answers("closes in the middle of its body", head("200 OK\r\ncontent-length: 99", "healthy"), {
    kind: "reset",
    phase: "body",
    code: "ECONNRESET",
    says: /closed the connection while reading the body from 127\.0\.0\.1:\d+/,
  }),
  answers("closes in the middle of a chunk", head("200 OK\r\ntransfer-encoding: chunked", "ff\r\nheal"), {
    kind: "reset",
    phase: "body",
    says: /closed the connection while reading the body/,
  }),
  answers("closes before its last chunk", head("200 OK\r\ntransfer-encoding: chunked", "7\r\nhealthy\r\n"), {
    kind: "reset",
    phase: "body",
    says: /closed the connection while reading the body/,
  }),
  answers("closes in the middle of its headers", "HTTP/1.1 200 OK\r\ncontent-le", {
    kind: "reset",
    phase: "headers",
    says: /closed the connection while reading the headers/,
  }),
  answers("closes without a word", "", {
    kind: "reset",
    phase: "first_byte",
    says: /closed the connection while waiting for the first byte from 127\.0\.0\.1:\d+/,
  }),
  {
    name: "resets the connection",
    verdict: { kind: "reset", phase: "first_byte", says: /closed the connection while waiting for the first byte/ },
    serve: async (stand) => at(await stand.tcp((socket) => socket.once("data", () => socket.resetAndDestroy()))),
  },
  {
    name: "is not there",
    verdict: {
      kind: "refused",
      phase: "connect",
      code: "ECONNREFUSED",
      says: /127\.0\.0\.1:\d+ refused the connection: nothing listens there/,
    },
    serve: async (stand) => at(await stand.closedPort()),
  },
  {
    name: "is not there, under a name",
    verdict: { kind: "refused", phase: "connect", says: /localhost:\d+ \((127\.0\.0\.1|::1)\) refused the connection/ },
    serve: async (stand) => ({ protocol: "http", url: `http://localhost:${await stand.closedPort()}/` }),
  },
  {
    name: "sends nothing",
    verdict: {
      kind: "timeout",
      phase: "first_byte",
      says: /timed out while waiting for the first byte from 127\.0\.0\.1:\d+/,
    },
    serve: async (stand) => at(await stand.tcp(() => {})),
    timeoutMs: 300,
  },
  hangs(
    "never ends its headers",
    "HTTP/1.1 200 OK\r\nx-a: b\r\n",
    "headers",
    /timed out while reading the headers from/,
  ),
  hangs("says one byte and no more", "H", "headers", /timed out while reading the headers from/),
  hangs(
    "never ends its body",
    "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nheal",
    "body",
    /timed out while reading the body from/,
  ),
  hangs(
    "never ends its chunks",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nheal\r\n",
    "body",
    /timed out while reading the body from/,
  ),
  hangs(
    "sends 103 and nothing more",
    "HTTP/1.1 103 Early Hints\r\n\r\n",
    "first_byte",
    /timed out while waiting for the first byte/,
  ),
  protocol("speaks SSH", "SSH-2.0-OpenSSH_9.9\r\n", /does not speak HTTP: its response begins with "SSH-2\.0/),
  protocol("speaks SMTP", "220 mail.example.com ESMTP\r\n", /does not speak HTTP: its response begins with "220 mai/),
  protocol("speaks Redis", "-ERR unknown command\r\n", /does not speak HTTP: its response begins with "-ERR/),
  protocol(
    "answers with a version that there is not",
    "HTTP/3.9 200 OK\r\n\r\n",
    /does not speak HTTP: its response begins with "HTTP\/3/,
  ),
  protocol(
    "answers with a status of four digits",
    "HTTP/1.1 2000 OK\r\n\r\n",
    /does not speak HTTP: its response begins with "HTTP\/1\.1 2000 OK"/,
  ),
  protocol("answers as HTTP/0.9", "<html>healthy</html>", /does not speak HTTP: its response begins with "<html>/),
  protocol(
    "answers with frames of HTTP/2",
    Buffer.from([0, 0, 18, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 100, 0, 4, 0, 1, 0, 0]),
    /answered an HTTP\/1\.1 request in HTTP\/2/,
  ),
  protocol(
    "answers plain HTTP with an alert of TLS",
    Buffer.from([0x15, 3, 1, 0, 2, 2, 0x46]),
    /speaks TLS.*https:\/\//,
  ),
  protocol(
    "sends a header without a colon",
    head("200 OK\r\nno colon here"),
    /does not speak HTTP: invalid header "no colon here"/,
  ),
  protocol(
    "sends two lengths",
    head("200 OK\r\ncontent-length: 7\r\ncontent-length: 8", "healthy"),
    /its content-length is "7, 8"/,
  ),
  protocol(
    "sends a length that is not a number",
    head("200 OK\r\ncontent-length: many", "healthy"),
    /its content-length is "many"/,
  ),
  protocol(
    "sends a chunk of no size",
    head("200 OK\r\ntransfer-encoding: chunked", "zz\r\nhealthy\r\n"),
    /the size of a chunk is "zz"/,
  ),
  protocol(
    "sends headers without end",
    `HTTP/1.1 200 OK\r\nx: ${"y".repeat(400_000)}`,
    /sent headers that exceed the size limit/,
  ),
  protocol(
    "switches protocols unasked",
    "HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\n\r\n",
    /switched protocols without being asked/,
  ),
  {
    name: "speaks TLS where it is asked in plain HTTP",
    verdict: { kind: "protocol", phase: "first_byte", says: /speaks TLS.*https:\/\// },
    serve: async (stand) => {
      const { cert, key } = await goodLeaf();
      return at(await stand.tls({ cert, key }));
    },
  },
  ...[
    ["nginx", "400 Bad Request", "<html><center>The plain HTTP request was sent to HTTPS port</center></html>"],
    ["Go", "400 Bad Request", "Client sent an HTTP request to an HTTPS server.\n"],
    ["Apache", "400 Bad Request", "Reason: You're speaking plain HTTP to an SSL-enabled server port."],
  ].map(([server, line, body = ""]) =>
    answers(
      `is the TLS port of ${server} and answers plain HTTP with 400`,
      head(`${line}\r\ncontent-length: ${body.length}`, body),
      {
        kind: "http_status",
        phase: "response",
        status: 400,
        says: /speaks TLS.*https:\/\//,
      },
    ),
  ),
];

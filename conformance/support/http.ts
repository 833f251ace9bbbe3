/** HTTP servers that give every request the same response. */
import type { Case, Check, Verdict } from "../case.ts";
import { okText, type Stand } from "../stand.ts";

type More = Omit<Extract<Check, { protocol: "http" }>, "protocol" | "url">;

/** A check of a path at a port of this machine. */
export const at = (port: number, more: More = {}, path = "/"): Check => ({
  protocol: "http",
  url: `http://127.0.0.1:${port}${path}`,
  ...more,
});

/** A server that gives every request the same response. */
export const answers = (name: string, answer: string | Buffer, verdict: Verdict, more: More = {}): Case => ({
  name,
  verdict,
  serve: async (stand) => at(await stand.says(answer), more),
});

/** A server that sends a response and keeps the connection open, so that the check times out. */
export const hangs = (name: string, answer: string | Buffer, phase: string, says: RegExp): Case => ({
  name,
  verdict: { kind: "timeout", phase, says },
  serve: async (stand) => at(await stand.says(answer, true)),
  timeoutMs: 300,
});

/** A response with these lines and this body. */
export const head = (lines: string, body: string | Buffer = ""): Buffer =>
  Buffer.concat([Buffer.from(`HTTP/1.1 ${lines}\r\n\r\n`, "latin1"), Buffer.from(body as string)]);

/** A server that answers with an error status and an explanation. */
export const status = (code: number, text: string, body: string, says: RegExp, type = "application/json"): Case =>
  answers(
    `answers ${code}`,
    head(`${code} ${text}\r\ncontent-type: ${type}\r\ncontent-length: ${Buffer.byteLength(body)}`, body),
    { kind: "http_status", phase: "response", status: code, says },
  );

/** A server that encodes its body. */
export const encoded = (name: string, coding: string, body: Buffer): Case =>
  answers(
    `encodes its body as ${name}`,
    head(`200 OK\r\ncontent-encoding: ${coding}\r\ncontent-length: ${body.length}`, body),
    "up",
    {
      contains: "healthy",
    },
  );

/** A server that violates HTTP. */
export const protocol = (name: string, answer: string | Buffer, says: RegExp): Case =>
  answers(name, answer, { kind: "protocol", phase: ["first_byte", "headers", "body"], says });

/** A server that redirects, and answers on the other paths. */
export const redirects = (name: string, location: string | Buffer, verdict: Verdict, answer = okText): Case => ({
  name,
  verdict,
  serve: async (stand) => {
    const first = Buffer.concat([
      Buffer.from("HTTP/1.1 302 Found\r\nlocation: "),
      Buffer.from(location as string),
      Buffer.from("\r\ncontent-length: 0\r\n\r\n"),
    ]);
    return at(
      await stand.tcp((socket) =>
        socket.once("data", (data) => socket.end(/^GET \/ /.test(String(data)) ? first : answer)),
      ),
      { contains: "healthy" },
    );
  },
});

/** A server that sends JSON. */
export const json = (name: string, body: Buffer | string, type = "application/json"): Case =>
  answers(name, head(`200 OK\r\ncontent-type: ${type}`, body), "up", { json: { "$.status": "healthy" } });

/** A health endpoint that redirects endlessly to itself under another path. */
export const endless = async (stand: Stand): Promise<Check> => {
  let turn = 0;
  return at(
    await stand.tcp((socket) =>
      socket.once("data", () => socket.end(`HTTP/1.1 302 Found\r\nlocation: /${turn++}\r\ncontent-length: 0\r\n\r\n`)),
    ),
  );
};

/** The prober `tcp`: a fresh connection to any port, optionally with TLS, with a text to send and a response to expect. */
import type { Socket } from "node:net";
import { z } from "zod";
import { textOrSecret } from "../../../shared/config/fields.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { endpointFields, endpointSecrets, portNumber, tlsFieldsNeedTls } from "../net/endpoint.ts";
import { assessEndpoint, type EndpointObservation, endpointYields, observeEndpoint } from "../net/endpoint-probe.ts";
import { ProbeFault } from "../net/faults.ts";
import type { Prober } from "../prober.ts";
import { isWrittenAsPattern, parsePattern, patternMistake } from "../text/pattern.ts";
import { cite, TargetText } from "../text/target-text.ts";

const settings = lazily(() =>
  z
    .strictObject({
      ...endpointFields(),
      port: portNumber().describe("The port to connect to."),
      send: textOrSecret()
        .optional()
        .describe('A text to send, or a secret. Line ends are written out, in double quotes: "PING\\r\\n".'),
      expect: z
        .string()
        .min(1)
        .refine((text) => !isWrittenAsPattern(text) || patternMistake(text) === undefined, {
          error: ({ input }) => `must be a text or a pattern such as /^220 /: ${patternMistake(String(input))}`,
        })
        .optional()
        .describe(
          `A text that the response must contain, or a /pattern/ in RE2 syntax. At most ${longestAnswer} bytes are read. Default: the probe does not wait for a response.`,
        ),
    })
    .superRefine(tlsFieldsNeedTls),
);

/** Settings of a `tcp` probe. */
export type TcpSettings = z.output<ReturnType<typeof settings>>;

/** Maximum length of a response, in bytes. */
const longestAnswer = 16_384;

/** The prober `tcp`. */
export const tcp: Prober<TcpSettings, EndpointObservation> = {
  kind: "tcp",
  title:
    "Opens a fresh TCP connection, optionally with TLS, and can send a text and expect a response. Use it for other protocols, such as SMTP.",
  reach: "private",
  get settings() {
    return settings();
  },
  example: `host: redis.example.com
port: 6379
send: "PING\\r\\n"
expect: /^\\+PONG/
`,
  usualSeconds: 0.2,
  uptimeCheck: true,
  yields: (settings) => endpointYields(settings, "connection_time", "answer"),

  async observe(settings, world) {
    const { expect } = settings;
    const secrets = await endpointSecrets(settings, world);
    const send = settings.send && (await world.resolve(settings.send));
    let received = TargetText.of("");
    const seen = await observeEndpoint(settings, secrets, world, async (socket, watch) => {
      if (send !== undefined || expect !== undefined) watch.enter("answer");
      if (send !== undefined) await written(socket, send);
      if (expect === undefined) return undefined;
      for await (const answer of answersOf(socket)) {
        received = answer;
        if (isIn(answer, expect)) return undefined;
      }
      throw unexpected(expect, received);
    });
    const { failure } = seen;
    if (failure === undefined || failure.kind === "body" || received.judge((text) => text === "")) return seen;
    return {
      ...seen,
      failure: { ...failure, message: cite`${failure.message}; it sent: ${received.first(longestShown)}` },
    };
  },

  assess({ send }, seen) {
    // A text that was sent is not sent again.
    return assessEndpoint("connection_time", {
      ...seen,
      answered: send !== undefined && seen.failure?.phase === "answer",
    });
  },
};

function written(socket: Socket, text: string): Promise<void> {
  return new Promise((resolve, reject) => socket.write(text, (error) => (error ? reject(error) : resolve())));
}

/** Yields everything received so far, whenever more arrives, until the server ends or the maximum length is reached. */
async function* answersOf(socket: Socket): AsyncGenerator<TargetText> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    chunks.push(chunk.subarray(0, longestAnswer - size));
    size += chunk.length;
    yield TargetText.soFar(Buffer.concat(chunks));
    if (size >= longestAnswer) return;
  }
  if (size === 0) throw Object.assign(new Error("closed by the peer"), { code: "ECONNRESET" });
  yield TargetText.of(Buffer.concat(chunks).toString("utf8"));
}

function isIn(received: TargetText, expected: string): boolean {
  return received.judge((text) =>
    isWrittenAsPattern(expected) ? parsePattern(expected)?.isIn(text) === true : text.includes(expected),
  );
}

function unexpected(expected: string, received: TargetText): ProbeFault {
  const missed = isWrittenAsPattern(expected) ? `does not match ${expected}` : `does not contain "${expected}"`;
  return new ProbeFault("body", cite`the response ${missed}; the response is: ${received.first(longestShown)}`);
}

/** Maximum length of a response in a message, in characters. */
const longestShown = 80;

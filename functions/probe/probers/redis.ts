/** The prober `redis`: a fresh connection to Redis or Valkey, optionally with TLS and a login, and a PING. */
import { z } from "zod";
import { secretReference, textOrSecret } from "../../../shared/config/fields.ts";
import type { FailureKind, Signal } from "../../../shared/messages/report.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { endpointFields, endpointSecrets, portNumber, tlsFieldsNeedTls } from "../net/endpoint.ts";
import {
  assessEndpoint,
  type EndpointObservation,
  endpointYields,
  observeEndpoint,
  Refusal,
} from "../net/endpoint-probe.ts";
import { hostAndPort, ProbeFault } from "../net/faults.ts";
import type { Prober } from "../prober.ts";
import { type Piece, Receiver } from "../protocol/receiver.ts";
import { cite, TargetText } from "../text/target-text.ts";

const settings = lazily(() =>
  z
    .strictObject({
      ...endpointFields(),
      port: portNumber().default(6379).describe("The port to connect to."),
      user: textOrSecret().optional().describe("The user to log in as. Default: the server's default user."),
      password: secretReference().optional().describe("The password or the AUTH string. Default: no login."),
      replication: z
        .enum(["primary", "replica"])
        .optional()
        .describe(
          "The expected role of the server: `primary`, or `replica` with its link to the primary up. Uses `INFO replication`.",
        ),
    })
    .superRefine(tlsFieldsNeedTls)
    .refine(({ user, password }) => user === undefined || password !== undefined, {
      message: "user requires a password: set password: { secret: NAME }, or remove user",
      path: ["user"],
    }),
);

/** Settings of a `redis` probe. */
export type RedisSettings = z.output<ReturnType<typeof settings>>;

/** The prober `redis`. */
export const redis: Prober<RedisSettings, EndpointObservation> = {
  kind: "redis",
  title:
    "Opens a fresh connection to Redis or Valkey, optionally with TLS and a login, and expects a reply to PING. Behind the same VPC connector as a database, it distinguishes a failing connector from a failing database.",
  role: "cache",
  reach: "private",
  get settings() {
    return settings();
  },
  example: `host: 10.20.0.3
password: { secret: redis-auth }
replication: primary
`,
  notes: `\`-LOADING\`, \`-MASTERDOWN\`, \`-MISCONF\`, \`-OOM\`, \`-CLUSTERDOWN\` and \`max number of clients reached\` are failures of the kind \`unavailable\`, a refused or missing login is one of the kind \`auth\`; \`failure.code\`
is the first word of the server's error, such as \`WRONGPASS\`.`,
  usualSeconds: 0.2,
  yields: (settings) => endpointYields(settings, "connection_time", "authentication", "answer"),

  async observe(settings, world) {
    const { host, port, replication } = settings;
    const secrets = await endpointSecrets(settings, world);
    const user = settings.user && (await world.resolve(settings.user));
    const password = settings.password && (await world.resolve(settings.password));
    const peer = hostAndPort(host, port);
    return await observeEndpoint(settings, secrets, world, async (socket, watch) => {
      const receiver = new Receiver(socket, peer);
      const ask = async (...words: readonly string[]): Promise<TargetText> => {
        socket.write(command(words));
        const reply = await receiver.next((bytes) => replyIn(bytes, peer), longestReply);
        if (!reply.refused) return reply.text;
        throw refusal(reply.text, peer);
      };
      if (password !== undefined) {
        watch.enter("authentication");
        await ask("AUTH", ...(user === undefined ? [] : [user]), password);
      }
      watch.enter("answer");
      const pong = await ask("PING");
      if (pong.judge((text) => text !== "PONG"))
        throw new ProbeFault("protocol", cite`${peer} answered PING with ${pong.first(60)}`);
      if (replication !== undefined) {
        const info = await ask("INFO", "replication");
        info.judge((text) => mustBe(replication, text, peer));
      }
      return undefined;
    });
  },

  assess: (_settings, seen) => assessEndpoint("connection_time", seen),
};

/** Maximum length of a reply, in bytes. */
const longestReply = 65_536;

/** Encodes a command for the protocol. @see https://redis.io/docs/latest/develop/reference/protocol-spec/ */
function command(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`;
}

interface Reply {
  readonly text: TargetText;
  /** Whether it is an error of the server. */
  readonly refused: boolean;
}

/** Parses the reply at the beginning of the bytes: a simple string, an error, a number or a bulk string. @throws ProbeFault */
function replyIn(bytes: Buffer, peer: string): Piece<Reply> | undefined {
  const mark = String.fromCharCode(bytes[0] ?? 0);
  if (!"+-:$".includes(mark)) {
    // The alert of a TLS server that received plain text.
    if (bytes[0] === 0x15) throw new ProbeFault("protocol", `${peer} speaks TLS: set tls: true`);
    throw new ProbeFault(
      "protocol",
      cite`${peer} does not speak Redis: its response begins with ${TargetText.of(bytes.toString("latin1"), true).quoted(60)}`,
    );
  }
  const end = bytes.indexOf("\r\n");
  if (end < 0) return undefined;
  const line = bytes.toString("utf8", 1, end);
  if (mark !== "$") return { value: { text: TargetText.of(line), refused: mark === "-" }, length: end + 2 };
  if (!/^(-1|\d{1,6})$/.test(line))
    throw new ProbeFault("protocol", `${peer} does not speak Redis: it sent a string of invalid length`);
  const length = Number(line);
  if (length < 0) return { value: { text: TargetText.of(""), refused: false }, length: end + 2 };
  if (bytes.length < end + 2 + length + 2) return undefined;
  return {
    value: { text: TargetText.of(bytes.toString("utf8", end + 2, end + 2 + length)), refused: false },
    length: end + 4 + length,
  };
}

/** Meanings of the server's errors, by their prefix; the first match counts. */
const refusals: readonly {
  readonly begins: RegExp;
  readonly kind: FailureKind;
  readonly say: string;
  readonly signal?: Signal;
}[] = [
  { begins: /^NOAUTH/, kind: "auth", say: "requires a login: set password: { secret: NAME }" },
  { begins: /^ERR operation not permitted/, kind: "auth", say: "requires a login: set password: { secret: NAME }" },
  { begins: /^WRONGPASS|^ERR invalid password/, kind: "auth", say: "refused the user or the password" },
  {
    begins: /^ERR (AUTH|Client sent AUTH)/,
    kind: "auth",
    say: "has no password set for this user: remove password, or set one on the server",
  },
  {
    begins: /^ERR wrong number of arguments for 'auth'/i,
    kind: "auth",
    say: "is a Redis version without users, which accepts only a password: remove user",
  },
  { begins: /^NOPERM|^DENIED/, kind: "auth", say: "denied the command" },
  {
    begins: /^ERR max number of clients/,
    kind: "unavailable",
    say: "accepts no more clients",
    signal: "saturated",
  },
  { begins: /^LOADING/, kind: "unavailable", say: "is still loading its data" },
  { begins: /^MASTERDOWN/, kind: "unavailable", say: "is a replica that has lost its primary" },
  { begins: /^MISCONF/, kind: "unavailable", say: "accepts no writes, because it cannot save its data" },
  { begins: /^OOM/, kind: "unavailable", say: "is out of memory", signal: "saturated" },
  { begins: /^CLUSTERDOWN/, kind: "unavailable", say: "belongs to a cluster that is down" },
  {
    begins: /^(ERR )?(no upstream host|upstream )/i,
    kind: "unavailable",
    say: "is a proxy that has no server behind it",
  },
  { begins: /^BUSY/, kind: "unavailable", say: "is blocked by a script" },
];

function refusal(said: TargetText, peer: string): Refusal {
  const known = refusals.find(({ begins }) => said.judge((text) => begins.test(text)));
  const code = said.judge((text) => /^[A-Z]{2,20}/.exec(text)?.[0]);
  const message = cite`${peer} ${known?.say ?? "refused a command"}: ${said.first(160)}`;
  return new Refusal(known?.kind ?? "protocol", message, {
    ...(code === undefined ? {} : { code }),
    ...(known?.signal === undefined ? {} : { signal: known.signal }),
  });
}

/** @throws Refusal for a server that is not Redis, or a replica without its primary */
function mustBe(wanted: "primary" | "replica", info: string, peer: string): void {
  const is = /^role:master\s*$/m.test(info) ? "primary" : /^role:slave\s*$/m.test(info) ? "replica" : undefined;
  if (is === undefined) throw new ProbeFault("protocol", `${peer} did not report whether it is a primary or a replica`);
  if (is !== wanted) throw new Refusal("body", `${peer} is a ${is}, expected a ${wanted}`, { code: is });
  if (is === "replica" && /^master_link_status:down\s*$/m.test(info))
    throw new Refusal("unavailable", `${peer} is a replica whose link to its primary is down`, { code: "LINK_DOWN" });
}

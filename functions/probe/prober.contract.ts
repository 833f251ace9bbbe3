/** The contract of all probers, whatever target they have. Each prober's test runs it with servers of its kind. */
import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { ProbeResult } from "../../shared/messages/report.ts";
import { failureKinds, readingPhase } from "../../shared/messages/report.ts";
import { canYield } from "../../shared/metrics/yields.ts";
import { repetitions } from "../../tests/support/repetitions.ts";
import { canaries, closedPort, probeOnce, tcpServer } from "./fixtures.ts";
import type { AnyProber } from "./prober.ts";
import { graceMs } from "./run/attempt.ts";

/** A prober, and the settings that point it at a server. */
export interface ProberFixture {
  readonly prober: AnyProber;
  /** Settings, as written in the file, for a target at 127.0.0.1; with the secret `canary` wherever it can be sent. */
  readonly settings: (port: number) => Record<string, unknown>;
  /** Starts a target that the prober finds healthy. @returns the port */
  readonly healthy: () => Promise<number>;
  /** Returns a response in the prober's protocol that contains a text wherever the protocol allows one. */
  readonly echo: (text: string) => string | Buffer;
  /** Ways in which a target can misbehave in the prober's protocol, in addition to those of any target. */
  readonly misbehaviours?: Readonly<Record<string, (socket: Socket) => void>>;
  /** Secrets in place of the canaries, if a secret must have a certain form, such as a certificate. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Whether the prober calls Google's APIs: then the port is a fake of these, and the secret is the token of the requests. @default false */
  readonly google?: boolean;
}

/** The deadline that a probe is held to, in milliseconds. */
export const deadlineMs = 300;
/** The token that a fake of Google's APIs receives. */
const fakeToken = "no-token";
/** Maximum overrun of a probe after its deadline, in milliseconds. */
const toleranceMs = 50;

/** Declares the tests of the properties that every kind must have. This is the whole contract for a prober without a network target. */
export function settingsContract(prober: AnyProber): void {
  it("builds the schema of its settings once", () => {
    expect(prober.settings).toBe(prober.settings);
  });

  it("describes every field of its settings, and has a title and an example", () => {
    expect(undescribed(z.toJSONSchema(prober.settings, { io: "input" }))).toEqual([]);
    expect(prober.title).toMatch(/^[A-Z].*\.$/);
    expect(prober.example).toMatch(/^\w+:/);
  });
}

/** Declares the tests of the contract. */
export function proberContract({
  prober,
  settings,
  healthy,
  echo,
  misbehaviours = {},
  secrets = {},
  google = false,
}: ProberFixture): void {
  const probe = (port: number, timeoutMs = deadlineMs) =>
    probeOnce(prober, settings(port), {
      timeoutMs,
      secrets,
      ...(google ? { googleApis: `http://127.0.0.1:${port}` } : {}),
    });

  describe(`contract of the prober ${prober.kind}`, () => {
    settingsContract(prober);

    it("succeeds for a healthy target, with the metrics that it declares", async () => {
      const result = await probe(await healthy(), 10_000);
      expect(result.failure).toBeUndefined();
      const yields = prober.yields(prober.settings.parse(settings(1)));
      const own = { name: result.probe, component: result.component, vantage: "outside", yields };
      const foreign = result.measurements.filter(({ metric, labels }) => !canYield(own, { metric, matchers: labels }));
      expect(foreign).toEqual([]);
    });

    it.each(Object.entries({ ...anyMisbehaviours, ...misbehaviours }))(
      "survives a target that %s",
      async (_what, misbehave) => {
        const port = await tcpServer(misbehave);
        const result = await inTime(() => probe(port));
        expect(result.success).toBe(false);
        expect(failureKinds).toContain(result.failure?.kind);
        expect(result.failure?.kind).not.toBe("internal");
        expect(result.failure?.phase).not.toBe("unknown");
        expect(result.failure?.message.length).toBeLessThanOrEqual(300);
        expect(JSON.stringify(result)).not.toContain("c4n4ry");
      },
    );

    it("reports a timeout and its phase for a target that sends nothing", async () => {
      const result = await probe(await tcpServer(() => {}));
      expect(result.failure).toMatchObject({
        kind: "timeout",
        message: expect.stringMatching(/^(step `[^`]+`: )?the probe timed out while /),
      });
      expect(result.measurements.map(({ metric }) => metric)).toContain("probe_duration");
    });

    it("keeps secrets out of the result, even if the target echoes them", async () => {
      const secrets = google ? [fakeToken] : Object.values(canaries);
      const answer = echo(secrets.join(" "));
      const port = await tcpServer((socket) => socket.on("data", () => socket.end(answer)));
      const result = await probe(port, google ? 10_000 : deadlineMs);
      expect(result.failure?.message).toBeDefined();
      expect(JSON.stringify(result)).not.toContain(google ? fakeToken : "c4n4ry-S3cret/value");
    });

    if (google) {
      it("reports an unreachable API as a failure of the reading", async () => {
        const { failure } = await probe(await closedPort(), 10_000);
        expect(failure).toMatchObject({ kind: "unavailable", phase: readingPhase });
      });
    } else {
      it("reports an unavailable secret as a failure of the prober", async () => {
        const missing = JSON.parse(JSON.stringify(settings(1)).replaceAll('"canary"', '"not-there"'));
        const result = await probeOnce(prober, missing);
        expect(result.failure).toMatchObject({ kind: "internal", message: expect.stringContaining('"not-there"') });
      });
    }

    // Google's probers share one client, so a few runs of each are many runs of the shared code.
    it("leaves no resources open after many runs", async () => {
      const good = await healthy();
      const closed = await closedPort();
      const silent = await tcpServer((socket) => {
        socket.resume().on("end", () => socket.end());
        // Google's client keeps idle connections for seconds, which its own test waits for.
        if (google) socket.setTimeout(500, () => socket.destroy());
      });
      const targets = [good, silent, closed, closed, closed];
      await leavesNothingOpen(
        (run) => probe(targets[run % targets.length] ?? closed, 200),
        google ? Math.max(10, repetitions(40)) : repetitions(200),
      );
    }, 180_000);
  });
}

/** Runs a probe with the deadline of the contract, and asserts that it is met. */
export async function inTime(probe: () => Promise<ProbeResult>): Promise<ProbeResult> {
  const { result, lateMs } = await timed(probe);
  // Slow code is late every time, a busy machine only now and then.
  const leastMs = lateMs <= toleranceMs ? lateMs : await leastLate(probe);
  expect(leastMs).toBeLessThanOrEqual(toleranceMs);
  return result;
}

/** Runs a probe many times, of which five in a row see every target, and looks for resources left open. */
export async function leavesNothingOpen(
  probe: (run: number) => Promise<unknown>,
  times = repetitions(200),
): Promise<void> {
  const runs = (count: number): Promise<unknown> => Promise.all(Array.from({ length: count }, (_, run) => probe(run)));
  await runs(Math.min(20, times / 2));
  const before = open();
  for (let batch = 0; batch < 2; batch++) await runs(times / 2);
  // HTTP clients keep an idle connection for some seconds, including one that was opened for an aborted request.
  await expect.poll(open, { timeout: 15_000 }).toBeLessThanOrEqual(before);
}

const anyMisbehaviours: Readonly<Record<string, (socket: Socket) => void>> = {
  "sends nothing": () => {},
  "closes at once": (socket) => socket.end(),
  "resets the connection": (socket) => socket.resetAndDestroy(),
  "answers garbage": (socket) =>
    socket.on("data", () => socket.end(Buffer.from("\u0000\u00ff\u001b[31m<garbage>".repeat(50)))),
  "answers garbage and keeps still": (socket) => socket.on("data", () => socket.write("garbage")),
  "speaks before it is asked": (socket) => socket.write("220 mail.example.com ESMTP\r\n"),
  "closes its half only": (socket) => socket.on("data", () => socket.end()),
  "never ends": (socket) => {
    const chunk = Buffer.alloc(65_536, "R\u0000\u0000");
    const pour = (): void => {
      while (socket.writable && socket.write(chunk));
    };
    socket.on("drain", pour).once("data", pour);
  },
  "answers one byte at a time": (socket) => {
    const drip = setInterval(() => socket.write("H"), 20);
    socket.once("close", () => clearInterval(drip));
  },
};

/**
 * Returns the overrun of a probe after its deadline, in milliseconds. If the machine itself is slow, plain timers set to the same instants
 * are late too; only the additional delay counts.
 */
async function timed<T>(run: () => Promise<T>): Promise<{ result: T; lateMs: number }> {
  const started = performance.now();
  // As in a run: one timer for the deadline, and after it a short time in which a prober may still respond.
  const reference = new Promise<number>((resolve) => {
    setTimeout(() => setTimeout(() => resolve(performance.now()), graceMs), deadlineMs);
  });
  const result = await run();
  const ended = performance.now();
  if (ended <= started + deadlineMs + toleranceMs) return { result, lateMs: ended - started - deadlineMs };
  return { result, lateMs: ended - ((await reference) - graceMs) };
}

/** Returns the smallest delay of up to five more attempts. */
async function leastLate(run: () => Promise<unknown>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 5 && least > toleranceMs; attempt++)
    least = Math.min(least, (await timed(run)).lateMs);
  return least;
}

function open(): number {
  return process.getActiveResourcesInfo().filter((kind) => /TCP|TLS|Timeout|GetAddrInfo|Pipe/.test(kind)).length;
}

/** Returns the paths of the fields without a description. */
function undescribed(schema: unknown, path = ""): string[] {
  if (typeof schema !== "object" || schema === null) return [];
  const { properties = {}, items } = schema as { properties?: Record<string, object>; items?: unknown };
  // A reference to a secret documents itself.
  if ("secret" in properties) return [];
  return [
    ...Object.entries(properties).flatMap(([name, field]) => [
      ...("description" in field ? [] : [`${path}.${name}`]),
      ...undescribed(field, `${path}.${name}`),
    ]),
    ...undescribed(items, `${path}[]`),
  ];
}

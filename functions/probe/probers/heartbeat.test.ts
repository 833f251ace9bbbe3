import { describe, expect, it } from "vitest";
import type { HeartbeatReader, KeptHeartbeat } from "../../../shared/documents/heartbeats.ts";
import { openFailure, probeOnce } from "../fixtures.ts";
import { deadlineMs, inTime, leavesNothingOpen, settingsContract } from "../prober.contract.ts";
import { heartbeat } from "./heartbeat.ts";

const minute = 60_000;
const hour = 60 * minute;
const now = Date.parse("2025-09-16T12:00:00Z");
const ago = (ms: number, more: Partial<KeptHeartbeat> = {}): KeptHeartbeat => ({
  at: now - ms,
  ok: true,
  okAt: now - ms,
  ...more,
});
const nightly = { beat: "nightly-backup", every: 24 * hour };

describe("heartbeat", () => {
  settingsContract(heartbeat);

  it.each<[string, object, KeptHeartbeat | undefined, object | undefined, number | undefined]>([
    ["in time", {}, ago(23 * hour), undefined, 82_800],
    ["late, within a tenth of the interval", {}, ago(26 * hour), undefined, 93_600],
    [
      "overdue",
      {},
      ago(27 * hour),
      {
        kind: "unavailable",
        phase: "overdue",
        message: "`nightly-backup` has not sent a heartbeat for 1 d 3 h; expected every 1d",
      },
      97_200,
    ],
    [
      "overdue by its own grace",
      { grace: hour },
      ago(25 * hour + 1),
      {
        kind: "unavailable",
        phase: "overdue",
        message: "`nightly-backup` has not sent a heartbeat for 1 d 1 h; expected every 1d",
      },
      90_000.001,
    ],
    ["within a minute of a short interval", { every: minute }, ago(119_000), undefined, 119],
    [
      "never heard of",
      {},
      undefined,
      {
        kind: "unavailable",
        phase: "never reported",
        message: "`nightly-backup` has never sent a heartbeat; expected every 1d",
      },
      undefined,
    ],
    ["not yet awaited", { first_by: "2025-09-16T12:00:01Z" }, undefined, undefined, undefined],
    [
      "awaited for the first time, and not there",
      { first_by: "2025-09-16T12:00:00Z" },
      undefined,
      {
        kind: "unavailable",
        phase: "never reported",
        message: "`nightly-backup` has never sent a heartbeat; expected every 1d",
      },
      undefined,
    ],
    [
      "a failure",
      {},
      ago(hour, { ok: false, message: "disk full", okAt: now - 25 * hour }),
      {
        kind: "body",
        phase: "report",
        message: '`nightly-backup` reported a failure 1 h ago: "disk full"; it last succeeded 1 d 1 h ago',
      },
      3_600,
    ],
    [
      "a failure without a word, the first of all",
      {},
      { at: now - hour, ok: false },
      {
        kind: "body",
        phase: "report",
        message: "`nightly-backup` reported a failure 1 h ago: no reason given; it has never succeeded",
      },
      3_600,
    ],
    [
      "a failure, and then nothing",
      {},
      { at: now - 48 * hour, ok: false },
      {
        kind: "unavailable",
        phase: "overdue",
        message:
          "`nightly-backup` has not sent a heartbeat for 2 d; expected every 1d; the last heartbeat reported a failure",
      },
      172_800,
    ],
    ["from a clock that is ahead of ours", {}, { at: now + minute, ok: true }, undefined, 0],
  ])("judges a report that is %s", (_what, settings, beat, failure, age) => {
    const assessed = heartbeat.assess({ ...nightly, ...settings }, { now, beat });
    const signal = assessed.failure?.kind === "unavailable" ? "missing" : undefined;
    expect(openFailure(assessed.failure)).toEqual(failure && { ...failure, signal });
    expect(assessed.measurements).toEqual(age === undefined ? [] : [{ metric: "heartbeat_age", value: age }]);
    // A missing heartbeat is not rechecked: it is not transient.
    expect(assessed.conclusive).toBe(signal === "missing" ? true : undefined);
  });

  it.each<[string, object, KeptHeartbeat | undefined, number, boolean]>([
    ["added within its period", {}, undefined, 26 * hour, true],
    ["added longer ago", {}, undefined, 26.4 * hour, false],
    ["added within its own grace", { grace: 4 * hour }, undefined, 27 * hour, true],
    ["awaited by an instant that has passed", { first_by: "2025-09-16T12:00:00Z" }, undefined, minute, false],
    ["added again, with an old report", {}, ago(900 * hour), hour, true],
    ["added long ago, with an old report", {}, ago(27 * hour), 900 * hour, false],
    ["given a shorter period", { every: hour }, undefined, 2 * hour, false],
  ])("waits for a first report: %s", (_what, settings, beat, awaitedFor, isPending) => {
    const seen = { now, beat, awaitedSince: now - awaitedFor };
    const { pending, failure } = heartbeat.assess({ ...nightly, ...settings }, seen);
    expect([pending, failure?.kind]).toEqual(isPending ? [true, undefined] : [undefined, "unavailable"]);
  });

  it.each([
    ["the monitor has only begun", undefined, undefined, true],
    ["the probe has only been added", { at: 0, ok: true }, Number.POSITIVE_INFINITY, true],
    ["the monitor has only begun, and there is an old report", { at: 0, ok: true }, undefined, false],
  ])("reports whether a heartbeat is not due yet: %s", async (_what, beat, since, isPending) => {
    const options = { beats: async () => beat, awaited: async () => since };
    const { success, pending } = await probeOnce(heartbeat, { beat: "a", every: "1h" }, options);
    expect([success, pending]).toEqual(isPending ? [true, true] : [false, undefined]);
  });

  it("reads the heartbeats with its name", async () => {
    const asked: string[] = [];
    const result = await probeOnce(
      heartbeat,
      { beat: "nightly-backup", every: "24h" },
      {
        beats: async (name) => {
          asked.push(name);
          return { at: Date.now() - minute, ok: true };
        },
      },
    );
    expect([result.success, asked]).toEqual([true, ["nightly-backup"]]);
  });

  it.each([
    [
      "cannot be read",
      async () => Promise.reject(new Error("permission denied")),
      "internal",
      "the heartbeats could not be read: permission denied",
    ],
    [
      "does not answer",
      () => new Promise<undefined>(() => {}),
      "timeout",
      "the heartbeats could not be read: the probe timed out while reading them",
    ],
    [
      "is not known",
      undefined,
      "internal",
      "the heartbeats could not be read: no store is configured to read them from",
    ],
  ])("reports that the store %s", async (_what, beats, kind, message) => {
    const options = { timeoutMs: 200, ...(beats === undefined ? {} : { beats }) };
    const { failure } = await probeOnce(heartbeat, { beat: "a", every: "1h" }, options);
    expect(failure).toEqual({ kind, phase: "store", message });
  });

  // The contract of a prober that reads a store instead of a target.
  it.each<[string, HeartbeatReader]>([
    ["never answers", () => new Promise(() => {})],
    [
      "answers when it is too late",
      () => new Promise((resolve) => setTimeout(() => resolve(undefined), deadlineMs * 4)),
    ],
    ["fails at once", () => Promise.reject(new Error("c4n4ry ".repeat(1_000)))],
    [
      "throws",
      () => {
        throw new Error("broken");
      },
    ],
    ["has beats of no time", async () => ({ at: Number.NaN, ok: true })],
    [
      "has beats of words without end",
      async () => ({ at: Date.now(), ok: false, message: "\u001b[31m no ".repeat(10_000) }),
    ],
  ])("survives a store that %s", async (_what, beats) => {
    const result = await inTime(() =>
      probeOnce(heartbeat, { beat: "a", every: "1h" }, { timeoutMs: deadlineMs, beats }),
    );
    expect(result.success).toBe(false);
    expect(result.failure?.phase).not.toBe("unknown");
    expect(result.failure?.message.length).toBeLessThanOrEqual(300);
    expect(result.failure?.message).not.toContain("\u001b");
  });

  it("leaves no resources open after many runs", async () => {
    const readers: HeartbeatReader[] = [
      async () => ({ at: Date.now(), ok: true }),
      () => new Promise(() => {}),
      () => Promise.reject(new Error("busy")),
    ];
    await leavesNothingOpen((run) =>
      probeOnce(
        heartbeat,
        { beat: "a", every: "1h" },
        { timeoutMs: 50, beats: readers[run % 3] ?? (async () => undefined) },
      ),
    );
  }, 180_000);
});

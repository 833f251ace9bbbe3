import { describe, expect, it } from "vitest";
import { Troubles } from "./troubles.ts";

const failure = (code: string, message: string): Error => Object.assign(new Error(message), { code });
const full = failure("ENOSPC", "ENOSPC: no space left on device, write");
/** As `node:sqlite` throws it. */
const fullDatabase = Object.assign(new Error("database or disk is full"), { code: "ERR_SQLITE_ERROR", errcode: 13 });

function watched() {
  const told: string[] = [];
  let now = 0;
  const troubles = new Troubles(
    (sentence) => told.push(sentence),
    () => now,
  );
  return {
    told,
    troubles,
    at: (seconds: number) => {
      now = seconds * 1000;
    },
  };
}

describe("a file that cannot be written", () => {
  it("is reported once, in one sentence, however often writing fails", () => {
    const { told, troubles } = watched();
    const log = troubles.writing("watch/logs/local.log");
    for (let time = 0; time < 100; time += 1) log.begin(full);
    expect(told).toEqual([
      "cannot write watch/logs/local.log: no space left on device; monitoring continues, and failed writes are retried",
    ]);
    expect(troubles.sentences).toEqual(told);
  });

  it("is reported once for all files of a full disk, databases included", () => {
    const { told, troubles } = watched();
    const [log, other, database] = ["local.log", "probe.log", "broker.db"].map((file) => troubles.writing(file));
    log?.begin(full);
    other?.begin(full);
    database?.begin(fullDatabase);
    expect(told).toHaveLength(1);
    log?.end();
    other?.end();
    expect(troubles.sentences).toEqual(told);
    database?.end();
    expect(troubles.sentences).toEqual([]);
  });

  it("is reported once for all files of a disk that has become read-only", () => {
    const { told, troubles } = watched();
    troubles.writing("local.log").begin(failure("EROFS", "EROFS: read-only file system, open 'local.log'"));
    troubles.writing("probe.log").begin(failure("EROFS", "EROFS: read-only file system, open 'probe.log'"));
    const readOnly = Object.assign(new Error("attempt to write a readonly database"), { errcode: 8 | (3 << 8) });
    troubles.writing("broker.db").begin(readOnly);
    expect(told).toEqual([expect.stringMatching(/^cannot write local\.log: read-only file system; /)]);
  });

  it("is reported for each file if permissions are the reason", () => {
    const { told, troubles } = watched();
    troubles.writing("local.log").begin(failure("EACCES", "EACCES: permission denied, open 'local.log'"));
    troubles.writing("probe.log").begin(failure("EACCES", "EACCES: permission denied, open 'probe.log'"));
    expect(told.map((sentence) => sentence.split(";")[0])).toEqual([
      "cannot write local.log: permission denied",
      "cannot write probe.log: permission denied",
    ]);
  });

  it("is reported again after a period of success, and not while it fails intermittently", () => {
    const { told, troubles, at } = watched();
    const log = troubles.writing("local.log");
    for (let second = 0; second < 300; second += 10) {
      at(second);
      log.begin(full);
      at(second + 5);
      log.end();
    }
    expect(told).toHaveLength(1);
    at(400);
    log.begin(full);
    expect(told).toHaveLength(2);
  });

  it("is reported as over after a period without failures, and reported again when it recurs", () => {
    const { told, troubles, at } = watched();
    const log = troubles.writing("local.log");
    log.begin(full);
    troubles.look();
    expect(troubles.disks).toEqual([{ key: "full", sentence: told[0], since: 0 }]);
    at(3);
    log.end();
    troubles.look();
    expect(told).toHaveLength(1);
    at(10);
    troubles.look();
    troubles.look();
    expect(told.slice(1)).toEqual(["local.log can be written again"]);
    expect(troubles.disks).toEqual([]);
    at(20);
    log.begin(full);
    expect(told.slice(2)).toEqual([told[0]]);
  });

  it("can end without having begun", () => {
    const { told, troubles } = watched();
    troubles.writing("local.log").end();
    expect([told, troubles.sentences]).toEqual([[], []]);
  });
});

it("reports other failures with their own messages", () => {
  const { told, troubles } = watched();
  const view = troubles.of("view", (reason) => `cannot read the incidents: ${reason}`);
  view.begin(new Error("the store is away"));
  view.begin(new Error("the store is away"));
  expect(told).toEqual(["cannot read the incidents: the store is away"]);
});

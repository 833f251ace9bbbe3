import { describe, expect, it } from "vitest";
import { RecurringFailures } from "./failures.ts";

const failure = (code: string, message: string): Error => Object.assign(new Error(message), { code });
const full = failure("ENOSPC", "ENOSPC: no space left on device, write");
/** As `node:sqlite` throws it. */
const fullDatabase = Object.assign(new Error("database or disk is full"), { code: "ERR_SQLITE_ERROR", errcode: 13 });

function watched() {
  const reported: string[] = [];
  let now = 0;
  const failures = new RecurringFailures(
    (sentence) => reported.push(sentence),
    () => now,
  );
  return {
    reported,
    failures,
    at: (seconds: number) => {
      now = seconds * 1000;
    },
  };
}

describe("a file that cannot be written", () => {
  it("is reported once, in one sentence, however often writing fails", () => {
    const { reported, failures } = watched();
    const log = failures.writing("watch/logs/local.log");
    for (let time = 0; time < 100; time += 1) log.begin(full);
    expect(reported).toEqual([
      "cannot write watch/logs/local.log: no space left on device; monitoring continues, and failed writes are retried",
    ]);
    expect(failures.sentences).toEqual(reported);
  });

  it("is reported once for all files of a full disk, databases included", () => {
    const { reported, failures } = watched();
    const [log, other, database] = ["local.log", "probe.log", "broker.db"].map((file) => failures.writing(file));
    log?.begin(full);
    other?.begin(full);
    database?.begin(fullDatabase);
    expect(reported).toHaveLength(1);
    log?.end();
    other?.end();
    expect(failures.sentences).toEqual(reported);
    database?.end();
    expect(failures.sentences).toEqual([]);
  });

  it("is reported once for all files of a disk that has become read-only", () => {
    const { reported, failures } = watched();
    failures.writing("local.log").begin(failure("EROFS", "EROFS: read-only file system, open 'local.log'"));
    failures.writing("probe.log").begin(failure("EROFS", "EROFS: read-only file system, open 'probe.log'"));
    const readOnly = Object.assign(new Error("attempt to write a readonly database"), { errcode: 8 | (3 << 8) });
    failures.writing("broker.db").begin(readOnly);
    expect(reported).toEqual([expect.stringMatching(/^cannot write local\.log: read-only file system; /)]);
  });

  it("is reported for each file if permissions are the reason", () => {
    const { reported, failures } = watched();
    failures.writing("local.log").begin(failure("EACCES", "EACCES: permission denied, open 'local.log'"));
    failures.writing("probe.log").begin(failure("EACCES", "EACCES: permission denied, open 'probe.log'"));
    expect(reported.map((sentence) => sentence.split(";")[0])).toEqual([
      "cannot write local.log: permission denied",
      "cannot write probe.log: permission denied",
    ]);
  });

  it("is reported again after a period of success, and not while it fails intermittently", () => {
    const { reported, failures, at } = watched();
    const log = failures.writing("local.log");
    for (let second = 0; second < 300; second += 10) {
      at(second);
      log.begin(full);
      at(second + 5);
      log.end();
    }
    expect(reported).toHaveLength(1);
    at(400);
    log.begin(full);
    expect(reported).toHaveLength(2);
  });

  it("is reported as over after a period without failures, and reported again when it recurs", () => {
    const { reported, failures, at } = watched();
    const log = failures.writing("local.log");
    log.begin(full);
    failures.look();
    expect(failures.disks).toEqual([{ key: "full", sentence: reported[0], since: 0 }]);
    at(3);
    log.end();
    failures.look();
    expect(reported).toHaveLength(1);
    at(10);
    failures.look();
    failures.look();
    expect(reported.slice(1)).toEqual(["local.log can be written again"]);
    expect(failures.disks).toEqual([]);
    at(20);
    log.begin(full);
    expect(reported.slice(2)).toEqual([reported[0]]);
  });

  it("can end without having begun", () => {
    const { reported, failures } = watched();
    failures.writing("local.log").end();
    expect([reported, failures.sentences]).toEqual([[], []]);
  });
});

it("reports other failures with their own messages", () => {
  const { reported, failures } = watched();
  const view = failures.of("view", (reason) => `cannot read the incidents: ${reason}`);
  view.begin(new Error("the store is away"));
  view.begin(new Error("the store is away"));
  expect(reported).toEqual(["cannot read the incidents: the store is away"]);
});

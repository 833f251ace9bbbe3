import { execFile } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fileLogger } from "../file-logger.ts";
import { type LogFile, openLogFile } from "./log-file.ts";

let folder: string;
let file: string;
let log: LogFile;
let events: string[];
const failure = {
  begin: (error: Error): void => void events.push(error.message.split(",")[0] ?? ""),
  end: (): void => void events.push("ended"),
};
/** Messages, without duplicates. */
const reported = (): string[] => events.filter((event, index) => event !== events[index - 1]);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pathkeeper-log-"));
  file = join(folder, "logs", "local.log");
  events = [];
  mkdirSync(join(folder, "logs"));
});
afterEach(async () => {
  await log.close();
  rmSync(folder, { recursive: true, force: true });
});

const open = (): void => {
  log = openLogFile(file, failure, { retryMs: 10 });
};
const lines = (): string[] => readFileSync(file, "utf8").split("\n").slice(0, -1);

describe("a log file", () => {
  it("appends every line in order", async () => {
    writeFileSync(file, "before\n");
    open();
    for (let number = 0; number < 100; number += 1) log.write(`line ${number}\n`);
    await log.close();
    expect(lines()).toEqual(["before", ...Array.from({ length: 100 }, (_, number) => `line ${number}`)]);
    expect(reported()).toEqual(["ended"]);
  });

  it("survives a full disk, and writes the buffered lines when there is space again", async () => {
    symlinkSync("/dev/full", file);
    open();
    log.write("during\n");
    await vi.waitUntil(() => events.length >= 3);
    log.write("during, too\n");
    expect(reported()).toEqual(["ENOSPC: no space left on device"]);
    rmSync(file);
    await vi.waitUntil(() => events.at(-1) === "ended");
    log.write("after\n");
    await log.close();
    expect(lines()).toEqual(["during", "during, too", "after"]);
  });

  it("keeps the newest lines of a long failure, and notes that others are missing", async () => {
    symlinkSync("/dev/full", file);
    open();
    const text = "x".repeat(1_000);
    for (let number = 0; number < 1_000; number += 1) log.write(`${number} ${text}\n`);
    await vi.waitUntil(() => events.length > 0);
    rmSync(file);
    await vi.waitUntil(() => events.at(-1) === "ended");
    const [first = "", ...kept] = lines();
    expect(JSON.parse(first)).toEqual({
      severity: "WARNING",
      message: `${1_000 - kept.length} lines are missing here: the file could not be written`,
    });
    expect(kept.at(-1)).toBe(`999 ${text}`);
    expect(kept.length).toBeGreaterThan(50);
    expect(kept.length).toBeLessThan(500);
  });

  it.each([
    ["a folder stands in its place", () => mkdirSync(file), "EISDIR: illegal operation on a directory"],
    [
      "its folder is a file",
      () => {
        rmSync(join(folder, "logs"), { recursive: true });
        writeFileSync(join(folder, "logs"), "");
      },
      "ENOTDIR: not a directory",
    ],
  ])("survives if %s", async (_what, spoil, reason) => {
    spoil();
    open();
    log.write("lost\n");
    await vi.waitUntil(() => events.length > 0);
    await log.close();
    expect(reported()).toEqual([reason]);
  });

  it("is recreated after its folder was removed", async () => {
    open();
    log.write("before\n");
    await vi.waitUntil(() => existsSync(file));
    rmSync(join(folder, "logs"), { recursive: true });
    log.write("after\n");
    await log.close();
    expect(lines()).toEqual(["after"]);
  });

  it("keeps the newest lines in at most two files of a bounded length", async () => {
    log = openLogFile(file, failure, { longest: 10_000 });
    const kept = (): string =>
      [`${file}.1`, file].map((one) => (existsSync(one) ? readFileSync(one, "utf8") : "")).join("");
    for (let number = 0; number < 600; number += 1) {
      log.write(`line ${number} ${"x".repeat(90)}\n`);
      if (number % 20 === 0) await vi.waitUntil(() => kept().includes(`line ${number} `));
    }
    await log.close();
    const numbers = [...kept().matchAll(/^line (\d+)/gm)].map(([, number]) => Number(number));
    expect(numbers.at(-1)).toBe(599);
    expect(numbers).toEqual(numbers.map((_, index) => 600 - numbers.length + index));
    expect(kept().length).toBeLessThan(30_000);
    expect(readdirSync(join(folder, "logs")).length).toBeLessThanOrEqual(2);
  });

  it("writes nothing after it is closed", async () => {
    symlinkSync("/dev/full", file);
    open();
    log.write("lost\n");
    await log.close();
    const before = events.length;
    log.write("more\n");
    await log.close();
    expect(events.length).toBe(before);
  });
});

describe("appendWhole", () => {
  it("writes nothing of a text that does not fit", async () => {
    open();
    // Starts a process whose files cannot grow beyond 4 blocks of 512 or 1024 bytes. Node reports the signal as an error.
    const script = `
      import { appendWhole } from ${JSON.stringify(new URL("./log-file.ts", import.meta.url).href)};
      let written = 0;
      try {
        for (; written < 100; written += 1) await appendWhole(${JSON.stringify(file)}, "x".repeat(998) + ".\\n");
      } catch (error) {
        console.log(JSON.stringify([written, error.code]));
      }`;
    const { stdout } = await promisify(execFile)("sh", [
      "-c",
      'ulimit -f 4 && exec "$0" --input-type=module -e "$1"',
      process.execPath,
      script,
    ]);
    const [written, code] = JSON.parse(stdout) as [number, string];
    expect(code).toBe("EFBIG");
    expect(written).toBeGreaterThan(0);
    expect(readFileSync(file, "utf8")).toBe(`${"x".repeat(998)}.\n`.repeat(written));
  });
});

it("logs structured lines, and creates the folder", async () => {
  open();
  const into = join(folder, "new", "local.log");
  const logger = await fileLogger(into, failure);
  logger.warning("it is late");
  await logger.close();
  expect(JSON.parse(readFileSync(into, "utf8"))).toMatchObject({ severity: "WARNING", message: "it is late" });
});

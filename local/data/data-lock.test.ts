import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { holdDirectory } from "./data-lock.ts";

describe("holdDirectory", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "pathkeeper-lock-"));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it("lets one run use the folder, and the next after it has ended", () => {
    const first = holdDirectory(directory);
    expect(() => holdDirectory(directory)).toThrow(
      `another run uses ${directory}: stop it first, or choose another folder with --data DIR`,
    );
    first.stop();
    holdDirectory(directory).stop();
  });

  it("does not mistake a full disk for another run", async () => {
    const script = `
      import { holdDirectory } from ${JSON.stringify(new URL("./data-lock.ts", import.meta.url).href)};
      try {
        holdDirectory(${JSON.stringify(directory)});
      } catch (error) {
        console.log(error.message);
      }`;
    const limited = ["-c", 'ulimit -f 0 && exec "$0" --input-type=module -e "$1"', process.execPath, script];
    const { stdout } = await promisify(execFile)("sh", limited);
    expect(stdout).toMatch(/disk/);
    expect(stdout).not.toContain("another run");
  });
});

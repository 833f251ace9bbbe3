import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { holdDirectory } from "./data-lock.ts";

describe("holdDirectory", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "pathkeeper-lock-"));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it("lets one run have the folder, and the next when that has ended", () => {
    const first = holdDirectory(directory);
    expect(() => holdDirectory(directory)).toThrow(
      `another run uses ${directory}: stop it first, or name another folder with --data DIR`,
    );
    first.stop();
    holdDirectory(directory).stop();
  });
});

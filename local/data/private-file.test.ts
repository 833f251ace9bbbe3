import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { keptSecret, writePrivately } from "./private-file.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pathkeeper-private-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const modeOf = (file: string): string => (statSync(file).mode & 0o777).toString(8);

it("writes with mode 0600, also over a file that others could read", async () => {
  const file = join(folder, "broker.url");
  await writePrivately(file, "first");
  expect([readFileSync(file, "utf8"), modeOf(file)]).toEqual(["first", "600"]);
  writeFileSync(file, "second");
  chmodSync(file, 0o644);
  await writePrivately(file, "third");
  expect([readFileSync(file, "utf8"), modeOf(file)]).toEqual(["third", "600"]);
  expect(readdirSync(folder)).toEqual(["broker.url"]);
});

it("leaves no file behind when it fails", async () => {
  await expect(writePrivately(folder, "text")).rejects.toThrow();
  await expect(writePrivately(join(folder, "nowhere", "file"), "text")).rejects.toThrow("ENOENT");
  expect(readdirSync(folder)).toEqual([]);
});

it("creates a secret once", async () => {
  const file = join(folder, "key");
  expect(await keptSecret(file, () => "made")).toBe("made");
  expect(await keptSecret(file, () => "made again")).toBe("made");
  expect(modeOf(file)).toBe("600");
  writeFileSync(file, "");
  expect(await keptSecret(file, () => "in place of nothing")).toBe("in place of nothing");
});

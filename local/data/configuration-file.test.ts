import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { copyConfiguration, keepConfiguration } from "./configuration-file.ts";

let folder: string;
let data: string;
let kept: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pathkeeper-configuration-"));
  data = join(folder, "watch");
  kept = join(data, "monitor.yaml");
  mkdirSync(data);
});
afterEach(() => rmSync(folder, { recursive: true }));

const shop = "environment: shop\n";

describe("the configuration that a system runs", () => {
  it("is stored with its data, and replaced at every start", async () => {
    const source = join(folder, "monitor.yaml");
    for (const text of [shop, "environment: shop-2\n"]) {
      writeFileSync(source, text);
      await copyConfiguration(data, text, source);
      expect(readFileSync(kept, "utf8")).toBe(
        `# Written by npm start at every start: a copy of ${source}. Edit that file instead.\n${text}`,
      );
    }
    expect(await keepConfiguration(data, "what the demo watches, at pace 2.", shop)).toBe(kept);
    expect(readFileSync(kept, "utf8")).toBe(
      `# Written by npm start at every start: what the demo watches, at pace 2.\n${shop}`,
    );
  });

  it("replaces demo files of earlier versions", async () => {
    writeFileSync(kept, `# What the demo of npm start watches, at pace 1. It is written anew at every start.\n${shop}`);
    await keepConfiguration(data, "what the demo watches, at pace 1.", shop);
    expect(readFileSync(kept, "utf8")).toMatch(/^# Written by npm start/);
  });

  it("is unchanged if it is the running configuration itself, under any name", async () => {
    writeFileSync(kept, shop);
    await copyConfiguration(data, shop, kept);
    await copyConfiguration(join(data, "."), shop, join(data, "..", "watch", "monitor.yaml"));
    symlinkSync(data, join(folder, "link"));
    await copyConfiguration(data, shop, join(folder, "link", "monitor.yaml"));
    expect(readFileSync(kept, "utf8")).toBe(shop);
  });

  it.each([shop, `# npm start -- --config monitor.yaml --data .\n${shop}`])(
    "does not replace a user's own file: %j",
    async (theirs) => {
      writeFileSync(kept, theirs);
      const refusal = `cannot replace ${kept}, which npm start did not write: run it with --config ${kept}, or choose another folder with --data DIR`;
      await expect(keepConfiguration(data, "what the demo watches, at pace 1.", shop)).rejects.toThrow(refusal);
      const source = join(folder, "other.yaml");
      writeFileSync(source, shop);
      await expect(copyConfiguration(data, shop, source)).rejects.toThrow(refusal);
      expect(readFileSync(kept, "utf8")).toBe(theirs);
      expect(readdirSync(data)).toEqual(["monitor.yaml"]);
    },
  );

  it("loses its byte order mark, which is valid only at the start of a file", async () => {
    const source = join(folder, "monitor.yaml");
    writeFileSync(source, `\uFEFF${shop}`);
    await copyConfiguration(data, `\uFEFF${shop}`, source);
    expect(readFileSync(kept, "utf8")).not.toContain("\uFEFF");
  });
});

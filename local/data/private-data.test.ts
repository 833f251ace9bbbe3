import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { keepPrivate } from "./private-data.ts";

let data: string;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), "pathkeeper-private-"));
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

const modeOf = (name: string): string => (statSync(join(data, name)).mode & 0o777).toString(8);

describe("keepPrivate", () => {
  it("restricts the files of a run, and leaves the user's own files unchanged", async () => {
    for (const folder of ["inbox", "pages", "pages/public"]) mkdirSync(join(data, folder), { mode: 0o755 });
    const ours = ["store.db", "store.db-wal", "broker.db", "webhook-key", "inbox/a.eml", "pages/public/index.html"];
    for (const name of [...ours, "notes.sh"]) writeFileSync(join(data, name), "", { mode: 0o755 });
    await keepPrivate(data);
    expect(ours.map(modeOf)).toEqual(ours.map(() => "700"));
    expect(["inbox", "pages", "pages/public"].map(modeOf)).toEqual(["700", "700", "700"]);
    expect(modeOf("notes.sh")).toBe("755");
  });

  it.each(["store.db", "broker.db-wal", "logs", "inbox/a.eml", "secrets/key", "monitor.yaml", "postgres"])(
    "refuses a symbolic link in place of %s",
    async (name) => {
      for (const folder of ["inbox", "secrets"]) mkdirSync(join(data, folder));
      symlinkSync("/etc/passwd", join(data, name));
      await expect(keepPrivate(data)).rejects.toThrow(
        `${join(data, name)} is a symbolic link: remove it, or choose another folder with --data DIR`,
      );
    },
  );
});

import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { openProcessesFile } from "./processes-file.ts";

it("has the newest process of each name, including those started while it could not be written", async () => {
  const folder = mkdtempSync(join(tmpdir(), "pathkeeper-processes-"));
  const file = join(folder, "processes.json");
  const events: string[] = [];
  const processes = openProcessesFile(file, {
    begin: (error) => events.push(error.message.split(",")[0] ?? ""),
    end: () => events.push("ended"),
  });
  onTestFinished(() => {
    processes.stop();
    rmSync(folder, { recursive: true });
  });
  const written = (): unknown => JSON.parse(readFileSync(file, "utf8"));
  processes.set("local", 1);
  processes.set("probe", 2);
  processes.set("probe", 3);
  expect(written()).toEqual({ local: 1, probe: 3 });

  mkdirSync(`${file}.new`);
  processes.set("probe", 4);
  expect(events.at(-1)).toBe("EISDIR: illegal operation on a directory");
  expect(written()).toEqual({ local: 1, probe: 3 });
  rmSync(`${file}.new`, { recursive: true });
  await vi.waitUntil(() => events.at(-1) === "ended", { timeout: 10_000 });
  expect(written()).toEqual({ local: 1, probe: 4 });
});

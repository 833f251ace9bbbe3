import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { type EmulatorKind, findEmulator, missingEmulator, startEmulator } from "./emulators.ts";

const folder = mkdtempSync(join(tmpdir(), "pathkeeper-emulators-"));
afterAll(() => rmSync(folder, { recursive: true }));

const kinds: readonly EmulatorKind[] = ["firestore", "pubsub"];

describe("finding an emulator", () => {
  const java = join(folder, "java");
  const jar = join(folder, "some.jar");
  writeFileSync(java, "#!/bin/sh\necho no heap left >&2\nexit 3\n", { mode: 0o755 });
  writeFileSync(jar, "");

  it.each([
    ["the jar that the environment names", { PATH: folder, FIRESTORE_EMULATOR_JAR: jar }, undefined],
    [
      "no gcloud on the PATH",
      { PATH: folder },
      /not installed: run `gcloud components install cloud-firestore-emulator`/,
    ],
    [
      "a jar that is not there",
      { PATH: folder, FIRESTORE_EMULATOR_JAR: "/no/such.jar" },
      /is \/no\/such.jar, which does not exist/,
    ],
    [
      "no java on the PATH",
      { PATH: "/no/such", FIRESTORE_EMULATOR_JAR: jar },
      /needs Java, and no `java` is on the PATH/,
    ],
  ])("%s", async (_name, environment, problem) => {
    expect(findEmulator("firestore", environment)).toBe(problem === undefined ? jar : undefined);
    if (problem === undefined) {
      expect(missingEmulator("firestore", environment)).toBeUndefined();
    } else {
      expect(missingEmulator("firestore", environment)).toMatch(problem);
      await expect(startEmulator("firestore", environment)).rejects.toThrow(problem);
    }
  });

  it("reports how an emulator exited that never responded", async () => {
    const environment = { PATH: folder, FIRESTORE_EMULATOR_JAR: jar };
    await expect(startEmulator("firestore", environment)).rejects.toThrow("ended before it answered: no heap left");
  });
});

for (const kind of kinds) {
  describe.skipIf(findEmulator(kind) === undefined)(`the ${kind} emulator`, () => {
    it("responds until it is stopped", async () => {
      const emulator = await startEmulator(kind);
      expect(await answers(emulator.host)).toBe(true);
      await emulator.stop();
      await emulator.stop();
      expect(await answers(emulator.host)).toBe(false);
    });
  });
}

describe.skipIf(findEmulator("pubsub") === undefined)("an emulator whose parent is killed", () => {
  it("ends with its parent", async () => {
    const script = `
      import { startEmulator } from ${JSON.stringify(new URL("./emulators.ts", import.meta.url).href)};
      console.log((await startEmulator("pubsub")).host);`;
    const parent = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const host = await new Promise<string>((done) => {
      parent.stdout.setEncoding("utf8").once("data", (text: string) => done(text.trim()));
    });
    expect(await answers(host)).toBe(true);
    parent.kill("SIGKILL");
    await vi.waitUntil(async () => !(await answers(host)), { timeout: 10_000 });
  });
});

for (const kind of kinds) {
  const problem = missingEmulator(kind);
  if (problem !== undefined) console.warn(`\n#### NOT TESTED: the ${kind} emulator ####\n${problem}\n`);
}

function answers(host: string): Promise<boolean> {
  return fetch(`http://${host}/`).then(
    (reply) => reply.ok,
    () => false,
  );
}

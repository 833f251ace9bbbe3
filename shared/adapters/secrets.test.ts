import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { localSecrets } from "./secrets.ts";

describe("localSecrets", () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "pathkeeper-secrets-"));
    await writeFile(join(directory, "from-file"), "in a file\n");
  });
  afterAll(() => rm(directory, { recursive: true }));

  it("prefers the environment, then looks for a file", async () => {
    const secrets = localSecrets({ PATHKEEPER_SECRET_OPS_HOOK_URL: "in the environment" }, directory);
    expect(await secrets.read("ops-hook-url")).toBe("in the environment");
    expect(await secrets.read("from-file")).toBe("in a file");
  });

  it("reports where it looked, and finds a secret that is added later", async () => {
    const secrets = localSecrets({}, directory);
    await expect(secrets.read("late")).rejects.toThrow(
      `secret "late" not found: set the environment variable PATHKEEPER_SECRET_LATE, or write it to the file late in ${directory}`,
    );
    await writeFile(join(directory, "late"), "here");
    expect(await secrets.read("late")).toBe("here");
  });

  it("does not read outside its folder", async () => {
    await expect(localSecrets({}, directory).read("../etc/passwd")).rejects.toThrow("is not the name of a secret");
  });
});

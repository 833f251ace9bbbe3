import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { MeasurementsFile } from "../../local/measurements/measurements-file.ts";
import { SqliteStore } from "../../shared/adapters/sqlite.ts";
import { run } from "../local-probes.fixtures.ts";

const incident = "20250916-121200-shop";

/** A folder as `npm start -- --data` leaves it. */
async function folder(): Promise<string> {
  const data = mkdtempSync(join(tmpdir(), "pathkeeper-room-"));
  onTestFinished(() => rmSync(data, { recursive: true, force: true }));
  writeFileSync(
    join(data, "monitor.yaml"),
    "environment: shop\ntitle: The shop\ncomponents:\n  shop: { title: Shop, layer: application }\n",
  );
  const store = new SqliteStore(join(data, "store.db"));
  await store.set("incidents", incident, {
    title: "Shop failing",
    status: "open",
    severity: "critical",
    opened_at: new Date(),
    components: ["shop"],
  });
  await store.close();
  new MeasurementsFile(join(data, "measurements.db")).close();
  return data;
}

describe("room", () => {
  it("serves the pages and actions at its address, and ends when interrupted", async () => {
    const data = await folder();
    const program = fileURLToPath(new URL("../pathkeeper.mjs", import.meta.url));
    const child = spawn(process.execPath, [program, "room", "--data", data, "--by", "Ana"]);
    onTestFinished(() => void child.kill("SIGKILL"));
    const exit = once(child, "exit");
    const [address] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    const url = new URL(address);
    expect(url.hostname).toBe("127.0.0.1");
    expect((await fetch(url.origin)).status).toBe(401);
    const admitted = await fetch(address, { redirect: "manual" });
    const cookie = admitted.headers.get("set-cookie")?.split(";")[0] ?? "";
    expect(await (await fetch(url.origin, { headers: { cookie } })).text()).toContain("Shop failing");
    const body = new URLSearchParams({ token: url.searchParams.get("token") ?? "" });
    const acted = await fetch(`${url.origin}/incidents/${incident}/ack`, {
      method: "POST",
      body,
      headers: { cookie },
      redirect: "manual",
    });
    expect(acted.status).toBe(303);
    child.kill("SIGINT");
    expect(await exit).toEqual([0, null]);
    const store = new SqliteStore(join(data, "store.db"));
    onTestFinished(() => store.close());
    expect(await store.get("incidents", incident)).toMatchObject({ status: "acknowledged", edited_by: "Ana" });
  });

  it.each([
    [["--port", "http"], /--port http is an invalid port/],
    [["--by", " "], /--by is empty/],
  ])("refuses %j", async (args, expected) => {
    const { code, err } = await run("room", "--data", await folder(), ...args);
    expect([code, err.length, err[0]]).toEqual([2, 1, expect.stringMatching(expected)]);
  });

  it("reports missing data", async () => {
    const { code, err } = await run("room", "--data", join(tmpdir(), "no-such-folder"));
    expect([code, err.length]).toEqual([2, 1]);
  });
});

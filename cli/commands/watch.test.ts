import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { tcpServer } from "../../functions/probe/fixtures.ts";
import { fileOf, run, type Site, siteOf } from "../local-probes.fixtures.ts";

const shop = (pages: Pick<Site, "url">, search: Pick<Site, "url">): string =>
  fileOf(`environment: shop
timezone: Asia/Kolkata
components: { pages: { layer: application } }
probes:
  pages: { kind: http, component: pages, schedule: every 250ms, alert_after: 1s, url: "${pages.url}" }
  search: { kind: http, component: pages, vantage: inside, schedule: every 2h, alert: off, url: "${search.url}" }
`);

describe("watch", () => {
  it("prints every change, and exits when all have been healthy for the clear duration", async () => {
    const [pages, search] = [await siteOf(503), await siteOf(200)];
    const startedAt = Date.now();
    const watching = run("watch", "--config", shop(pages, search));
    await until(() => pages.requests >= 3);
    pages.status = 200;
    const repairedAt = Date.now();
    const { code, out, err } = await watching;
    expect([code, err]).toEqual([0, []]);
    expect(Date.now() - repairedAt).toBeGreaterThanOrEqual(1_000);
    const clock = new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Kolkata", timeStyle: "short" });
    expect(out[0]?.slice(0, 5)).toBe(clock.format(startedAt));
    const told = out.map((line) => line.replace(/^\d\d:\d\d:\d\d {2}/, ""));
    expect(told.slice(0, 2).sort()).toEqual([
      expect.stringMatching(/^pages {3}failed {2}response: 503 Service Unavailable/),
      "search  ok",
    ]);
    expect(told.slice(2)).toEqual(["pages   ok", "all 2 probes have been healthy for 1s"]);
    expect(search.requests).toBe(1);
  });

  it("exits with 130 when interrupted, without waiting for a hanging probe", async () => {
    const mute = `http://127.0.0.1:${await tcpServer(() => {})}/`;
    const config = fileOf(
      readFileSync(shop(await siteOf(503), { url: mute }), "utf8").replace("alert: off", "timeout: 60s"),
    );
    const program = fileURLToPath(new URL("../pathkeeper.mjs", import.meta.url));
    const child = spawn(process.execPath, [program, "watch", "--config", config]);
    onTestFinished(() => void child.kill("SIGKILL"));
    const exit = once(child, "exit");
    await once(createInterface({ input: child.stdout }), "line");
    child.kill("SIGINT");
    expect(await exit).toEqual([130, null]);
  });

  it("refuses a configuration without probes", async () => {
    const { code, err } = await run("watch", "--config", fileOf("environment: shop\n"));
    expect([code, err.length, err[0]]).toEqual([2, 1, expect.stringContaining("has no probes: add one under probes")]);
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}

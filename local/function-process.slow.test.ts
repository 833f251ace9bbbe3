import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { vocabulary } from "../cli/vocabulary.ts";
import { SqliteStore } from "../shared/adapters/sqlite.ts";
import { compile } from "../shared/config/compile.ts";
import { loadConfiguration } from "../shared/config/load.ts";
import { encodePush } from "../shared/messages/push.ts";
import { listenersOf, listsListeners } from "../tests/support/listeners.ts";
import { newToken, pathAt, withToken } from "./engine/request-guard.ts";
import { FunctionProcess } from "./function-process.ts";

const folder = mkdtempSync(join(tmpdir(), "pathkeeper-function-"));
const token = newToken();
let notify: FunctionProcess;
let store: SqliteStore;

beforeAll(async () => {
  const loaded = loadConfiguration(
    "environment: shop\ncomponents: { shop: { layer: application } }\n",
    "monitor.yaml",
    vocabulary,
  );
  if (!("configuration" in loaded)) throw new Error(JSON.stringify(loaded.problems));
  writeFileSync(join(folder, "configuration.json"), compile(loaded.configuration));
  store = new SqliteStore(join(folder, "store.db"));
  notify = await FunctionProcess.start({
    name: "notify",
    environment: {
      PATHKEEPER_CONFIGURATION: join(folder, "configuration.json"),
      PATHKEEPER_STORE: join(folder, "store.db"),
      PATHKEEPER_BROKER: "http://127.0.0.1:1",
      PATHKEEPER_PAGES: join(folder, "pages"),
    },
    token,
    logFile: join(folder, "notify.log"),
    liveness: { everyMs: 100, answerWithinMs: 1_000, misses: 2 },
  });
});

afterAll(async () => {
  await notify.stop();
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const base = (): string => `http://127.0.0.1:${notify.port}`;
const json = { "content-type": "application/json" };

/** Pages are due, and there are none. */
const push = JSON.stringify(
  encodePush({
    messageId: "1",
    publishedAt: 0,
    attributes: {},
    data: { v: 1, environment: "shop" },
    subscription: "notify-pages",
  }),
);

async function answerTo(url: URL | string, init: RequestInit): Promise<readonly [status: number, text: string]> {
  const response = await fetch(url, init);
  return [response.status, await response.text()];
}

describe("a function on this machine", () => {
  it.skipIf(!listsListeners)("listens on the loopback interface only", () => {
    expect(listenersOf(notify.pid ?? 0)).toEqual([{ pid: notify.pid, port: notify.port, isLoopback: true }]);
  });

  it("accepts requests with the token", async () => {
    const url = withToken(base(), token);
    expect(await answerTo(url, {})).toEqual([200, "notify is ready\n"]);
    expect(await answerTo(pathAt(url, "/pages"), { method: "POST", headers: json, body: push })).toEqual([204, ""]);
  });

  it.each([
    ["a push without the token", "/notifications", json, push],
    [
      "a form of a web page",
      "/notifications",
      { "content-type": "application/x-www-form-urlencoded", origin: "http://evil.example" },
      "message[messageId]=1&message[publishTime]=2025-09-16T12:00:00Z&message[data]=e30=",
    ],
    ["a question", "/", {}, undefined],
  ])("refuses %s", async (_what, path, headers, body) => {
    const method = body === undefined ? "GET" : "POST";
    expect((await answerTo(`${base()}${path}`, { method, headers, ...(body === undefined ? {} : { body }) }))[0]).toBe(
      401,
    );
  });

  it("accepts only JSON, even with the token", async () => {
    const headers = { "content-type": "text/plain" };
    const url = pathAt(withToken(base(), token), "/pages");
    expect(await answerTo(url, { method: "POST", headers, body: push })).toEqual([
      415,
      "the content-type must be application/json\n",
    ]);
  });

  it("exposes its token neither in its arguments nor in its log", () => {
    const line = execFileSync("ps", ["-o", "args=", "-p", String(notify.pid)], { encoding: "utf8" });
    expect(line).toContain("notify");
    expect(`${line}${readFileSync(join(folder, "notify.log"), "utf8")}`).not.toContain(token);
  });
});

it("is restarted when it hangs", async () => {
  const hanging = notify.pid;
  process.kill(hanging ?? 0, "SIGSTOP");
  await vi.waitUntil(() => notify.pid !== hanging, { timeout: 30_000 });
  expect(() => process.kill(hanging ?? 0, 0)).toThrow("ESRCH");
  await vi.waitUntil(async () => (await answerTo(withToken(base(), token), {}).catch(() => [0]))[0] === 200, {
    timeout: 30_000,
  });
  expect(readFileSync(join(folder, "notify.log"), "utf8")).toContain("notify did not answer 2 times in a row");
});

import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { audiences } from "../shared/config/notification.ts";
import { incidentEventKinds } from "../shared/messages/incident-event.ts";
import { main } from "./main.ts";
import { memoryTerminal } from "./terminal.ts";

const text = `environment: shop
title: Shop
components:
  database: { title: Database, layer: platform, team: infrastructure }
  shop: { layer: application, depends_on: [database], impact: Nobody can order }
probes: { shop: { kind: http, component: shop, url: "https://shop.example.com" } }
channels:
  boss: { kind: email, to: [boss@example.com], audience: executives }
  chat: { kind: slack, url: { secret: slack-url } }
  pager: { kind: pagerduty, routing_key: { secret: pager-key } }
routes: [{ channels: [boss, chat, pager] }]
`;

let folder: string;
let config: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pathkeeper-preview-"));
  config = join(folder, "monitor.yaml");
  await writeFile(config, text);
});
afterEach(() => rm(folder, { recursive: true }));

async function run(...args: string[]): Promise<{ code: number; printed: string; noted: string }> {
  const terminal = memoryTerminal();
  const code = await main(["preview", "--config", config, ...args], terminal);
  return { code, printed: terminal.printed.join("\n"), noted: terminal.noted.join("\n") };
}

it("shows a channel in the words of its audience", async () => {
  const { code, printed } = await run("--channel", "boss", "--event", "opened");
  expect(code).toBe(0);
  expect(printed).toContain("boss (email) · executives · opened\n  From: ");
  expect(printed).toContain("  Impact: Nobody can order.\n  Outlook: ");
  expect(printed).not.toContain("refuses every second connection");
});

it("shows every channel, audience and event, and writes each into a file", async () => {
  const out = join(folder, "out");
  const { code, noted } = await run(...audiences.flatMap((name) => ["--audience", name]), "--out", out);
  expect(code).toBe(0);
  const files = await readdir(out);
  expect(noted).toBe(`${files.length} files in ${out}`);
  for (const audience of audiences)
    for (const event of incidentEventKinds) {
      expect(files).toContain(`boss.${audience}.${event}.html`);
      expect(files).toContain(`chat.${audience}.${event}.json`);
    }
  expect(await readFile(join(out, "boss.engineers.opened.html"), "utf8")).toContain("refuses every second connection");
});

it("leaves secrets references, and says what a channel is not told", async () => {
  const { printed } = await run("--channel", "chat", "--channel", "pager", "--event", "status_update");
  expect(printed).toContain("POST to the address in the secret slack-url");
  expect(printed).toContain(
    "pager (pagerduty) · engineers · status_update\n  not sent: PagerDuty is for those who act",
  );
});

it.each<[string[], string]>([
  [["--channel", "bos"], 'unknown channel "bos": did you mean "boss"?'],
  [["--audience", "executive"], 'unknown audience "executive": did you mean "executives"?'],
  [["--event", "open"], 'unknown event "open": did you mean "opened"?'],
])("%j is told what to write instead", async (args, message) => {
  const { code, noted } = await run(...args);
  expect([code, noted]).toEqual([2, expect.stringContaining(`pathkeeper preview: ${message} (usage: `)]);
});

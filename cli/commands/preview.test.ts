import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { incidentEvent } from "../../functions/notify/fixtures.ts";
import { SqliteStore } from "../../shared/adapters/sqlite.ts";
import { audiences } from "../../shared/config/notification.ts";
import { incidentEventKinds } from "../../shared/messages/incident-event.ts";
import type { Fields } from "../../shared/ports.ts";
import { main } from "../main.ts";
import { memoryTerminal } from "../terminal/terminal.ts";

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

it("shows a channel in the text of its audience", async () => {
  const { code, printed } = await run("--channel", "boss", "--event", "opened");
  expect(code).toBe(0);
  expect(printed).toContain("boss (email) · executives · opened\n  From: ");
  expect(printed).toContain("  Impact: Nobody can order.\n  Outlook: ");
  expect(printed).not.toContain("refuses every second connection");
});

it("shows every channel, audience and event, and writes each to a file", async () => {
  const out = join(folder, "out");
  const { code, noted } = await run(...audiences.flatMap((name) => ["--audience", name]), "--out", out);
  expect(code).toBe(0);
  const files = await readdir(out);
  expect(noted).toBe(`${files.length} files in ${out}, index.html shows them all`);
  for (const audience of audiences)
    for (const event of incidentEventKinds) {
      expect(files).toContain(`boss.${audience}.${event}.html`);
      expect(files).toContain(`chat.${audience}.${event}.json`);
    }
  expect(await readFile(join(out, "boss.engineers.opened.html"), "utf8")).toContain("refuses every second connection");
});

it("refuses an unwritable folder in one line", async () => {
  const file = join(folder, "file");
  await writeFile(file, "");
  const { code, noted } = await run("--out", join(file, "out"));
  expect(code).toBe(2);
  expect(noted).toMatch(
    /^pathkeeper preview: cannot write into .*\/file\/out: ENOTDIR: .*; choose another folder with --out DIR/,
  );
});

it("shows a mail as HTML, and everything as JSON", async () => {
  const page = await run("--channel", "boss", "--event", "opened", "--html");
  expect(page.printed).toMatch(/^<!doctype html>[\s\S]*<\/html>$/);
  const { printed } = await run("--event", "opened", "--event", "status_update", "--json");
  const told = JSON.parse(printed) as { channel: string; event: string; sent?: object; not_sent?: string }[];
  expect(told.map(({ channel, event }) => `${channel} ${event}`)).toEqual(
    ["boss", "chat", "pager"].flatMap((name) => [`${name} opened`, `${name} status_update`]),
  );
  expect(told[0]?.sent).toMatchObject({ transport: "smtp", to: ["boss@example.com"] });
  expect(told[2]?.sent).toMatchObject({ url: "${secret:slack-url}", body: { blocks: expect.any(Array) } });
  expect(told[5]?.not_sent).toMatch(/^PagerDuty is for those who act/);
});

it("uses the texts of templates", async () => {
  await writeFile(config, `${text}templates: [{ audiences: [executives], title: "\${environment}: \${impact}" }]\n`);
  const { printed } = await run("--channel", "boss", "--event", "opened");
  expect(printed).toContain("\n  Shop: Nobody can order.\n");
});

describe("of a real incident", () => {
  const id = "20250916-120900-database";

  beforeEach(async () => {
    const store = new SqliteStore(join(folder, "store.db"));
    const {
      incident: _,
      event,
      v,
      change,
      sequence,
      occurrence,
      at,
      ...fields
    } = incidentEvent({
      event: "opened",
      summary: "The database refuses everybody.",
      root_cause: "database",
    });
    const opened_at = new Date("2025-09-16T12:09:00Z");
    const instants = { opened_at, first_failure_at: opened_at, resolved_at: new Date("2025-09-16T12:39:00Z") };
    const own = { status: "resolved", team: null, timeline: ["12:09 It began."] };
    await store.set("incidents", id, { ...fields, ...own, ...instants } as unknown as Fields);
    await store.set("incidents", "20250917-080000-shop", { title: "none of an incident" });
    await store.close();
  });

  it("shows its notifications", async () => {
    const { code, printed } = await run("--channel", "chat", "--event", "resolved", "--incident", id, "--data", folder);
    expect(code).toBe(0);
    for (const part of ["The database refuses everybody.", "🟢 *RESOLVED", "*Lasted:* 30 min", id])
      expect(printed).toContain(part);
  });

  it("reads the configuration of the running system, unless another is specified", async () => {
    const terminal = memoryTerminal();
    const args = ["--channel", "chat", "--event", "resolved", "--incident", id, "--data", folder];
    expect(await main(["preview", ...args], terminal)).toBe(0);
    expect(terminal.printed.join("\n")).toContain("The database refuses everybody.");
    await rm(config);
    expect(await main(["preview", ...args], terminal)).toBe(2);
    expect(terminal.noted.join("\n")).toContain(
      `cannot read ${config}: no such file; npm start -- --data ${folder} writes it`,
    );
  });

  it.each<[string[], string]>([
    [["20250916-120900-databse", "--data"], `there is no incident 20250916-120900-databse: did you mean ${id}?`],
    [["nothing", "--data"], "there is no incident nothing: the newest are"],
    [["20250917-080000-shop", "--data"], "the document of 20250917-080000-shop cannot be read: "],
  ])("%j prints the error", async (args, message) => {
    const { code, noted } = await run("--incident", ...args, folder);
    expect([code, noted]).toEqual([2, expect.stringContaining(message)]);
  });

  it("requires --project or --data", async () => {
    const { code, noted } = await run("--incident", id, "--data", join(folder, "nowhere"));
    expect([code, noted]).toEqual([2, expect.stringContaining("cannot tell where the incidents are: ")]);
  });
});

it("keeps references to secrets, and shows which events a channel does not receive", async () => {
  const { printed } = await run("--channel", "chat", "--channel", "pager", "--event", "status_update");
  expect(printed).toContain("POST to the address in the secret slack-url");
  expect(printed).toContain(
    "pager (pagerduty) · engineers · status_update\n  not sent: PagerDuty is for those who act",
  );
});

it.each<[string[], string]>([
  [["--channel", "bos"], 'unknown channel "bos": did you mean "boss"?'],
  [["--audience", "executive"], 'unknown audience "executive": did you mean "executives"?'],
  [["--html", "--json"], "--html and --json cannot be combined"],
  [["--html"], "--html prints one mail, and 11 match: specify one with --channel and --event"],
  [["--html", "--channel", "chat"], "--html requires a channel of kind email: specify one with --channel"],
  [["--event", "open"], 'unknown event "open": did you mean "opened"?'],
])("%j prints the correct form", async (args, message) => {
  const { code, noted } = await run(...args);
  expect([code, noted]).toEqual([2, expect.stringContaining(`pathkeeper preview: ${message} (usage: `)]);
});

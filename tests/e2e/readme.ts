/** Runs the commands of the README that need no target of the reader, in order, in a folder that is empty at first. */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json, text } from "node:stream/consumers";
import { expect, it, onTestFinished, vi } from "vitest";
import { listening } from "../../functions/probe/fixtures.ts";
import { startLocalSystem } from "../support/local-system.ts";

const root = join(import.meta.dirname, "../..");
const readme = readFileSync(join(root, "README.md"), "utf8");

/** Commands of the README in the order of their first appearance. */
const commands = new Set([...readme.matchAll(/(?:^|`)((?:npm|npx|terraform) [^`\n]+)/gm)].map(([, line = ""]) => line));

/** Commands that other tests run, or that need something no test has. */
const elsewhere: ReadonlySet<string> = new Set([
  "npm ci",
  "npm start",
  "npm start -- --once",
  "npm start -- --data DIR",
  "npx --no pathkeeper postmortem ID --data DIR",
  "npm start -- --duplicates 1 --disorder 500ms",
  "npm start -- --engine google",
  "npm start -- --fault login",
  "npm start -- --pace 4",
  "npx --no pathkeeper init --project my-project",
  "npx --no pathkeeper init https://shop.example.com --url-from DATABASE_URL",
  "terraform -chdir=terraform apply",
  "npx --no pathkeeper",
  "npm ci && npm test",
  "npm run check",
  "npm run docs",
  "npm run quick",
]);

/** Source files of the scripts in package.json and of the command line. */
const programs: Readonly<Record<string, string>> = {
  "npx --no pathkeeper": "cli/pathkeeper.mjs",
  "npm run build --": "scripts/build.ts",
};

it("works as written", { timeout: 240_000 }, async () => {
  const received: { data?: { event?: string; incident?: string } }[] = [];
  const hook = await listening(
    createServer(async (request, response) => {
      received.push((await json(request)) as (typeof received)[number]);
      response.end();
    }),
  );
  const cwd = mkdtempSync(join(tmpdir(), "pathkeeper-readme-"));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  symlinkSync(join(root, "examples"), join(cwd, "examples"));
  const [, monitor = ""] = /```yaml\n(environment:[\s\S]*?)```/.exec(readme) ?? [];
  expect(monitor).toContain("https://hooks.example.com/shop }");
  writeFileSync(
    join(cwd, "monitor.yaml"),
    monitor.replace("https://hooks.example.com/shop", `"http://127.0.0.1:${hook}/shop", allow_private: true`),
  );

  mkdirSync(join(cwd, "secrets"));
  writeFileSync(join(cwd, "secrets", "database-url"), "postgres://shop:pw@127.0.0.1:1/shop\n");

  /** Returns the output of a command that runs in the folder. */
  const run = async (line: string): Promise<string> => {
    const [program = "", file = ""] = Object.entries(programs).find(([name]) => line.startsWith(name)) ?? [];
    const args = line.slice(program.length).trim().split(" ");
    const child = spawn(process.execPath, [join(root, file), ...args], { cwd, stdio: ["ignore", "pipe", "pipe"] });
    const [out, err, code] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      new Promise((resolve) => child.on("close", resolve)),
    ]);
    expect([line, code, err]).toEqual([line, 0, expect.any(String)]);
    return out;
  };

  const ran: string[] = [];
  for (const line of commands) {
    if (elsewhere.has(line)) continue;
    ran.push(line);
    if (line.startsWith("npm start -- ")) {
      const system = startLocalSystem(line.replace("npm start -- ", "").split(" "), { cwd });
      await vi.waitUntil(() => readdirSync(cwd).includes("watch"), { timeout: 60_000 });
      await system.prints("Shop: unknown -> ");
    } else {
      const printed = await run(line);
      if (line.includes(" drill ")) expect(printed).toMatch(/^ {2}hook {2}told {2}after [\d.]+ s$/m);
    }
  }
  expect(ran).toEqual([
    "npx --no pathkeeper validate",
    "npm start -- --config monitor.yaml --data ./watch",
    "npx --no pathkeeper preview",
    "npx --no pathkeeper drill --data ./watch",
    "npx --no pathkeeper validate --secrets",
    "npm run build -- --config monitor.yaml",
    "npx --no pathkeeper cost --config examples/netra-staging/monitor.yaml",
  ]);
  expect(received).toContainEqual(
    expect.objectContaining({ data: expect.objectContaining({ incident: expect.stringMatching(/-fire-drill$/) }) }),
  );
  // The other commands find a system by its data directory, whatever else is in the folder.
  rmSync(join(cwd, "monitor.yaml"));
  const drill = received.find(({ data }) => data?.incident?.endsWith("-fire-drill"))?.data?.incident ?? "";
  expect(await run(`npx --no pathkeeper preview --incident ${drill} --data ./watch`)).toContain("fire drill");
  expect(await run(`npx --no pathkeeper postmortem ${drill} --data ./watch`)).toContain("## Notifications");
});

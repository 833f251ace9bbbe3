/** Runs every command of the README, in order, in a folder that contains only the `monitor.yaml` of the README. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { listening } from "../functions/probe/fixtures.ts";
import { readOptions } from "../local/options.ts";
import { dataDirectory, startLocalSystem } from "./support/local-system.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const readme = readFileSync(join(root, "README.md"), "utf8");

/** The commands, from code blocks and from sentences. */
const commands = [...readme.matchAll(/^(?:npm|npx|terraform) .*$|`((?:npm|npx|terraform) [^`]+)`/gm)].map(
  ([line, quoted]) => quoted ?? line,
);

/** Commands that are not run here, each with the reason. */
const elsewhere: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/^npm (ci|test)\b/, "installs, and runs this test itself"],
  [/^npm run (quick|docs)$/, "works on the repository"],
  [/^npm start$|^npm start -- (?!--config)/, "plays the demo, as the end-to-end tests do"],
  [/postmortem ID/, "ID stands for an incident of the demo"],
  [/^npx --no pathkeeper$/, "is the name of the program"],
  [/^npx --no pathkeeper init /, "reads a project of Google Cloud, or targets of the reader"],
  [/^terraform /, "is planned by tests/terraform"],
];

/** Runs a program of the repository in a folder. @returns its exit code and output */
async function run(folder: string, script: string, args: readonly string[]): Promise<{ code: number; said: string }> {
  const child = spawn(process.execPath, [join(root, script), ...args], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [said, code] = await Promise.all([
    Promise.all([text(child.stdout), text(child.stderr)]),
    new Promise<number>((ended) => child.once("close", (exit) => ended(exit ?? -1))),
  ]);
  return { code, said: said.join("") };
}

it("runs as written, one command after the other", { timeout: 180_000 }, async () => {
  const folder = await dataDirectory();
  const received: string[] = [];
  const server = createServer((request, response) => {
    if (request.method === "POST") received.push(request.url ?? "");
    request.resume();
    response.writeHead(200).end("ok");
  });
  const local = `http://127.0.0.1:${await listening(server)}`;
  const [, written = ""] = /```yaml\n(environment: shop\n[\s\S]*?)```/.exec(readme) ?? [];
  // The hosts of the example do not exist: this machine responds in their place.
  const configuration = written
    .replace("https://shop.example.com", local)
    .replace("url: https://hooks.example.com/shop", `url: "${local}/shop", allow_private: true`);
  writeFileSync(join(folder, "monitor.yaml"), configuration);
  mkdirSync(join(folder, "secrets"));
  writeFileSync(join(folder, "secrets", "database-url"), "postgres://shop:pw@127.0.0.1:1/shop\n");
  const done: string[] = [];
  for (const command of commands) {
    if (elsewhere.some(([pattern]) => pattern.test(command))) {
      const [, options] = /^npm start -- (.*)$/.exec(command) ?? [];
      if (options !== undefined) readOptions(options.split(" "));
      continue;
    }
    const [, script, args = ""] = /^(npm start|npx --no pathkeeper|npm run build)(?: --)? (.*)$/.exec(command) ?? [];
    const given = args.split(" ").map((one) => (one.startsWith("examples/") ? join(root, one) : one));
    if (script === "npm start") {
      const system = startLocalSystem(given, { cwd: folder });
      await system.prints("Shop: unknown -> ok");
    } else {
      const { code, said } = await run(
        folder,
        script === "npm run build" ? "scripts/build.ts" : "cli/pathkeeper.mjs",
        given,
      );
      expect(`${command}: ${code}${code === 0 ? "" : `\n${said}`}`).toBe(`${command}: 0`);
    }
    done.push(command);
  }
  expect(received).toContain("/shop");
  expect(done.length).toBeGreaterThan(6);
  expect(existsSync(join(folder, "watch", "monitor.yaml"))).toBe(true);
  // Only the requested outputs of the commands.
  expect(readdirSync(folder).sort()).toEqual(["dist", "monitor.yaml", "secrets", "watch"]);
});

/** Fixtures for tests of commands that run probes: sites on free ports, and their configuration. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { listening } from "../functions/probe/fixtures.ts";
import { main } from "./main.ts";
import { memoryTerminal } from "./terminal/terminal.ts";

/** State of a site: the status that it responds with, and its number of requests. */
export interface Site {
  status: number;
  requests: number;
  readonly url: string;
}

/** A site that answers with its status until the test is over. */
export async function siteOf(status: number): Promise<Site> {
  const port = await listening(
    createServer((_request, response) => {
      site.requests += 1;
      response.writeHead(site.status).end("as told");
    }),
  );
  const site: Site = { status, requests: 0, url: `http://127.0.0.1:${port}/` };
  return site;
}

/** Creates a file that is removed after the test. @returns its path */
export function fileOf(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "pathkeeper-cli-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "monitor.yaml");
  writeFileSync(file, text);
  return file;
}

/** Runs a command. @returns its exit code and the lines that it wrote */
export async function run(...args: string[]): Promise<{ code: number; out: string[]; err: string[] }> {
  const terminal = memoryTerminal();
  const code = await main(args, terminal);
  return { code, out: terminal.printed, err: terminal.noted };
}

/** Examines a page with axe for accessibility problems. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { BrowserContext, Page } from "playwright-core";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** Returns the violations that axe finds, each with its elements, and the number of passed rules. */
export async function examined(
  page: Page,
  context: BrowserContext,
): Promise<{ readonly violations: readonly unknown[]; readonly passes: number }> {
  // A page may forbid scripts, so axe is injected through the debugger.
  const session = await context.newCDPSession(page);
  const run = `${await readFile(axe, "utf8")};axe.run().then(({ violations, passes }) => JSON.stringify({ passes: passes.length, violations: violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]) }))`;
  const { result } = await session.send("Runtime.evaluate", { expression: run, awaitPromise: true });
  return JSON.parse(String(result.value)) as { violations: unknown[]; passes: number };
}

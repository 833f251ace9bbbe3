/** A browser that comes by npm, for what must be seen to be believed. */
import { type Browser, chromium } from "playwright-core";
import { startedOnce } from "./started-once.ts";

/**
 * Connects to the browser of this run. Closing it ends the connection, with its pages.
 * @throws Error one sentence that says what is missing
 */
export async function openBrowser(): Promise<Browser> {
  return chromium.connect(await startedOnce("browser"));
}

/** A browser from npm, for tests of the visible result. */
import { type Browser, chromium } from "playwright-core";
import { startedOnce } from "./started-once.ts";

/**
 * Connects to the browser of this run. Closing it ends the connection and its pages.
 * @throws Error with one sentence that names what is missing
 */
export async function openBrowser(): Promise<Browser> {
  return chromium.connect(await startedOnce("browser"));
}

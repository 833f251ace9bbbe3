/** A browser that comes by npm, for what must be seen to be believed. */
import sparticuz from "@sparticuz/chromium";
import { type Browser, chromium } from "playwright-core";

/** Starts it. @throws Error one sentence that says what is missing */
export async function startBrowser(): Promise<Browser> {
  try {
    // In a single process, which the package proposes, the browser ends with its first window.
    const args = sparticuz.args.filter((arg) => arg !== "--single-process" && arg !== "--no-zygote");
    return await chromium.launch({ executablePath: await sparticuz.executablePath(), args });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
    throw new Error(`The browser of the package @sparticuz/chromium does not start on this machine: ${why}`, { cause });
  }
}

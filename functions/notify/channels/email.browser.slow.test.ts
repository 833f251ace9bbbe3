/** Mails in a real browser: phone and desktop, light and dark, for every audience. */
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Audience, audiences } from "../../../shared/config/notification.ts";
import { examined } from "../../../tests/support/axe.ts";
import { openBrowser } from "../../../tests/support/browser.ts";
import type { Notice, OutgoingMail } from "../channel.ts";
import { incidentEvent, noticeOf, resolvedEvent } from "../fixtures.ts";
import { email } from "./email.ts";
import { hostileNotices } from "./support/hostile.fixtures.ts";

const long = { whys: Array.from({ length: 20 }, (_, at) => `Why ${at}: it depends on what stands below it.`) };
const notices: Readonly<Record<string, Notice>> = {
  opening: noticeOf(incidentEvent({ ...long, next_steps: ["Look at the size of the connector."] })),
  "all-clear": noticeOf(resolvedEvent()),
  "status update": noticeOf(incidentEvent({ event: "status_update", at: "2025-09-16T18:00:00.000Z" })),
};
const hostile: Readonly<Record<string, Notice>> = Object.fromEntries(hostileNotices);

describe("a mail in a browser", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser?.close());

  /** Opens one window for each size and colour scheme, and records the requests of its page. */
  const windows = new Map<string, { readonly page: Page; readonly requests: string[] }>();

  async function windowOf(width: number, colorScheme: "light" | "dark") {
    const known = windows.get(`${width} ${colorScheme}`);
    if (known !== undefined) return known;
    const page = await browser.newPage({ colorScheme, viewport: { width, height: 800 } });
    const opened = { page, requests: [] as string[] };
    page.on("request", (request) => opened.requests.push(request.url()));
    windows.set(`${width} ${colorScheme}`, opened);
    return opened;
  }

  async function shown(
    notice: Notice,
    { width, scheme }: { readonly width: number; readonly scheme: "light" | "dark" },
    look: (page: Page, context: BrowserContext) => Promise<void>,
  ): Promise<void> {
    const { page, requests } = await windowOf(width, scheme);
    const settings = email.settings.parse({ to: ["team@example.com"] });
    await page.setContent((email.render(settings, notice) as OutgoingMail).html);
    await look(page, page.context());
    // No external resource is loaded, and no text from a target became an element that could load one.
    expect(requests).toEqual([]);
    expect(await page.locator("script, img, iframe").count()).toBe(0);
  }

  const schemes = ["light", "dark"] as const;
  const views: readonly (readonly [string, Audience, Notice])[] = [
    ...Object.entries(notices).flatMap(([name, notice]) =>
      audiences.map((audience) => [name, audience, notice] as const),
    ),
    ...Object.entries(hostile).map(([name, notice]) => [name, "engineers", notice] as const),
  ];

  it.each(views)("fits a phone and a desktop: %s for %s", async (_, audience, sample) => {
    const notice = { ...sample, audience };
    for (const width of [390, 1000])
      await shown(notice, { width, scheme: "light" }, async (page) => {
        const over = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
        expect(over, `at ${width} pixels`).toBe(0);
        // Minimum size of a touch target: 44 pixels.
        const box = await page.getByRole("link", { name: "Open the incident" }).boundingBox();
        expect(box?.height).toBeGreaterThanOrEqual(44);
        // The heading is visible without scrolling.
        const heading = await page.getByRole("heading", { level: 1 }).boundingBox();
        expect(heading?.y).toBeLessThan(40);
      });
  });

  it.each(
    Object.entries(notices).flatMap(([name, notice]) =>
      audiences.flatMap((audience) => schemes.map((scheme) => [name, audience, scheme, notice] as const)),
    ),
  )("passes axe: %s for %s in %s", async (_, audience, scheme, sample) => {
    const notice = { ...sample, audience };
    await shown(notice, { width: 390, scheme }, async (page, context) => {
      const { violations, passes } = await examined(page, context);
      expect(violations).toEqual([]);
      expect(passes).toBeGreaterThan(5);
      const ground = await page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches");
      expect(ground).toBe(scheme === "dark");
    });
  });
});

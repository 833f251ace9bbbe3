/** The control room in a real browser: each page light and dark, wide and narrow, with and without script, and by keyboard. */
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { MemoryStore } from "../../shared/adapters/memory.ts";
import { examined } from "../../tests/support/axe.ts";
import { openBrowser } from "../../tests/support/browser.ts";
import { filledStore, hostile, measurements, noon, openId, pastId, shop } from "./room.fixtures.ts";
import { openRoom, type Room } from "./room.ts";

const paths = ["", "incidents", `incidents/${openId}`, `incidents/${pastId}`, "components/api?range=24h"];
const views = paths.flatMap((path) =>
  (["light", "dark"] as const).flatMap((scheme) => [390, 1280].map((width) => ({ path, scheme, width }))),
);

/** Keeps the versions that a page hears of, in its variable `versions`. */
const countVersions = `
  window.versions = [];
  window.EventSource = class extends EventSource {
    constructor(url) {
      super(url);
      this.addEventListener("version", ({ data }) => versions.push(data));
    }
  };`;

describe("the control room in a browser", () => {
  let browser: Browser;
  let room: Room;
  let store: MemoryStore;
  const clock = { now: noon };
  beforeAll(async () => {
    browser = await openBrowser();
    store = await filledStore();
    room = await openRoom({
      sources: { store, configuration: shop, measurements, now: () => clock.now, freshMs: 0 },
      token: "token",
      actions: { store, by: "Ana" },
    });
  });
  afterAll(async () => {
    await browser?.close();
    await room?.stop();
  });

  /** A page as somebody who may act sees it, with everything that it complained of, and asked of others. */
  async function shown(
    path: string,
    options: BrowserContextOptions,
    look: (page: Page, context: BrowserContext) => Promise<void>,
  ): Promise<void> {
    const context = await browser.newContext({ locale: "en-GB", ...options });
    try {
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on("console", (message) => complaints.push(message.text()));
      page.on("pageerror", (error) => complaints.push(error.message));
      page.on("request", (request) => {
        if (!request.url().startsWith(room.url) && !request.url().startsWith("data:")) complaints.push(request.url());
      });
      await page.goto(room.actingUrl);
      await page.goto(`${room.url}${path}`);
      await look(page, context);
      expect(complaints).toEqual([]);
    } finally {
      await context.close();
    }
  }

  it.each(views)("fits $width pixels in $scheme, without axe violations: /$path", async ({ path, scheme, width }) => {
    await shown(path, { colorScheme: scheme, viewport: { width, height: 800 } }, async (page, context) => {
      if (path.startsWith("components/")) await page.locator(".chart canvas").first().waitFor();
      const wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
      expect(wide).toBe(0);
      expect(await page.evaluate("getComputedStyle(document.body).backgroundColor")).toBe(
        scheme === "dark" ? "rgb(19, 20, 23)" : "rgb(251, 251, 249)",
      );
      const { violations, passes } = await examined(page, context);
      expect(violations).toEqual([]);
      expect(passes).toBeGreaterThan(15);
    });
  });

  it("shows an incident on two screens of a laptop, with the picture on the first", async () => {
    await shown(`incidents/${openId}`, { viewport: { width: 1280, height: 800 } }, async (page) => {
      expect(Number(await page.evaluate("document.documentElement.scrollHeight"))).toBeLessThanOrEqual(1_600);
      const box = await page.locator("figure svg.swimlane").first().boundingBox();
      expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThanOrEqual(800);
    });
  });

  it("shows hostile texts as plain text", async () => {
    await shown(`incidents/${openId}`, {}, async (page) => {
      expect(await page.locator("main").innerText()).toContain(hostile.slice(0, 40));
      expect(await page.locator("main script, main img").count()).toBe(0);
    });
  });

  it("draws the charts of a component: lines, thresholds, stacked phases", async () => {
    await shown("components/api?range=6h", { viewport: { width: 1280, height: 800 } }, async (page) => {
      await page.locator(".chart canvas").first().waitFor();
      const drawn = await page
        .locator(".charts")
        .first()
        .locator(".chart")
        .evaluateAll((all) => all.map((one) => one.getAttribute("data-panel")));
      expect(drawn).toEqual([
        "api-health http_response_time",
        "api-health http_phase_time",
        "api-health probe_success",
      ]);
      const legend = await page.locator(".chart .u-legend").nth(1).innerText();
      expect(legend).toMatch(/connect[\s\S]*first_byte/);
      // The red of the incident, and more than the ground.
      const colours = await page
        .locator(".chart canvas")
        .first()
        .evaluate((canvas) => {
          const drawing = canvas as unknown as {
            width: number;
            height: number;
            getContext(kind: "2d"): { getImageData(...at: number[]): { data: Uint8ClampedArray } };
          };
          const { data } = drawing.getContext("2d").getImageData(0, 0, drawing.width, drawing.height);
          const seen = new Set<string>();
          for (let at = 0; at < data.length; at += 4) seen.add(data.subarray(at, at + 4).join());
          return seen.size;
        });
      expect(colours).toBeGreaterThan(10);
    });
  });

  it("is readable without JavaScript", async () => {
    await shown("", { javaScriptEnabled: false }, async (page) => {
      await page.getByLabel("State").selectOption("down");
      await page.getByRole("button", { name: "Filter" }).click();
      expect(await page.locator("table.components tbody tr").count()).toBe(4);
      await page.getByRole("link", { name: "API", exact: true }).first().click();
      expect(await page.locator("h1").innerText()).toBe("API");
      expect(await page.locator("figure").count()).toBeGreaterThan(2);
      await page.getByRole("link", { name: /Checkout, API and 2 more/ }).click();
      expect(await page.locator("svg.swimlane").count()).toBeGreaterThan(0);
    });
  });

  it("can be operated by keyboard: from the overview to acknowledging an incident", async () => {
    await shown("", {}, async (page) => {
      const focused = (): Promise<string> =>
        page.evaluate("document.activeElement?.matches('a, button') ? document.activeElement.textContent : ''");
      const tabTo = async (text: string): Promise<void> => {
        for (let times = 0; times < 60; times++) {
          await page.keyboard.press("Tab");
          if ((await focused()).includes(text)) return;
        }
        throw new Error(`no Tab leads to ${text}`);
      };
      await tabTo("Checkout, API and 2 more");
      await page.keyboard.press("Enter");
      await page.waitForURL(/incidents/, { waitUntil: "load" });
      await tabTo("Acknowledge");
      await page.keyboard.press("Enter");
      await page.getByRole("button", { name: "Withdraw acknowledgement" }).waitFor();
      expect(await store.get("incidents", openId)).toMatchObject({ status: "acknowledged", edited_by: "Ana" });
      await store.set("incidents", openId, {
        ...(await store.get("incidents", openId)),
        status: "open",
        edited_by: null,
      });
    });
  });

  it("updates itself, and keeps expanded sections and unsent input", async () => {
    await shown(`incidents/${openId}`, {}, async (page) => {
      const document = (await store.get("incidents", openId)) ?? {};
      await page.addInitScript(countVersions);
      await page.reload();
      const versions = async (count: number): Promise<void> => {
        await vi.waitUntil(async () => (await page.evaluate("versions.length")) === count, { timeout: 10_000 });
      };
      // The connection must stand before something is new.
      await versions(1);
      await page.locator("#fold-timeline summary").click();
      const title = async (text: string): Promise<void> => store.set("incidents", openId, { ...document, title: text });
      await title("Shop: everything fails");
      await page.getByRole("heading", { name: "Shop: everything fails" }).waitFor();
      expect(await page.locator("#fold-timeline").getAttribute("open")).not.toBeNull();
      await page.getByLabel("Note").fill("I am on it");
      await title("Shop: hardly anything fails");
      await versions(3);
      expect(await page.getByLabel("Note").inputValue()).toBe("I am on it");
      await store.set("incidents", openId, document);
    });
  });

  it("prints all content, without buttons", async () => {
    await shown(`incidents/${openId}`, {}, async (page) => {
      await page.emulateMedia({ media: "print" });
      expect(await page.locator(".actions").first().isVisible()).toBe(false);
      expect(await page.locator("figure").first().isVisible()).toBe(true);
    });
  });
});

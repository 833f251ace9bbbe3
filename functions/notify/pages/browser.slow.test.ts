/** The status page in a real browser: light and dark, wide and narrow, with scripts and without. */

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { examined } from "../../../tests/support/axe.ts";
import { openBrowser } from "../../../tests/support/browser.ts";
import { allPages, hostile, shop, states } from "./page.fixtures.ts";
import type { PageState } from "./view.ts";

describe("the status page in a browser", () => {
  // If no browser can start, .ci/run fails; elsewhere, every test here reports it.
  let browser: Browser;
  let folder: string;
  beforeAll(async () => {
    browser = await openBrowser();
    folder = await mkdtemp(join(tmpdir(), "pathkeeper-page-"));
    for (const [name, state] of Object.entries(states)) {
      for (const { path, content } of allPages(state)) {
        await mkdir(dirname(join(folder, name, path)), { recursive: true });
        await writeFile(join(folder, name, path), content);
      }
    }
  });
  afterAll(async () => {
    await browser?.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  const incident = (name: "outage" | "calm"): string =>
    `incidents/${[...states[name].open, ...states[name].past][0]?.id}.html`;
  const views = (["outage", "calm"] as const).flatMap((name) =>
    ["index.html", "history.html", incident(name)].flatMap((path) =>
      (["light", "dark"] as const).flatMap((scheme) => [320, 1280].map((width) => ({ name, path, scheme, width }))),
    ),
  );

  /** Opens a page, and returns it with its requests and errors. */
  async function shown(
    { name, path, scheme, width }: (typeof views)[number],
    look: (page: Page, context: BrowserContext) => Promise<void>,
  ): Promise<{ requests: string[]; complaints: string[] }> {
    const context = await browser.newContext({ colorScheme: scheme, viewport: { width, height: 800 } });
    try {
      const page = await context.newPage();
      const requests: string[] = [];
      const complaints: string[] = [];
      page.on("request", (request) => requests.push(request.url()));
      page.on("console", (message) => complaints.push(message.text()));
      page.on("pageerror", (error) => complaints.push(error.message));
      await page.goto(pathToFileURL(join(folder, name, path)).href);
      await look(page, context);
      return { requests: requests.filter((url) => !url.startsWith("data:")), complaints };
    } finally {
      await context.close();
    }
  }

  it.each(views)("fits $width pixels in $scheme: $name, $path", async (view) => {
    const { requests, complaints } = await shown(view, async (page) => {
      const wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
      expect(wide).toBe(0);
      const ground = await page.evaluate("getComputedStyle(document.body).backgroundColor");
      expect(ground).toBe(view.scheme === "dark" ? "rgb(19, 20, 23)" : "rgb(251, 251, 249)");
    });
    expect(requests).toHaveLength(1);
    expect(complaints).toEqual([]);
  });

  it.each(views.filter(({ width }) => width === 320))("passes axe in $scheme: $name, $path", async (view) => {
    const found = await shown(view, async (page, context) => {
      const { violations, passes } = await examined(page, context);
      expect(violations).toEqual([]);
      expect(passes).toBeGreaterThan(10);
    });
    expect(found.requests).toHaveLength(1);
  });

  it("shows every component and every incident, and escapes hostile texts", async () => {
    const { outage } = states;
    await shown({ name: "outage", path: "index.html", scheme: "light", width: 1280 }, async (page) => {
      const text = await page.locator("body").innerText();
      for (const { title, state_text } of outage.components) {
        expect(text).toContain(title);
        expect(text).toContain(state_text);
      }
      for (const { title, updates } of [...outage.open, ...outage.past]) {
        expect(text).toContain(title);
        if (outage.open.some((open) => open.title === title))
          for (const update of updates) expect(text).toContain(update.text);
      }
      expect(text).toContain(hostile.slice(0, 60));
      expect(await page.locator("img").count()).toBe(0);
      expect(await page.locator("svg.bars").count()).toBe(shop.components.length);
      expect(
        await page.getByRole("img", { name: /API: available 99\.\d\d% of the time in the last 90 days/ }).count(),
      ).toBe(1);
    });
  });

  /** Serves the pages of a state, which can be replaced. */
  async function bucket(
    state: PageState,
  ): Promise<AsyncDisposable & { url: string; state: PageState; asked: string[] }> {
    const asked: string[] = [];
    const server: Server = createServer(({ url = "" }, response) => {
      asked.push(url);
      const found = allPages(served.state).find(({ path }) => `/bucket/${path}` === url);
      response.writeHead(found === undefined ? 404 : 200, { "content-type": found?.contentType ?? "text/plain" });
      response.end(found?.content);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const served = {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/bucket/index.html`,
      state,
      asked,
      [Symbol.asyncDispose]: () =>
        new Promise<void>((resolve) => {
          server.close(() => resolve());
          server.closeAllConnections();
        }),
    };
    return served;
  }

  it("reloads only when its data are newer", async () => {
    await using served = await bucket(states.outage);
    await using context = await browser.newContext();
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    await page.clock.install();
    await page.goto(served.url);
    expect(await page.locator(".banner").innerText()).toBe(states.outage.summary);
    const first = page.waitForResponse(/status\.json$/);
    await page.clock.fastForward("01:00");
    await first;
    expect(served.asked.filter((path) => path.endsWith("index.html"))).toHaveLength(1);
    served.state = { ...states.calm, at: "2025-09-16T12:10:00.000Z" };
    const anew = page.waitForNavigation();
    await page.clock.fastForward("01:00");
    await anew;
    expect(await page.locator(".banner").innerText()).toBe(states.calm.summary);
    expect(complaints.filter((text) => !text.includes("favicon"))).toEqual([]);
  });

  it("shows the same without scripts", async () => {
    await using served = await bucket(states.outage);
    await using context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(served.url);
    expect(await page.locator(".banner").innerText()).toBe(states.outage.summary);
    expect(await page.locator("article").count()).toBe(states.outage.open.length);
  });

  it("links to each incident and back", async () => {
    await shown({ name: "outage", path: "index.html", scheme: "light", width: 320 }, async (page) => {
      await page.getByRole("link", { name: "All incidents" }).click();
      await page.getByRole("link", { name: /Chat with agents/ }).click();
      expect(await page.locator("article h2").innerText()).toBe("Degradation of Chat with agents");
      await page.getByRole("link", { name: /status$/ }).click();
      expect(await page.locator(".banner").count()).toBe(1);
    });
  });
});

/** Tests the page of an action link in a real browser: it shows the incident, and only its own button acts. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { MemoryStore } from "../../../shared/adapters/memory.ts";
import { silentLogger } from "../../../shared/runtime/logger.ts";
import { examined } from "../../../tests/support/axe.ts";
import { openBrowser } from "../../../tests/support/browser.ts";
import { channels as kinds } from "../channels/index.ts";
import { configurationOf, secretsOf } from "../fixtures.ts";
import { linkKey } from "./answers.fixtures.ts";
import { type AnswerLink, signedUrl, unsignedUrl } from "./link.ts";
import { answerListener } from "./serve.ts";

const incident = "20250916-120000-database";
const reader: AnswerLink = {
  action: "acknowledge",
  incident,
  channel: "mail",
  recipient: "ana@example.com",
  notice: "opened",
};

/** Starts an answer server with one open incident. */
async function setUp(): Promise<{ readonly store: MemoryStore; link(changes?: Partial<AnswerLink>): string }> {
  const store = new MemoryStore();
  await store.set("incidents", incident, {
    title: "Shop: database failing",
    summary: "The database refuses every login since 11:58 UTC; the likely cause is the VPC connector.",
    impact: "Nobody can order",
    status: "open",
    severity: "critical",
    opened_at: new Date("2025-09-16T12:00:00Z"),
    edited_by: null,
  });
  let listener: ReturnType<typeof answerListener> | undefined;
  const server = await listening(
    createServer((request, response) => void listener?.answer(request, response).catch(() => response.destroy())),
  );
  const answersUrl = `${server}/answers`;
  listener = answerListener({
    store,
    secrets: secretsOf({ "answers-key": linkKey }),
    clock: { now: () => Date.now() },
    logger: silentLogger,
    configuration: configurationOf([
      { name: "mail", kind: "email", settings: { to: ["ana@example.com"] } },
      { name: "chat", kind: "discord", settings: { url: { secret: "chat" } } },
    ]),
    kinds,
    answersUrl,
  });
  const link = (changes: Partial<AnswerLink> = {}): string =>
    signedUrl(unsignedUrl(answersUrl, { ...reader, ...changes }), linkKey, Date.now());
  return { store, link };
}

/** Listens until the test ends. @returns the address */
async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("the page of a link", { timeout: 120_000 }, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  }, 120_000);
  afterAll(() => browser?.close());

  it("acts when its button is pressed, and confirms it", async () => {
    const { store, link } = await setUp();
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    await page.goto(link());
    expect(await page.getByRole("heading", { name: "Shop: database failing" }).count()).toBe(1);
    expect(await store.get("incidents", incident)).toMatchObject({ status: "open" });
    await page.getByRole("button", { name: "Acknowledge" }).click();
    await page.getByText("The incident is acknowledged.").waitFor();
    expect(await store.get("incidents", incident)).toMatchObject({
      status: "acknowledged",
      edited_by: "ana@example.com",
    });
    await page.goto(link());
    await page.getByText("This link has been used before.").waitFor();
    expect(await page.getByRole("button").count()).toBe(0);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it("asks for a name in a chat", async () => {
    const { store, link } = await setUp();
    const page = await browser.newPage();
    await page.goto(link({ channel: "chat", recipient: undefined as never }));
    await page.getByLabel("Your name").fill("Ana");
    await page.keyboard.press("Enter");
    await page.getByText("The incident is acknowledged.").waitFor();
    expect(await store.get("incidents", incident)).toMatchObject({ edited_by: "Ana (chat)" });
    await page.close();
  });

  it("ignores forms of other sites, and cannot be framed", async () => {
    const { store, link } = await setUp();
    const site = await listening(
      createServer((_, response) =>
        response.setHeader("content-type", "text/html").end(`<iframe src="${link()}"></iframe>
<form method="post" action="${link()}"><button>Win</button></form>`),
      ),
    );
    const page = await browser.newPage();
    // To a browser, another host name of this machine is another site.
    await page.goto(site.replace("127.0.0.1", "localhost"));
    expect(await page.frameLocator("iframe").getByRole("button").count()).toBe(0);
    await page.getByRole("button", { name: "Win" }).click();
    await page.getByText("The form must be sent from the page that the link opens.").waitFor();
    expect(await store.get("incidents", incident)).toMatchObject({ status: "open", edited_by: null });
    await page.close();
  });

  it.each(
    ([390, 1280] as const).flatMap((width) => (["light", "dark"] as const).map((scheme) => [width, scheme] as const)),
  )("reads well at %i px, %s", async (width, colorScheme) => {
    const { link } = await setUp();
    const page = await browser.newPage({ colorScheme, viewport: { width, height: 800 } });
    for (const url of [
      link(),
      link({ action: "resolve" }),
      link({ channel: "chat", recipient: undefined as never }),
      `${link()}x`,
    ]) {
      await page.goto(url);
      const { violations, passes } = await examined(page, page.context());
      expect(violations).toEqual([]);
      expect(passes).toBeGreaterThan(10);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
    }
    await page.close();
  });
});

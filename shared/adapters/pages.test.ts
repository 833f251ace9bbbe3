import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Page, Pages } from "../ports.ts";
import { googleApi } from "./google-api.ts";
import { folderPages } from "./pages-folder.ts";
import { MemoryPages } from "./pages-memory.ts";
import { storagePages } from "./pages-storage.ts";

const never = new AbortController().signal;
const page = (content: string): Page => ({
  path: "incidents/1 ü.html",
  contentType: "text/html; charset=utf-8",
  content,
});

async function folder(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "pathkeeper-pages-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  return root;
}

interface StoredObject {
  readonly generation: number;
  readonly metadata: unknown;
  readonly content: string;
}

/** Cloud Storage, as far as pages need it: objects with generations, uploaded as multipart/related. */
async function storage(): Promise<{ pages: Pages; objects: Map<string, StoredObject> }> {
  const objects = new Map<string, StoredObject>();
  const server = createServer(async (request, response) => {
    const answer = (status: number, body: unknown): unknown => response.writeHead(status).end(JSON.stringify(body));
    const url = new URL(request.url?.replace("/storage.googleapis.com", "") ?? "", "http://stand");
    const [, bucket] = /\/b\/([^/]+)\/o/.exec(url.pathname) ?? [];
    if (bucket !== "shop-status") return answer(404, { error: { message: "The specified bucket does not exist." } });
    if (request.method === "GET") {
      const found = objects.get(decodeURIComponent(url.pathname.split("/o/")[1] ?? ""));
      return found
        ? answer(200, { generation: String(found.generation) })
        : answer(404, { error: { message: "none" } });
    }
    const text = Buffer.concat(await request.toArray()).toString();
    const [, boundary = ""] = /boundary=(.*)$/.exec(request.headers["content-type"] ?? "") ?? [];
    const [, about = "", media = ""] = text.split(`--${boundary}`);
    const body = (part: string): string => part.slice(part.indexOf("\r\n\r\n") + 4, -2);
    const metadata = JSON.parse(body(about)) as { name: string };
    const { generation = 0 } = objects.get(metadata.name) ?? {};
    if (url.searchParams.get("ifGenerationMatch") !== String(generation))
      return answer(412, { error: { message: "At least one of the pre-conditions you specified did not hold." } });
    objects.set(metadata.name, { generation: generation + 1, metadata, content: body(media) });
    return answer(200, { generation: String(generation + 1) });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const api = googleApi(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return { pages: storagePages(api), objects };
}

describe.each<[string, () => Promise<Pages>]>([
  ["memory", async () => new MemoryPages()],
  ["a folder", async () => folderPages(await folder())],
  ["Cloud Storage", async () => (await storage()).pages],
])("the place for pages in %s", (_, open) => {
  const at = { place: "shop-status", path: page("").path };

  it("has no version for a missing page, and a new one after each write", async () => {
    const pages = await open();
    expect(await pages.version(at.place, at.path, never)).toBeUndefined();
    expect(await pages.write(at.place, page("one"), undefined, never)).toBe(true);
    const one = await pages.version(at.place, at.path, never);
    expect(await pages.write(at.place, page("two"), one, never)).toBe(true);
    const two = await pages.version(at.place, at.path, never);
    expect([one, two]).not.toContain(undefined);
    expect(two).not.toBe(one);
  });

  it("does not overwrite a concurrent change", async () => {
    const pages = await open();
    expect(await pages.write(at.place, page("new"), undefined, never)).toBe(true);
    expect(await pages.write(at.place, page("old"), undefined, never)).toBe(false);
    expect(await pages.write(at.place, page("old"), "123", never)).toBe(false);
  });

  it("lets one of many concurrent writers win", async () => {
    const pages = await open();
    const writes = Array.from({ length: 8 }, (_, number) => pages.write(at.place, page(`${number}`), undefined, never));
    expect((await Promise.all(writes)).filter(Boolean)).toHaveLength(1);
  });
});

describe("pages in Cloud Storage", () => {
  it("are uploaded with their type, and are never kept for an hour", async () => {
    const { pages, objects } = await storage();
    await pages.write("shop-status", page("<p>ü--page"), undefined, never);
    expect(objects.get("incidents/1 ü.html")).toEqual({
      generation: 1,
      content: "<p>ü--page",
      metadata: { name: "incidents/1 ü.html", contentType: "text/html; charset=utf-8", cacheControl: "no-cache" },
    });
  });

  it("report the rejected operation and its status", async () => {
    const { pages } = await storage();
    const message = "gs://other/incidents/1 ü.html cannot be written: The specified bucket does not exist.";
    await expect(pages.write("other", page(""), undefined, never)).rejects.toMatchObject({ status: 404, message });
  });
});

describe("pages in a folder", () => {
  it("are written atomically, and never outside their folder", async () => {
    const root = await folder();
    const pages = folderPages(root);
    await pages.write("status", page("x"), undefined, never);
    expect(await readdir(join(root, "status"), { recursive: true })).toEqual(["incidents", "incidents/1 ü.html"]);
    const outside = { ...page("x"), path: "../../evil.html" };
    await expect(pages.write("status", outside, undefined, never)).rejects.toThrow("would stand outside of");
  });
});

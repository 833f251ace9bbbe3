/** Pages in buckets of Cloud Storage, by its JSON API. Needs roles/storage.objectUser on the bucket. */
import { createHash } from "node:crypto";
import { type GoogleApi, GoogleApiError, type GoogleRequest, type Page, type Pages, PagesError } from "../ports.ts";

/** A browser asks again whether a page has changed; without this word Cloud Storage lets it keep public pages for an hour. */
const cacheControl = "no-cache";

const api = "https://storage.googleapis.com";

/** Pages in buckets. The version is the generation of the object. https://cloud.google.com/storage/docs/request-preconditions */
export function storagePages(google: GoogleApi): Pages {
  return {
    async version(bucket, path, signal) {
      const url = `${api}/storage/v1/b/${encodeURIComponent(bucket)}/o/${encodeURIComponent(path)}?fields=generation`;
      try {
        return generationOf(await google.request({ url, signal }));
      } catch (error) {
        // An object that is not there and a bucket that is not there are both 404; the write tells them apart.
        if (error instanceof GoogleApiError && error.status === 404) return undefined;
        throw refused(error, `gs://${bucket}/${path} cannot be inspected`);
      }
    },
    async write(bucket, page, replaces, signal) {
      try {
        await google.request({ ...uploadOf(bucket, page, replaces ?? "0"), signal });
        return true;
      } catch (error) {
        if (error instanceof GoogleApiError && error.status === 412) return false;
        throw refused(error, `gs://${bucket}/${page.path} cannot be written`);
      }
    },
  };
}

/** Content and metadata in one request, as multipart/related. https://cloud.google.com/storage/docs/uploading-objects */
function uploadOf(bucket: string, { path, contentType, content }: Page, generation: string): GoogleRequest {
  const query = new URLSearchParams({ uploadType: "multipart", ifGenerationMatch: generation, fields: "generation" });
  const boundary = boundaryFor(content);
  const metadata = JSON.stringify({ name: path, contentType, cacheControl });
  return {
    method: "POST",
    url: `${api}/upload/storage/v1/b/${encodeURIComponent(bucket)}/o?${query}`,
    upload: {
      contentType: `multipart/related; boundary=${boundary}`,
      content: [
        `--${boundary}\r\ncontent-type: application/json; charset=utf-8\r\n\r\n${metadata}\r\n`,
        `--${boundary}\r\ncontent-type: ${contentType}\r\n\r\n${content}\r\n`,
        `--${boundary}--\r\n`,
      ].join(""),
    },
  };
}

/** A line that the content does not have: it would have to hold its own hash. */
function boundaryFor(content: string): string {
  return `page-${createHash("sha256").update(content).digest("hex").slice(0, 32)}`;
}

function generationOf(answer: unknown): string {
  const generation = (answer as { generation?: unknown } | null)?.generation;
  if (typeof generation === "string" && /^\d+$/.test(generation)) return generation;
  throw new PagesError("Cloud Storage names no generation of an object", 0);
}

function refused(error: unknown, what: string): unknown {
  if (!(error instanceof GoogleApiError)) return error;
  return new PagesError(`${what}: ${error.message}`, error.status, { cause: error });
}

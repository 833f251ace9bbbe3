import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { googleApi } from "./google-api.ts";

async function stand(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const url = "https://run.googleapis.com/v2/projects/shop/locations/us-central1/services/backend";

describe("Google's APIs at a substitute address", () => {
  it("finds each API below the address by its host name", async () => {
    const base = await stand((request, response) => response.end(JSON.stringify({ asked: request.url })));
    expect(await googleApi(base).request({ url })).toEqual({ asked: `/${url.replace("https://", "")}` });
  });

  it("posts a body as JSON", async () => {
    const base = await stand(async (request, response) => {
      const chunks = await request.toArray();
      response.end(JSON.stringify({ method: request.method, body: JSON.parse(Buffer.concat(chunks).toString()) }));
    });
    expect(await googleApi(base).request({ method: "POST", url, body: { options: 3 } })).toEqual({
      method: "POST",
      body: { options: 3 },
    });
  });

  it.each([
    [
      403,
      {
        error: {
          message: "Permission 'run.services.get' denied",
          status: "PERMISSION_DENIED",
          details: [{ reason: "IAM_PERMISSION_DENIED" }],
        },
      },
      { status: 403, reason: "IAM_PERMISSION_DENIED", message: "Permission 'run.services.get' denied" },
    ],
    [
      404,
      { error: { message: "not found", status: "NOT_FOUND" } },
      { status: 404, reason: "NOT_FOUND", message: "not found" },
    ],
    [502, "<html>", { status: 502, reason: "HTTP_502", message: "status 502" }],
  ])("reports an error with status %i in Google's words", async (status, body, error) => {
    const base = await stand((_, response) => response.writeHead(status).end(JSON.stringify(body)));
    await expect(googleApi(base).request({ url })).rejects.toMatchObject(error);
  });

  it("reports an unreachable API, and a response that is not JSON", async () => {
    const closed = googleApi("http://127.0.0.1:1").request({ url });
    await expect(closed).rejects.toMatchObject({ status: 0, reason: "UNREACHABLE" });
    const base = await stand((_, response) => response.end("<html>"));
    await expect(googleApi(base).request({ url })).rejects.toMatchObject({ reason: "UNREACHABLE" });
  });

  it("aborts with its signal, with the given reason", async () => {
    const asked = Promise.withResolvers<void>();
    const base = await stand(() => asked.resolve());
    const controller = new AbortController();
    const reason = new Error("the time ran out");
    const answer = googleApi(base).request({ url, signal: controller.signal });
    await asked.promise;
    controller.abort(reason);
    await expect(answer).rejects.toBe(reason);
  });
});

describe("ID tokens", () => {
  /** A token as Google makes them, but for the signature. */
  const jwt = (claims: object): string =>
    ["{}", JSON.stringify(claims), "signature"].map((part) => Buffer.from(part).toString("base64url")).join(".");

  it("come from the metadata server, for the audience, and are kept until they expire", async () => {
    const asked: string[] = [];
    const metadata = await stand((request, response) => {
      asked.push(request.url ?? "");
      const text = request.url?.includes("identity") ? jwt({ exp: Date.now() / 1000 + 3600, at: asked.length }) : "p";
      response.writeHead(200, { "metadata-flavor": "Google", "content-type": "text/html" }).end(text);
    });
    for (const [name, value] of [
      ["GCE_METADATA_HOST", metadata.replace("http://", "")],
      ["METADATA_SERVER_DETECTION", "assume-present"],
      ["GOOGLE_APPLICATION_CREDENTIALS", ""],
      ["HOME", "/nonexistent"],
    ] as const)
      vi.stubEnv(name, value);
    onTestFinished(() => void vi.unstubAllEnvs());
    const google = googleApi();
    const first = await google.idToken("https://backend.example.com");
    expect(first.split(".")).toHaveLength(3);
    expect(await google.idToken("https://backend.example.com")).toBe(first);
    expect(await google.idToken("https://other.example.com")).not.toBe(first);
    const tokens = asked.filter((path) => path.includes("identity"));
    expect(tokens).toHaveLength(2);
    expect(tokens[0]).toMatch(/instance\/service-accounts\/default\/identity\?.*audience=https/);
  });
});

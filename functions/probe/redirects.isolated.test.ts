/**
 * Redirects from public addresses to private ones. All servers are on this machine; the spy determines which of their addresses count as
 * public.
 */
import { createServer } from "node:http";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { isPrivateAddress } from "../../shared/net/address.ts";
import { listening, probeOnce } from "./fixtures.ts";
import { http } from "./probers/http.ts";
import { journey } from "./probers/journey.ts";

vi.mock(import("../../shared/net/address.ts"), { spy: true });

/** Whether the next addresses count as public; later ones keep their real type. */
function nextAddresses(...arePublic: readonly boolean[]): void {
  for (const isPublic of arePublic) vi.mocked(isPrivateAddress).mockReturnValueOnce(!isPublic);
}

beforeEach(() => {
  vi.mocked(isPrivateAddress).mockReset();
});

/** Starts a server that redirects to the location, or answers with an internal text. */
async function serverOf(location?: string): Promise<{ readonly port: number; connections: number }> {
  const server = createServer((_request, response) => {
    if (location === undefined) response.end("internal page");
    else response.writeHead(302, { location }).end();
  });
  const seen = { port: 0, connections: 0 };
  server.on("connection", () => void seen.connections++);
  return Object.assign(seen, { port: await listening(server) });
}

const notFollowed = (address: string, url: string): string =>
  `a redirect from a public address to the private address ${address} is not followed: set allow_private_redirects: true to follow it (redirected to ${url})`;

describe("a redirect from a public address", () => {
  it.each([
    ["http://127.0.0.1:PORT/admin", "127.0.0.1"],
    ["http://2130706433:PORT/admin", "127.0.0.1"],
    ["http://[::ffff:127.0.0.1]:PORT/admin", "::ffff:7f00:1"],
    ["http://localhost:PORT/admin?key=1", "127.0.0.1"],
    ["//localhost:PORT/admin", "127.0.0.1"],
    ["https://localhost:PORT/admin", "127.0.0.1"],
    ["http://0.0.0.0:PORT/", "0.0.0.0"],
    ["http://169.254.169.254/computeMetadata/v1/", "169.254.169.254"],
    ["http://10.20.0.3/", "10.20.0.3"],
    ["http://192.168.1.1/", "192.168.1.1"],
    ["http://[::1]/", "::1"],
    ["http://[fd00::1]/", "fd00::1"],
    ["http://[fe80::1]/", "fe80::1"],
    ["http://[64:ff9b::a14:3]/", "64:ff9b::a14:3"],
  ])("does not go to %s", async (location, address) => {
    const internal = await serverOf();
    const target = location.replace("PORT", String(internal.port));
    const { port } = await serverOf(target);
    nextAddresses(true);
    const result = await probeOnce(http, {
      url: `http://127.0.0.1:${port}/`,
      ip_version: address.includes(":") ? "any" : 4,
    });
    const { origin, pathname } = new URL(target, `http://127.0.0.1:${port}/`);
    expect(result.failure).toEqual({
      kind: "protocol",
      phase: "redirect",
      message: notFollowed(address, origin + pathname),
    });
    expect(result.hops).toMatchObject([{ url: `http://127.0.0.1:${port}/`, status: 302 }]);
    expect(internal.connections).toBe(0);
    expect(JSON.stringify(result)).not.toContain("internal page");
  });

  it("goes to a private address if that is allowed", async () => {
    const internal = await serverOf();
    const { port } = await serverOf(`http://localhost:${internal.port}/`);
    nextAddresses(true);
    const result = await probeOnce(http, {
      url: `http://127.0.0.1:${port}/`,
      ip_version: 4,
      allow_private_redirects: true,
      expect: { body_contains: "internal page" },
    });
    expect(result.failure).toBeUndefined();
  });

  it("goes to another public address", async () => {
    const last = await serverOf();
    const { port } = await serverOf(`http://127.0.0.1:${last.port}/`);
    nextAddresses(true, true, true);
    const result = await probeOnce(http, { url: `http://127.0.0.1:${port}/` });
    expect(result.failure).toBeUndefined();
  });

  it.each([
    ["a public one", [true, true, true]],
    ["a private one", [false, true]],
  ])("does not go to a private address either after %s", async (_what, addresses) => {
    const internal = await serverOf();
    const second = await serverOf(`http://127.0.0.1:${internal.port}/admin`);
    const first = await serverOf(`http://127.0.0.1:${second.port}/`);
    nextAddresses(...addresses);
    const result = await probeOnce(http, { url: `http://127.0.0.1:${first.port}/` });
    expect(result.failure).toMatchObject({
      kind: "protocol",
      phase: "redirect",
      message: notFollowed("127.0.0.1", `http://127.0.0.1:${internal.port}/admin`),
    });
    expect(result.hops).toHaveLength(2);
    expect(internal.connections).toBe(0);
  });

  it("does not go to a private address in a step of a journey, unless that is allowed", async () => {
    const internal = await serverOf();
    const { port } = await serverOf(`http://127.0.0.1:${internal.port}/admin`);
    const steps = (more: object) => ({
      steps: [{ name: "look", http: { url: `http://127.0.0.1:${port}/`, ...more } }],
    });
    nextAddresses(true);
    expect((await probeOnce(journey, steps({}))).failure).toMatchObject({
      phase: "redirect",
      message: `step \`look\`: ${notFollowed("127.0.0.1", `http://127.0.0.1:${internal.port}/admin`)}`,
    });
    expect(internal.connections).toBe(0);
    nextAddresses(true);
    expect((await probeOnce(journey, steps({ allow_private_redirects: true }))).failure).toBeUndefined();
  });

  it("is not rechecked, because it is a response", async () => {
    const { port } = await serverOf("http://10.20.0.3/");
    nextAddresses(true);
    const result = await probeOnce(http, { url: `http://127.0.0.1:${port}/` }, { recheck: true });
    expect(result.failure?.phase).toBe("redirect");
    expect(result.attempts).toBeUndefined();
  });
});

describe("a redirect from a private address", () => {
  it("goes to a private address", async () => {
    const internal = await serverOf();
    const { port } = await serverOf(`http://localhost:${internal.port}/`);
    const result = await probeOnce(http, { url: `http://127.0.0.1:${port}/`, ip_version: 4 });
    expect(result.failure).toBeUndefined();
    expect(internal.connections).toBe(1);
  });
});

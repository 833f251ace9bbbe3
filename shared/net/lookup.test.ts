import { pbkdf2 } from "node:crypto";
import dns, { getServers, setDefaultResultOrder, setServers } from "node:dns";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type DnsServer, dnsServer, type Zone } from "./dns.fixtures.ts";
import { LookupError, lookup, ordered, type Resolve, replaceDnsLookup, resolverOf, type Wanted } from "./lookup.ts";

const zone: Zone = {
  "one.test": ["192.0.2.1"],
  "several.test": ["192.0.2.3", "192.0.2.1", "192.0.2.2"],
  "six.test": ["2001:db8::6"],
  "both.test": ["192.0.2.1", "2001:db8::6"],
  "loopback.test": ["127.0.0.1", "::1"],
  "broken.test": "SERVFAIL",
  "refused.test": "REFUSED",
  "misunderstood.test": "FORMERR",
  "garbage.test": "garbage",
  "silent.test": "silent",
  ...Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`silent-${at}.test`, "silent" as const])),
  "empty.test": [],
  "half-silent.test": ["192.0.2.1"],
  "AAAA half-silent.test": "silent",
  "half-denied.test": ["192.0.2.1"],
  "AAAA half-denied.test": "NXDOMAIN",
  "half-broken.test": ["192.0.2.1"],
  "AAAA half-broken.test": "SERVFAIL",
  "broken-and-empty.test": [],
  "AAAA broken-and-empty.test": "SERVFAIL",
  "silent-and-gone.test": "NXDOMAIN",
  "AAAA silent-and-gone.test": "silent",
  "web.shop.internal": ["192.0.2.10"],
  web: ["192.0.2.11"],
  "a.b.shop.internal": ["192.0.2.12"],
  "a.b": ["192.0.2.13"],
  "only.top.second.internal": ["192.0.2.14"],
  "down.shop.internal": "SERVFAIL",
  "down.second.internal": ["192.0.2.15"],
  "mute.shop.internal": "silent",
  "mute.second.internal": ["192.0.2.16"],
  "xn--bcher-kva.test": ["192.0.2.17"],
};

let server: DnsServer;
let folder: string;
const before = getServers();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pk-"));
  server = await dnsServer(zone);
  setServers([server.address]);
});

afterAll(async () => {
  setServers(before);
  await server.stop();
  await rm(folder, { recursive: true });
});

/** A machine with these files. It asks once, for a second, so that silence does not take long. */
async function machine({ hosts = "127.0.0.1 localhost\n", resolvConf = "" } = {}): Promise<Resolve> {
  const name = join(folder, crypto.randomUUID());
  await writeFile(`${name}.hosts`, hosts);
  await writeFile(`${name}.conf`, `options attempts:1 timeout:1\n${resolvConf}`);
  return resolverOf({ hosts: `${name}.hosts`, resolvConf: `${name}.conf` });
}

const found = async (resolve: Resolve, host: string, wanted?: Wanted): Promise<string[]> =>
  (await resolve(host, wanted)).map(({ address }) => address);

describe("resolveHost", () => {
  it.each<[string, Wanted | undefined, string[]]>([
    ["one.test", undefined, ["192.0.2.1"]],
    ["one.test.", undefined, ["192.0.2.1"]],
    ["ONE.test", undefined, ["192.0.2.1"]],
    ["bücher.test", undefined, ["192.0.2.17"]],
    ["several.test", undefined, ["192.0.2.3", "192.0.2.1", "192.0.2.2"]],
    ["six.test", undefined, ["2001:db8::6"]],
    ["both.test", { family: 4 }, ["192.0.2.1"]],
    ["both.test", { family: 6 }, ["2001:db8::6"]],
    ["half-silent.test", undefined, ["192.0.2.1"]],
    ["half-broken.test", undefined, ["192.0.2.1"]],
    ["half-denied.test", undefined, ["192.0.2.1"]],
    ["192.0.2.7", undefined, ["192.0.2.7"]],
    ["2001:db8::7", undefined, ["2001:db8::7"]],
    ["::1", { family: 6 }, ["::1"]],
    ["127.1", undefined, ["127.0.0.1"]],
    ["0x7f000001", undefined, ["127.0.0.1"]],
    ["localhost", undefined, ["127.0.0.1"]],
    ["LocalHost", { family: 4 }, ["127.0.0.1"]],
    ["www.shop.localhost", undefined, ["127.0.0.1"]],
  ])("finds %s, %j", async (host, wanted, addresses) => {
    expect(await found(await machine(), host, wanted)).toEqual(addresses);
  });

  it.each<[string, Wanted, string, string]>([
    ["no-such.test", {}, "ENOTFOUND", "the name no-such.test does not exist (NXDOMAIN)"],
    ["silent-and-gone.test", {}, "ENOTFOUND", "the name silent-and-gone.test does not exist (NXDOMAIN)"],
    ["a..b", {}, "ENOTFOUND", "the name a..b does not exist (NXDOMAIN)"],
    ["empty.test", {}, "ENOTFOUND", "the name empty.test exists, and has no address"],
    ["one.test", { family: 6 }, "ENOTFOUND", "the name one.test exists, and has no IPv6 address"],
    ["six.test", { family: 4 }, "ENOTFOUND", "the name six.test exists, and has no IPv4 address"],
    ["localhost", { family: 6 }, "ENOTFOUND", "the name localhost does not exist (NXDOMAIN)"],
    ["broken.test", {}, "EAI_AGAIN", "the name broken.test could not be looked up: the DNS server failed (SERVFAIL)"],
    [
      "broken-and-empty.test",
      {},
      "EAI_AGAIN",
      "the name broken-and-empty.test could not be looked up: the DNS server failed (SERVFAIL)",
    ],
    [
      "refused.test",
      {},
      "EAI_AGAIN",
      "the name refused.test could not be looked up: the DNS server refused to answer (REFUSED)",
    ],
    [
      "misunderstood.test",
      {},
      "EAI_AGAIN",
      "the name misunderstood.test could not be looked up: the DNS server gave no valid answer",
    ],
    [
      "garbage.test",
      {},
      "EAI_AGAIN",
      "the name garbage.test could not be looked up: the DNS server gave no valid answer",
    ],
    ["silent.test", {}, "EAI_AGAIN", "the name silent.test could not be looked up: no DNS server answered"],
  ])("explains why %s, %j, is not found", async (host, wanted, code, message) => {
    const error = await (await machine())(host, wanted).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(LookupError);
    expect(error).toMatchObject({ code, message, hostname: host });
  });

  it("reports that no server responded if none listens", async () => {
    const gone = await dnsServer({});
    await gone.stop();
    setServers([gone.address]);
    onTestFinished(() => setServers([server.address]));
    await expect((await machine())("one.test")).rejects.toThrow("no DNS server answered");
  });

  it.each<[string, string | undefined, string | undefined, 4 | 6]>([
    ["2001:db8::6", "2001:db8::1", "192.0.2.9", 6],
    ["2001:db8::6", undefined, "192.0.2.9", 4],
    ["2001:db8::6", "2001:db8::1", undefined, 6],
    ["2001:db8::6", undefined, undefined, 4],
    ["2001:db8::6", "fd00::1", "192.0.2.9", 4],
    ["2001:db8::6", "fe80::1", "192.0.2.9", 4],
    ["2001:db8::6", "fd00::1", undefined, 6],
    ["2001:db8::6", "2002:c000:201::1", "192.0.2.9", 4],
    ["2001:db8::6", "2001:0:1::1", "192.0.2.9", 4],
    ["fd00::6", "fd00::1", "192.0.2.9", 6],
    ["fd00::6", "2001:db8::1", "192.0.2.9", 4],
    ["::1", "::1", "192.0.2.9", 6],
  ])("tries the better family first: %s from %s, or IPv4 from %s: IPv%d", async (six, from6, from4, first) => {
    const order = await ordered(
      [
        { address: "192.0.2.1", family: 4 },
        { address: six, family: 6 },
        { address: "192.0.2.2", family: 4 },
      ],
      async (_address, family) => (family === 6 ? from6 : from4),
    );
    expect(order.map(({ address }) => address)).toEqual(
      first === 6 ? [six, "192.0.2.1", "192.0.2.2"] : ["192.0.2.1", "192.0.2.2", six],
    );
  });

  it.each(["ipv4first", "ipv6first"] as const)("respects Node's configured order, %s", async (setting) => {
    setDefaultResultOrder(setting);
    onTestFinished(() => setDefaultResultOrder("verbatim"));
    const [first] = await (await machine())("both.test");
    expect(first.family).toBe(setting === "ipv4first" ? 4 : 6);
  });

  it("finds the source address of this machine", async () => {
    const [first] = await (await machine({ hosts: "127.0.0.1 here\n2001:db8::6 here" }))("here");
    const six = Object.values(networkInterfaces())
      .flat()
      .some((each) => each?.family === "IPv6" && !each.internal && !/^f[cde]/.test(each.address));
    if (!six) expect(first.address).toBe("127.0.0.1");
    else expect(["127.0.0.1", "2001:db8::6"]).toContain(first.address);
  });

  it("aborts immediately with its signal", async () => {
    const controller = new AbortController();
    const resolve = await machine();
    const asked = resolve("silent.test", { signal: controller.signal });
    await expect.poll(() => server.questions.filter((each) => each.endsWith("silent.test")).length).toBeGreaterThan(0);
    controller.abort(new Error("no longer wanted"));
    await expect(asked).rejects.toThrow("no longer wanted");
    await expect(resolve("one.test", { signal: controller.signal })).rejects.toThrow("no longer wanted");
  });

  it("shares one query among concurrent callers, and queries again later", async () => {
    const resolve = await machine();
    const questions = (): number => server.questions.filter((each) => each.endsWith(" one.test")).length;
    const before = questions();
    const all = await Promise.all(Array.from({ length: 50 }, () => found(resolve, "one.test")));
    expect(all).toEqual(Array.from({ length: 50 }, () => ["192.0.2.1"]));
    expect(questions() - before).toBe(2);
    await found(resolve, "one.test");
    expect(questions() - before).toBe(4);
  });

  it("continues for the others when one caller aborts", async () => {
    const resolve = await machine();
    const controller = new AbortController();
    const first = resolve("one.test", { signal: controller.signal });
    const second = found(resolve, "one.test", { signal: new AbortController().signal });
    const third = found(resolve, "one.test");
    controller.abort(new Error("no longer wanted"));
    await expect(first).rejects.toThrow("no longer wanted");
    expect(await Promise.all([second, third])).toEqual([["192.0.2.1"], ["192.0.2.1"]]);
  });

  it("queries again after all callers have aborted", async () => {
    const resolve = await machine();
    const controller = new AbortController();
    const ended = resolve("one.test", { signal: controller.signal });
    controller.abort(new Error("no longer wanted"));
    await expect(ended).rejects.toThrow("no longer wanted");
    expect(await found(resolve, "one.test")).toEqual(["192.0.2.1"]);
  });

  it("does not block other names or other work on unanswered queries", async () => {
    const resolve = await machine({ resolvConf: "options timeout:30" });
    const controller = new AbortController();
    const dead = Array.from({ length: 100 }, (_, at) =>
      resolve(`silent-${at}.test`, { signal: controller.signal }).catch(() => {}),
    );
    for (let round = 0; round < 20; round++) expect(await found(resolve, "one.test")).toEqual(["192.0.2.1"]);
    await promisify(pbkdf2)("password", "salt", 1, 16, "sha256");
    controller.abort();
    await Promise.all(dead);
  });
});

describe("hosts file", () => {
  const hosts = `
# comment 192.0.2.99 commented.test
127.0.0.1\tlocalhost
::1 localhost ip6-localhost
192.0.2.20   db.internal   db   # one.test
192.0.2.21 DB
2001:db8::20 db
not-an-address broken.test
192.0.2.22 one.test`;

  it.each<[string, Wanted | undefined, string[]]>([
    ["db.internal", undefined, ["192.0.2.20"]],
    ["db", { family: 4 }, ["192.0.2.20", "192.0.2.21"]],
    ["Db", { family: 6 }, ["2001:db8::20"]],
    ["one.test", undefined, ["192.0.2.22"]],
    ["several.test", { family: 4 }, ["192.0.2.3", "192.0.2.1", "192.0.2.2"]],
    ["localhost", { family: 4 }, ["127.0.0.1"]],
    ["localhost", { family: 6 }, ["::1"]],
  ])("finds %s, %j", async (host, wanted, addresses) => {
    expect(await found(await machine({ hosts }), host, wanted)).toEqual(addresses);
  });

  it("queries DNS for the family missing from the file", async () => {
    const resolve = await machine({ hosts: "192.0.2.30 six.test" });
    expect(await found(resolve, "six.test", { family: 6 })).toEqual(["2001:db8::6"]);
    expect(await found(resolve, "six.test")).toEqual(["192.0.2.30"]);
  });

  it("is reread when it has changed, and may be missing", async () => {
    const path = join(folder, "changing");
    const resolve = resolverOf({ hosts: path, resolvConf: "/nowhere" });
    expect(await found(resolve, "one.test")).toEqual(["192.0.2.1"]);
    expect(await found(resolve, "localhost", { family: 4 })).toEqual(["127.0.0.1"]);
    await writeFile(path, "192.0.2.40 one.test");
    expect(await found(resolve, "one.test")).toEqual(["192.0.2.40"]);
    await writeFile(path, "192.0.2.41 one.test\n");
    expect(await found(resolve, "one.test")).toEqual(["192.0.2.41"]);
    await rm(path);
    expect(await found(resolve, "one.test")).toEqual(["192.0.2.1"]);
  });
});

describe("resolv.conf", () => {
  const two = "search shop.internal second.internal.\n";

  it.each<[string, string, string[]]>([
    ["web", two, ["192.0.2.10"]],
    ["web", "domain shop.internal\n", ["192.0.2.10"]],
    ["web", "search elsewhere.internal\nsearch shop.internal", ["192.0.2.10"]],
    ["web", "search elsewhere.internal", ["192.0.2.11"]],
    ["web", "", ["192.0.2.11"]],
    ["web.", two, ["192.0.2.11"]],
    ["a.b", two, ["192.0.2.13"]],
    ["a.b", `${two}options ndots:2`, ["192.0.2.12"]],
    ["a.b.", `${two}options ndots:2`, ["192.0.2.13"]],
    ["a.b", `${two}options debug ndots:1 ndots:5`, ["192.0.2.12"]],
    ["only.top", two, ["192.0.2.14"]],
    ["one.test", `# comment\n; comment\n${two}`, ["192.0.2.1"]],
    // The search continues after a domain whose server fails. If no server answers, it stops, because the next query would time out too.
    ["down", two, ["192.0.2.15"]],
  ])("finds %s by %j", async (host, resolvConf, addresses) => {
    expect(await found(await machine({ resolvConf }), host)).toEqual(addresses);
  });

  it("stops searching without a response", async () => {
    await expect((await machine({ resolvConf: two }))("mute")).rejects.toThrow("no DNS server answered");
  });

  it("reports the error of the name, not of a search domain", async () => {
    const resolve = await machine({ resolvConf: two });
    await expect(resolve("broken.test")).rejects.toThrow("(SERVFAIL)");
    await expect(resolve("empty.test")).rejects.toThrow("exists, and has no address");
    await expect(resolve("no-such")).rejects.toThrow("(NXDOMAIN)");
  });
});

describe("lookup", () => {
  it.each([
    [{ all: true }, [[{ address: "127.0.0.1", family: 4 }]]],
    [{ all: false }, ["127.0.0.1", 4]],
    [{ family: 4 }, ["127.0.0.1", 4]],
    [{ family: "IPv4", all: true }, [[{ address: "127.0.0.1", family: 4 }]]],
  ] as const)("responds as dns.lookup does, by %j", async (options, expected) => {
    const answer = await new Promise((resolve) =>
      lookup("127.0.0.1", options, (error, ...addresses) =>
        resolve(error ?? addresses.filter((one) => one !== undefined)),
      ),
    );
    expect(answer).toEqual(expected);
  });

  it("gives the error that dns.lookup would give", async () => {
    const error = await new Promise((resolve) => lookup("no-such.test", {}, resolve));
    expect(error).toMatchObject({ code: "ENOTFOUND", syscall: "getaddrinfo", hostname: "no-such.test" });
  });
});

describe("replaceDnsLookup", () => {
  const original = { lookup: dns.lookup, promises: dns.promises.lookup };
  afterEach(() => {
    Object.assign(dns, { lookup: original.lookup });
    Object.assign(dns.promises, { lookup: original.promises });
  });

  it("supports all signatures of dns.lookup", async () => {
    replaceDnsLookup();
    replaceDnsLookup();
    const one = { address: "192.0.2.1", family: 4 };
    expect(await dns.promises.lookup("one.test")).toEqual(one);
    expect(await dns.promises.lookup("one.test", { all: true })).toEqual([one]);
    expect(await dns.promises.lookup("both.test", 6)).toEqual({ address: "2001:db8::6", family: 6 });
    expect(await promisify(dns.lookup)("one.test")).toEqual(one);
    expect(await promisify(dns.lookup)("one.test", { all: true })).toEqual([one]);
    await expect(dns.promises.lookup("no-such.test")).rejects.toMatchObject({ code: "ENOTFOUND" });
    const called = (...options: unknown[]): Promise<unknown[]> =>
      new Promise((resolve) =>
        Reflect.apply(dns.lookup, dns, ["both.test", ...options, (...all: unknown[]) => resolve(all)]),
      );
    expect(await called({ family: 4 })).toEqual([null, "192.0.2.1", 4]);
    expect(await called(6)).toEqual([null, "2001:db8::6", 6]);
    expect((await called())[0]).toBeNull();
  });

  it("serves clients without a lookup option, and blocks no other work", async () => {
    replaceDnsLookup();
    const site = createServer((_request, response) => response.end("alive"));
    await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
    const { port } = site.address() as AddressInfo;
    onTestFinished(() => void site.close());
    const controller = new AbortController();
    let ended = 0;
    const dead = Array.from({ length: 40 }, (_, at) =>
      fetch(`http://silent-${at}.test/`, { signal: controller.signal }).catch(() => {
        ended++;
      }),
    );
    const answer = await fetch(`http://loopback.test:${port}/`, { headers: { connection: "close" } });
    expect(await answer.text()).toBe("alive");
    await promisify(pbkdf2)("password", "salt", 1, 16, "sha256");
    expect(ended).toBe(0);
    controller.abort();
    await Promise.all(dead);
  });
});

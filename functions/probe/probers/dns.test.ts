import { createServer } from "node:net";
import type { Answer } from "dns-packet";
import { describe, expect, it } from "vitest";
import { type DnsAnswer, dnsServer } from "../dns.fixtures.ts";
import { closedPort, listening, measured, type ProbeOnceOptions, probeOnce } from "../fixtures.ts";
import { proberContract } from "../prober.contract.ts";
import { dns } from "./dns.ts";

const at = (port: number): string => `127.0.0.1:${port}`;
const probe = (port: number, settings: Record<string, unknown> = {}, options: ProbeOnceOptions = {}) =>
  probeOnce(dns, { name: "api.example.com", resolvers: [at(port)], ...settings }, options);
const a = (...addresses: string[]): Answer[] => addresses.map((data) => ({ type: "A", name: "api.example.com", data }));
const secret = "c4n4ry-S3cret/value";

proberContract({
  prober: dns,
  settings: (port) => ({
    name: "api.example.com",
    resolvers: [at(port)],
    transport: "tcp",
    expect: { TXT: [{ secret: "canary" }] },
  }),
  healthy: () => dnsServer((name) => ({ answers: [{ type: "TXT", name, data: secret }] })),
  echo: (text) => text,
  misbehaviours: {
    "answers with a message that is cut off": (socket) =>
      socket.on("data", () => socket.end(Buffer.from([0, 40, 1, 2]))),
    "answers another question": (socket) =>
      socket.on("data", () => socket.write(Buffer.from([0, 12, ...Array(12).fill(0)]))),
    "answers with names that point at themselves": (socket) =>
      socket.on("data", (data: Buffer) => {
        const answer = Buffer.concat([data.subarray(2), Buffer.from([0xc0, data.length - 2, 0, 16, 0, 1])]);
        answer[2] = 0x80;
        answer[7] = 1;
        socket.write(Buffer.concat([Buffer.from([0, answer.length]), answer]));
      }),
  },
});

describe("dns", () => {
  it.each(["udp", "tcp"])("looks up a name over %s and measures", async (transport) => {
    const port = await dnsServer(() => ({ answers: a("203.0.113.7", "203.0.113.8") }));
    const result = await probe(port, { transport, expect: { A: ["203.0.113.8", "203.0.113.7"] } });
    expect(result.failure).toBeUndefined();
    expect(measured(result, "dns_lookup_time")).toBeGreaterThan(0);
    expect(result.measurements).toContainEqual({
      metric: "dns_records",
      value: 2,
      labels: { resolver: at(port), type: "A" },
    });
  });

  it("queries every type, and follows no alias into another type", async () => {
    const records: Record<string, Answer[]> = {
      A: [{ type: "CNAME", name: "x", data: "lb.example.com" }, ...a("203.0.113.7")],
      AAAA: [{ type: "AAAA", name: "x", data: "2001:db8::7" }],
      CAA: [{ type: "CAA", name: "x", data: { flags: 0, tag: "issue", value: "letsencrypt.org" } }],
      CNAME: [{ type: "CNAME", name: "x", data: "LB.example.com" }],
      MX: [{ type: "MX", name: "x", data: { preference: 10, exchange: "mail.example.com" } }],
      NS: [{ type: "NS", name: "x", data: "ns1.example.com" }],
      PTR: [{ type: "PTR", name: "x", data: "host.example.com" }],
      SOA: [{ type: "SOA", name: "x", data: { mname: "ns1.example.com", rname: "root.example.com", serial: 7 } }],
      SRV: [{ type: "SRV", name: "x", data: { priority: 0, weight: 5, port: 5060, target: "sip.example.com" } }],
      TXT: [{ type: "TXT", name: "x", data: ["v=spf1 ", "-all"] }],
    };
    const port = await dnsServer((_name, type) => ({ answers: records[type] ?? [] }));
    const expected = {
      A: ["203.0.113.7"],
      AAAA: ["2001:0db8:0::7"],
      CAA: ["0 issue letsencrypt.org"],
      CNAME: ["lb.example.com."],
      MX: ["10 mail.example.com"],
      NS: ["ns1.example.com"],
      PTR: ["host.example.com"],
      SOA: ["ns1.example.com root.example.com 7"],
      SRV: ["0 5 5060 sip.example.com"],
      TXT: ["v=spf1 -all"],
    };
    expect((await probe(port, { expect: expected })).failure).toBeUndefined();
  });

  it.each<[string, DnsAnswer, Record<string, unknown>, object]>([
    ["a name that does not exist", { rcode: 3 }, {}, { kind: "dns", code: "NXDOMAIN" }],
    ["a server that failed", { rcode: 2 }, {}, { kind: "dns", code: "SERVFAIL" }],
    ["a server that refuses", { rcode: 5 }, {}, { kind: "dns", code: "REFUSED" }],
    ["a name without the record", {}, { types: ["MX"] }, { kind: "dns", code: "NODATA" }],
    [
      "another address",
      { answers: a("203.0.113.9") },
      { expect: { A: ["203.0.113.7"] } },
      {
        kind: "body",
        code: "MISMATCH",
        message: expect.stringContaining("answered 203.0.113.9, expected 203.0.113.7, "),
      },
    ],
    [
      "an address too many",
      { answers: a("203.0.113.7", "203.0.113.9") },
      { expect: { A: ["203.0.113.7"] } },
      { kind: "body", code: "MISMATCH" },
    ],
  ])("reports %s", async (_what, answer, settings, failure) => {
    const { failure: seen } = await probe(await dnsServer(() => answer), settings);
    expect(seen).toMatchObject({ ...failure, phase: "lookup" });
    expect(seen?.message).toMatch(/^the DNS server 127\.0\.0\.1:\d+ .*of api\.example\.com$/);
  });

  it("queries non-ASCII names in their DNS form", async () => {
    const names: string[] = [];
    const port = await dnsServer((name) => {
      names.push(name);
      return { answers: a("203.0.113.7") };
    });
    expect((await probe(port, { name: "Müller.example.com" })).failure).toBeUndefined();
    expect((await probe(port, { name: "_dmarc.example.com" })).failure).toBeUndefined();
    expect(names).toEqual(["xn--mller-kva.example.com", "_dmarc.example.com"]);
  });

  it("retries over TCP if a response is too long for UDP", async () => {
    const port = await dnsServer(() => ({ truncated: true, answers: a("203.0.113.7") }));
    expect((await probe(port)).failure).toBeUndefined();
  });

  it("retries if a datagram is lost", async () => {
    let asked = 0;
    const port = await dnsServer(() => (++asked === 1 ? undefined : { answers: a("203.0.113.7") }));
    expect((await probe(port)).failure).toBeUndefined();
    expect(asked).toBe(2);
  });

  it("names the resolver with a wrong answer", async () => {
    const good = await dnsServer(() => ({ answers: a("203.0.113.7") }));
    const bad = await dnsServer(() => ({ rcode: 2 }));
    const result = await probe(good, { resolvers: [at(good), at(bad)] });
    expect(result.failure).toMatchObject({
      code: "SERVFAIL",
      message: expect.stringContaining(`1 of 2 lookups failed: the DNS server ${at(bad)} answered that it failed`),
    });
    const closed = await probe(good, { resolvers: [at(good), at(await closedPort())] });
    expect(closed.failure).toMatchObject({ kind: "refused", code: "ECONNREFUSED" });
  });

  it("connects to every address and names the one that fails", async () => {
    const port = await listening(createServer((socket) => socket.end()));
    const resolver = await dnsServer(() => ({ answers: a("127.0.0.1", "127.0.0.2") }));
    const result = await probe(resolver, { connect: port });
    expect(result.failure).toMatchObject({
      kind: "refused",
      phase: "connect",
      message: expect.stringMatching(/^1 of 2 addresses of api\.example\.com do not accept .*: 127\.0\.0\.2:/),
    });
    expect(measured(result, "dns_address_success")).toBe(0.5);
    const both = await dnsServer(() => ({ answers: a("127.0.0.1") }));
    expect((await probe(both, { connect: port })).failure).toBeUndefined();
  });

  it.each([
    [{ name: "https://a.example" }, "must be a host name"],
    [{ name: "a.example", resolvers: ["dns.google"] }, "must be an address such as 8.8.8.8"],
    [{ name: "a.example", resolvers: ["1.2.3.4:99999"] }, "must be an address such as 8.8.8.8"],
    [{ name: "a.example", types: ["MX"], connect: 25 }, "connect requires addresses"],
  ])("rejects %j", (settings, message) => {
    expect(dns.settings.safeParse(settings).error?.issues[0]?.message).toContain(message);
  });
});

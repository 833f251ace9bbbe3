import { createServer } from "node:http";
import {
  createServer as createTlsServer,
  getCACertificates,
  setDefaultCACertificates,
  type TlsOptions,
} from "node:tls";
import { describe, expect, it } from "vitest";
import { type Issued, issue, listening, measured, probeOnce, tcpServer } from "../fixtures.ts";
import { proberContract } from "../prober.contract.ts";
import { tls } from "./tls.ts";

/** In seconds. */
const day = 86_400;
const root = await issue({ name: "Test Root", until: 100 });
const middle = await issue({ name: "Test Middle", issuer: root, until: 60 });
const good = await issue({ name: "good", issuer: middle, hosts: ["localhost", "127.0.0.1"], until: 90 });

const serve = (options: TlsOptions): Promise<number> => listening(createTlsServer(options, (socket) => socket.end()));
const serveGood = (options: TlsOptions = {}): Promise<number> =>
  serve({ cert: good.cert + middle.cert, key: good.key, ...options });
const probe = (port: number, settings: Record<string, unknown> = {}, timeoutMs = 5_000) =>
  probeOnce(
    tls,
    { host: "localhost", port, ip_version: 4, tls: { ca: { secret: "ca" } }, ...settings },
    { timeoutMs, secrets: { ca: root.cert } },
  );

proberContract({
  prober: tls,
  settings: (port) => ({ host: "127.0.0.1", port, tls: { ca: { secret: "canary" } } }),
  secrets: { canary: root.cert },
  healthy: serveGood,
  echo: (text) => text,
});

describe("tls", async () => {
  it("measures the handshake and the expiry of the certificates", async () => {
    const result = await probe(await serveGood());
    expect(result.failure).toBeUndefined();
    expect(measured(result, "tls_handshake_time")).toBeGreaterThan(0);
    expect((measured(result, "tls_leaf_certificate_expiry") ?? 0) / day).toBeCloseTo(90, 1);
    expect((measured(result, "tls_certificate_expiry") ?? 0) / day).toBeCloseTo(60, 1);
    expect(result.findings).toMatchObject([{ check: "tls_version", ok: true, observed: "TLSv1.3" }]);
  });

  it("fails before a certificate of the chain expires", async () => {
    const port = await serveGood();
    expect((await probe(port, { min_validity: "59d" })).failure).toBeUndefined();
    const soon = await probe(port, { min_validity: "61d" });
    expect(soon.failure).toMatchObject({
      kind: "tls",
      phase: "tls",
      message: expect.stringMatching(/^the certificate of Test Middle expires in 59 d 23 h, expected at least 61d$/),
    });
    expect((measured(soon, "tls_certificate_expiry") ?? 0) / day).toBeCloseTo(60, 1);
  });

  const nameless = await issue({ name: "nameless", issuer: root, hosts: [] });
  const elsewhere = await issue({ name: "elsewhere", issuer: root, hosts: ["*.example.com"] });
  const expired = await issue({ name: "expired", issuer: root, hosts: ["localhost"], from: -40, until: -10 });
  const early = await issue({ name: "early", issuer: root, hosts: ["localhost"], from: 10 });
  const alone = await issue({ name: "alone", hosts: ["localhost"] });
  const foreignRoot = await issue({ name: "Foreign Root" });
  const foreign = await issue({ name: "foreign", issuer: foreignRoot, hosts: ["localhost"] });
  const date = (offset: number): string => new Date(Date.now() + offset * day * 1000).toISOString().slice(0, 10);
  it.each([
    ["expired", expired, "", `the certificate of expired expired on ${date(-10)}`, -10],
    ["not yet valid", early, "", `the certificate of early is not valid before ${date(10)}`, 30],
    ["of another host", elsewhere, "", "the certificate is for *.example.com, not for localhost", 30],
    ["for no host at all", nameless, "", "the certificate is for nameless, not for localhost", 30],
    ["self-signed", alone, "", "the certificate of alone is self-signed", 30],
    ["of a foreign authority", foreign, foreignRoot.cert, "the chain ends in an untrusted authority: Foreign Root", 30],
    [
      "with an incomplete chain",
      good,
      "",
      "the chain is incomplete: the server did not send the certificate of the issuer Test Middle, and it is not a trusted authority",
      90,
    ],
  ])("rejects a certificate %s, and still measures its expiry", async (_what, { cert, key }, more, message, days) => {
    const result = await probe(await serve({ cert: cert + more, key }), { min_validity: "0s" });
    expect(result.failure).toMatchObject({ kind: "tls", phase: "tls", message, signal: "certificate" });
    expect((measured(result, "tls_leaf_certificate_expiry") ?? 0) / day).toBeCloseTo(days, 1);
  });

  it("sends server_name as SNI, and verifies the certificate against it", async () => {
    const chosen: string[] = [];
    const port = await serve({
      cert: elsewhere.cert,
      key: elsewhere.key,
      SNICallback: (name, done) => {
        chosen.push(name);
        done(null);
      },
    });
    expect((await probe(port, { server_name: "api.example.com" })).failure).toBeUndefined();
    expect((await probe(port)).failure).toMatchObject({ message: expect.stringContaining("not for localhost") });
    expect(chosen).toEqual(["api.example.com", "localhost"]);
  });

  it.each([
    ["api.example.com.", "api.example.com"],
    ["Müller.example.com", "xn--mller-kva.example.com"],
  ])("sends the name %s in the form that SNI requires", async (server_name, asked) => {
    const chosen: string[] = [];
    const port = await serve({
      cert: elsewhere.cert,
      key: elsewhere.key,
      SNICallback: (name, done) => {
        chosen.push(name);
        done(null);
      },
    });
    expect((await probe(port, { server_name })).failure).toBeUndefined();
    expect(chosen).toEqual([asked]);
  });

  it("requires a minimum TLS version", async () => {
    const old = await serveGood({ maxVersion: "TLSv1.2" });
    expect((await probe(old)).failure).toBeUndefined();
    const result = await probe(old, { min_version: "1.3" });
    expect(result.failure).toEqual({
      kind: "tls",
      phase: "tls",
      message: "the server chose TLSv1.2, expected TLSv1.3 or newer",
    });
    expect(result.findings).toMatchObject([{ ok: false, observed: "TLSv1.2", expected: "TLSv1.3 or newer" }]);
  });

  it("distinguishes a server that does not speak TLS from one that sends nothing", async () => {
    const plain = await listening(createServer());
    expect((await probe(plain)).failure).toMatchObject({
      kind: "tls",
      phase: "tls",
      message: `localhost:${plain} (127.0.0.1) does not speak TLS: use its TLS port, or connect without TLS`,
    });
    const silent = await tcpServer(() => {});
    expect((await probe(silent, {}, 200)).failure).toEqual({
      kind: "timeout",
      phase: "tls",
      message: `the probe timed out while performing the TLS handshake with localhost:${silent} (127.0.0.1): it may be overloaded, or may not speak TLS on this port`,
    });
  });

  it("reports a server that requires a client certificate", async () => {
    const port = await serveGood({ requestCert: true, rejectUnauthorized: true, maxVersion: "TLSv1.2" });
    expect((await probe(port)).failure).toMatchObject({ phase: "tls" });
  });
});

describe("tls with a renewed authority", async () => {
  /** The same name and key, with other dates or another signer. */
  const again = (old: Issued, name: string, until: number, issuer?: Issued): Promise<Issued> =>
    issue({ name, keys: old.keys, from: -400, until, ...(issuer ? { issuer } : {}) });
  const authority = await issue({ name: "Authority", until: 50 });
  const expiredAuthority = await again(authority, "Authority", -1);
  const olderAuthority = await again(authority, "Authority", 20);
  const nextAuthority = await issue({ name: "Authority", keys: authority.keys, from: 1, until: 900 });
  const rekeyed = await issue({ name: "Authority", until: 800 });
  const middle = await issue({ name: "Middle", issuer: authority, until: 70 });
  const expiredMiddle = await again(middle, "Middle", -1, authority);
  const olderMiddle = await again(middle, "Middle", 20, authority);
  const host = await issue({ name: "host", issuer: middle, hosts: ["localhost"], until: 90 });
  // Another authority has cross-signed this one, once with long validity and once until yesterday, and was renewed itself.
  const other = await issue({ name: "Other", until: 60 });
  const expiredOther = await again(other, "Other", -1);
  const cross = await again(authority, "Authority", 40, other);
  const expiredCross = await again(authority, "Authority", -1, other);
  const stranger = await issue({ name: "Stranger", until: 900 });
  const crossOfStranger = await again(authority, "Authority", 900, stranger);

  const renewed = (sent: readonly Issued[], trusted: readonly Issued[], settings = {}) =>
    serve({ cert: [host, ...sent].map(({ cert }) => cert).join(""), key: host.key }).then((port) =>
      probeOnce(
        tls,
        { host: "localhost", port, ip_version: 4, tls: { ca: { secret: "ca" } }, min_validity: "0s", ...settings },
        { secrets: { ca: trusted.map(({ cert }) => cert).join("\n") } },
      ),
    );

  it.each<[string, Issued[], Issued[], number]>([
    ["an expired root before it", [middle], [expiredAuthority, authority], 50],
    ["an expired root after it", [middle], [authority, expiredAuthority], 50],
    ["expired roots on both sides", [middle], [expiredAuthority, authority, expiredAuthority], 50],
    ["a root that expires sooner before it", [middle], [olderAuthority, authority], 50],
    ["a root that expires sooner after it", [middle], [authority, olderAuthority], 50],
    ["a root that is not valid yet before it", [middle], [nextAuthority, authority], 50],
    ["a root of the same name and another key after it", [middle], [authority, rekeyed], 50],
    ["an expired root that is sent", [middle, expiredAuthority], [authority], 50],
    ["an expired intermediate that is sent before it", [expiredMiddle, middle], [authority], 50],
    ["an expired intermediate that is sent after it", [middle, expiredMiddle], [authority], 50],
    ["an older intermediate that is sent before it", [olderMiddle, middle], [authority], 50],
    ["an expired intermediate that is trusted", [middle], [expiredMiddle, authority], 50],
    ["a certificate that has no part in it", [rekeyed, middle], [authority], 50],
    ["a cross-signed twin that expires sooner", [middle, cross], [authority, other], 50],
    ["an expired cross-signed twin", [middle, expiredCross], [authority, other], 50],
    ["an expired cross-signed twin before the good one", [middle, expiredCross, cross], [other], 40],
    ["an expired cross-signed twin after the good one", [middle, cross, expiredCross], [other], 40],
    ["a cross-signed twin in place of an expired root", [middle, cross], [expiredAuthority, other], 40],
    ["a cross-signed twin in place of a root that is not valid yet", [middle, cross], [nextAuthority, other], 40],
    ["a cross-signed twin, its root renewed as well", [cross, middle], [expiredAuthority, expiredOther, other], 40],
    ["a cross-signed twin of an expired authority", [middle, cross], [authority, expiredOther], 50],
    ["a cross-signed twin of an authority that is not trusted", [middle, crossOfStranger], [authority], 50],
    [
      "everything at once",
      [cross, expiredMiddle, expiredCross, middle],
      [expiredOther, expiredAuthority, other, authority],
      50,
    ],
    ["a cross-signed twin that is trusted", [middle], [cross, expiredAuthority, other], 40],
  ])("takes the expiry of the chain that is valid longest, with %s", async (_what, sent, trusted, days) => {
    const result = await renewed(sent, trusted);
    expect(result.failure).toBeUndefined();
    expect((measured(result, "tls_certificate_expiry") ?? 0) / day).toBeCloseTo(days, 1);
    expect((measured(result, "tls_leaf_certificate_expiry") ?? 0) / day).toBeCloseTo(90, 1);
  });

  it("names the certificate of the chain that expires first", async () => {
    const { failure } = await renewed([middle, expiredCross], [expiredAuthority, authority], { min_validity: "60d" });
    expect(failure?.message).toMatch(/^the certificate of Authority expires in 49 d 23 h, expected at least 60d$/);
  });

  it.each<[string, Issued[], Issued[], string, number]>([
    ["every root", [middle], [expiredAuthority], "Authority", -1],
    ["every intermediate", [expiredMiddle], [authority, expiredAuthority], "Middle", -1],
    ["every cross-signed twin and root", [middle, expiredCross], [expiredAuthority, other], "Authority", -1],
  ])("fails if %s has expired", async (_what, sent, trusted, name, days) => {
    const result = await renewed(sent, trusted);
    const date = new Date(Date.now() - day * 1000).toISOString().slice(0, 10);
    expect(result.failure?.message).toBe(`the certificate of ${name} expired on ${date}`);
    expect((measured(result, "tls_certificate_expiry") ?? 0) / day).toBeCloseTo(days, 1);
  });

  it("fails if the root is not valid yet", async () => {
    const result = await renewed([middle], [nextAuthority]);
    const date = new Date(Date.now() + day * 1000).toISOString().slice(0, 10);
    expect(result.failure?.message).toBe(`the certificate of Authority is not valid before ${date}`);
  });

  it("is not delayed by a server that sends many authorities of one name", async () => {
    const many = await Promise.all(Array.from({ length: 40 }, (_, at) => again(authority, "Authority", 100 + at)));
    const result = await renewed([middle, ...many], [authority]);
    expect(result.failure).toBeUndefined();
    expect((measured(result, "tls_certificate_expiry") ?? 0) / day).toBeCloseTo(50, 1);
  });

  it("does the same with the authorities of the system", async () => {
    const before = getCACertificates("default");
    const port = await serve({ cert: host.cert + middle.cert + cross.cert, key: host.key });
    const expiries: (number | undefined)[] = [];
    for (const trusted of [
      [expiredAuthority, authority],
      [authority, expiredAuthority],
      [expiredAuthority, other],
    ]) {
      setDefaultCACertificates([...before, ...trusted.map(({ cert }) => cert)]);
      const result = await probeOnce(tls, { host: "localhost", port, ip_version: 4, min_validity: "0s" });
      expect(result.failure).toBeUndefined();
      expiries.push(Math.round((measured(result, "tls_certificate_expiry") ?? 0) / day));
    }
    setDefaultCACertificates(before);
    expect(expiries).toEqual([50, 50, 40]);
  });
});

describe("tls settings", () => {
  it.each([
    [{ host: "" }, "must be a host name or an address"],
    [{ host: "a", min_version: "1.1" }, 'expected one of "1.2"|"1.3"'],
    [{ host: "a", min_validity: 14 }, "must be a duration, and 14 has no unit: write 14s"],
  ])("rejects %j", (settings, sentence) => {
    const parsed = tls.settings.safeParse(settings);
    expect(parsed.error?.message).toContain(JSON.stringify(sentence).slice(1, -1));
  });
});

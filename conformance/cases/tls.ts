/** Certificates and handshakes. */
import type { TlsOptions } from "node:tls";
import type { CertificateOptions, Issued } from "../../functions/probe/certificates.fixtures.ts";
import type { Case, Check, Verdict } from "../case.ts";
import { certificate, goodLeaf, root, type Stand } from "../stand.ts";

/** Properties of the certificate of a case, apart from being for localhost. */
type Leaf = Omit<CertificateOptions, "name"> & { readonly name?: string };

const check = async (port: number, name = "localhost"): Promise<Check> => ({
  protocol: "tls",
  // Names below localhost do not resolve to an IPv4 address everywhere.
  ...(name.endsWith(".localhost") ? { host: "localhost", serverName: name } : { host: name }),
  port,
  ca: (await root()).cert,
});

const bad = (says: RegExp, phase = "tls"): Verdict => ({ kind: "tls", phase, says });

/** A server with a certificate that differs from a valid one in this property. */
const leaf = (name: string, differs: () => Promise<Leaf>, verdict: Verdict, host?: string): Case => ({
  name,
  verdict,
  serve: async (stand) => {
    const { cert, key } = await certificate(name, {
      name: "localhost",
      issuer: await root(),
      hosts: ["localhost"],
      ...(await differs()),
    });
    return check(await stand.tls({ cert, key }), host);
  },
});

/** A server with a chain. */
const chain = (
  name: string,
  make: () => Promise<{ leaf: Issued; sent: readonly Issued[]; ca?: string }>,
  verdict: Verdict,
): Case => ({
  name,
  verdict,
  serve: async (stand) => {
    const { leaf: own, sent, ca } = await make();
    const port = await stand.tls({ cert: [own, ...sent].map(({ cert }) => cert).join(""), key: own.key });
    return { protocol: "tls", host: "localhost", port, ca: ca ?? (await root()).cert };
  },
});

/** A valid certificate, and a handshake that fails in this way. */
const handshake = (name: string, options: TlsOptions, verdict: Verdict): Case => ({
  name,
  verdict,
  serve: async (stand) => {
    const { cert, key } = await goodLeaf();
    return check(await stand.tls({ cert, key, ...options }));
  },
});

/** A server that answers the ClientHello with these bytes. */
const bytes = (name: string, answer: string | Buffer, verdict: Verdict, keepOpen = true): Case => ({
  name,
  verdict,
  serve: async (stand) => check(await stand.says(answer, keepOpen)),
  ...(typeof verdict === "object" && verdict.kind === "timeout" ? { timeoutMs: 400 } : {}),
});

/** A fatal alert of TLS. @see RFC 8446, 6 */
const alert = (name: string, code: number, says: RegExp): Case =>
  bytes(`answers with the alert ${name}`, Buffer.from([0x15, 3, 3, 0, 2, 2, code]), bad(says));

const intermediate = async (key: string, more: Leaf = {}): Promise<Issued> =>
  certificate(key, { name: "Conformance Intermediate", issuer: await root(), ...more });

const serveWith = (serve: (stand: Stand) => Promise<Check>, name: string, verdict: Verdict): Case => ({
  name,
  verdict,
  serve,
});

/** The cases. */
export const tlsCases: readonly Case[] = [
  leaf("has a good certificate", async () => ({}), "up"),
  leaf("has a certificate of its address", async () => ({ hosts: ["127.0.0.1"] }), "up", "127.0.0.1"),
  leaf(
    "has a wildcard certificate for its name",
    async () => ({ hosts: ["*.shop.localhost"] }),
    "up",
    "a.shop.localhost",
  ),
  leaf(
    "has an expired certificate",
    async () => ({ from: -40, until: -10 }),
    bad(/the certificate of localhost expired on \d{4}-\d\d-\d\d/),
  ),
  leaf(
    "has a certificate that is not valid yet",
    async () => ({ from: 5 }),
    bad(/the certificate of localhost is not valid before \d{4}-/),
  ),
  leaf(
    "has a certificate of another host",
    async () => ({ hosts: ["other.example.com"] }),
    bad(/the certificate is for other\.example\.com, not for localhost/),
  ),
  leaf(
    "has a certificate of a hundred other hosts",
    async () => ({ hosts: Array.from({ length: 100 }, (_, n) => `h${n}.example.com`) }),
    bad(/the certificate is for h0\.example\.com.* and 95 more, not for localhost/),
  ),
  leaf(
    "has a wildcard certificate one label too short",
    async () => ({ hosts: ["*.shop.localhost"] }),
    bad(/the certificate is for \*\.shop\.localhost, not for a\.b\.shop\.localhost/),
    "a.b.shop.localhost",
  ),
  leaf(
    "has its name as common name only",
    async () => ({ hosts: [] }),
    bad(/no subject alternative name.*common name, localhost, is not accepted/),
  ),
  leaf(
    "has a certificate of its name and not of its address",
    async () => ({ hosts: ["localhost"] }),
    bad(/the certificate is for localhost, not for 127\.0\.0\.1/),
    "127.0.0.1",
  ),
  {
    name: "has a self-signed certificate",
    verdict: bad(/the certificate of localhost is self-signed/),
    serve: async (stand) => {
      const { cert, key } = await certificate("self-signed", { name: "localhost", hosts: ["localhost"] });
      return check(await stand.tls({ cert, key }));
    },
  },
  leaf(
    "has a certificate of an authority that nobody knows",
    async () => ({ issuer: await certificate("stranger", { name: "Strange Root" }) }),
    bad(/the issuer Strange Root, and it is not a trusted authority|not trusted: Strange Root/),
  ),
  leaf(
    "has a certificate signed by another root of the same name",
    async () => ({ issuer: await certificate("twin", { name: "Conformance Root" }) }),
    bad(/localhost|Conformance Root/),
  ),
  chain(
    "sends the whole chain",
    async () => {
      const middle = await intermediate("intermediate");
      return {
        leaf: await certificate("below", { name: "localhost", issuer: middle, hosts: ["localhost"] }),
        sent: [middle],
      };
    },
    "up",
  ),
  chain(
    "sends the chain and the root, in the wrong order",
    async () => {
      const middle = await intermediate("intermediate");
      return {
        leaf: await certificate("below", { name: "localhost", issuer: middle, hosts: ["localhost"] }),
        sent: [await root(), middle],
      };
    },
    "up",
  ),
  chain(
    "leaves out the intermediate certificate",
    async () => {
      const middle = await intermediate("intermediate");
      return {
        leaf: await certificate("below", { name: "localhost", issuer: middle, hosts: ["localhost"] }),
        sent: [],
      };
    },
    bad(/incomplete: the server did not send the certificate of the issuer Conformance Intermediate/),
  ),
  chain(
    "sends an expired intermediate certificate",
    async () => {
      const middle = await intermediate("expired intermediate", { from: -40, until: -1 });
      return {
        leaf: await certificate("below expired", { name: "localhost", issuer: middle, hosts: ["localhost"] }),
        sent: [middle],
      };
    },
    bad(/the certificate of Conformance Intermediate expired on/),
  ),
  chain(
    "has a chain to a root that stands beside its expired twin",
    async () => {
      const fresh = await certificate("fresh", { name: "Renewed Root" });
      const old = await certificate("old", { name: "Renewed Root", keys: fresh.keys, from: -90, until: -1 });
      return {
        leaf: await certificate("renewed", { name: "localhost", issuer: fresh, hosts: ["localhost"] }),
        sent: [],
        ca: old.cert + fresh.cert,
      };
    },
    "up",
  ),
  chain(
    "sends the expired twin of an intermediate certificate as well",
    async () => {
      const fresh = await intermediate("fresh intermediate");
      const old = await certificate("old intermediate", {
        name: "Conformance Intermediate",
        issuer: await root(),
        keys: fresh.keys,
        from: -90,
        until: -1,
      });
      return {
        leaf: await certificate("below both", { name: "localhost", issuer: fresh, hosts: ["localhost"] }),
        sent: [fresh, old],
      };
    },
    "up",
  ),
  chain(
    "has a certificate whose issuer is not an authority",
    async () => {
      const plain = await certificate("no authority", {
        name: "someone",
        issuer: await root(),
        hosts: ["someone.example.com"],
      });
      return {
        leaf: await certificate("below none", { name: "localhost", issuer: plain, hosts: ["localhost"] }),
        sent: [plain],
      };
    },
    bad(/not an authority|incomplete/),
  ),
  ...(["", "not a certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] as const).map(
    (ca, at): Case =>
      serveWith(
        async (stand) => {
          const { cert, key } = await goodLeaf();
          return { protocol: "tls", host: "localhost", port: await stand.tls({ cert, key }), ca };
        },
        [
          "is verified by an empty authority",
          "is verified against a text that is not PEM",
          "is verified by a damaged authority",
        ][at] ?? "",
        {
          kind: "internal",
          phase: "settings",
          says: /^ca contains (no|an invalid) certificate: set it to the (complete certificates of the )?trusted authorities in PEM/,
        },
      ),
  ),
  handshake("offers TLS 1.2 only", { maxVersion: "TLSv1.2" }, "up"),
  handshake(
    "offers TLS 1.1 only",
    { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" },
    bad(/does not offer an accepted TLS version: enable TLS 1\.2 or 1\.3/),
  ),
  handshake(
    "offers no cipher that the client has",
    { maxVersion: "TLSv1.2", ciphers: "DHE-RSA-AES128-SHA" },
    bad(/no cipher in common|refused the TLS handshake/),
  ),
  alert("handshake_failure", 40, /refused the TLS handshake: it shares no cipher/),
  alert("protocol_version", 70, /does not offer an accepted TLS version/),
  alert("internal_error", 80, /ended the TLS handshake with the alert "internal error"/),
  alert("unrecognized_name", 112, /no certificate for this name \(SNI\)/),
  alert("no_application_protocol", 120, /does not support HTTP\/1\.1.*\(ALPN\)/),
  alert("certificate_required", 116, /client certificate/),
  alert("access_denied", 49, /client certificate/),
  alert("unknown_ca", 48, /client certificate/),
  alert("decode_error", 50, /ended the TLS handshake with the alert "decode error"/),
  alert("insufficient_security", 71, /refused the TLS handshake|insufficient security/),
  bytes(
    "speaks plain HTTP where TLS is asked for",
    "HTTP/1.1 400 Bad Request\r\n\r\n",
    bad(/localhost:\d+ \(127\.0\.0\.1\) does not speak TLS/),
  ),
  bytes("speaks SSH where TLS is asked for", "SSH-2.0-OpenSSH_9.9\r\n", bad(/does not speak TLS/)),
  bytes("speaks PostgreSQL where TLS is asked for", "E\0\0\0\u0085SFATAL\0", bad(/does not speak TLS/)),
  bytes("answers the ClientHello with garbage", Buffer.alloc(64, 0xa5), bad(/does not speak TLS/)),
  bytes(
    "closes at the ClientHello",
    "",
    {
      kind: "reset",
      phase: "tls",
      says: /closed the connection while performing the TLS handshake with localhost:\d+ \(127\.0\.0\.1\)/,
    },
    false,
  ),
  serveWith(
    async (stand) => check(await stand.tcp((socket) => socket.once("data", () => socket.resetAndDestroy()))),
    "resets at the ClientHello",
    { kind: "reset", phase: "tls", says: /closed the connection while performing the TLS handshake/ },
  ),
  serveWith(async (stand) => check(await stand.closedPort()), "is not there for TLS", {
    kind: "refused",
    phase: "connect",
    says: /localhost:\d+ \(127\.0\.0\.1\) refused the connection/,
  }),
  bytes("does not answer the ClientHello", "", {
    kind: "timeout",
    phase: "tls",
    says: /timed out while performing the TLS handshake with localhost:\d+ \(127\.0\.0\.1\)/,
  }),
  bytes("stops in the middle of its ServerHello", Buffer.from([0x16, 3, 3, 0, 122, 2, 0, 0, 118, 3, 3]), {
    kind: "timeout",
    phase: "tls",
    says: /timed out while performing the TLS handshake/,
  }),
  bytes(
    "closes in the middle of its ServerHello",
    Buffer.from([0x16, 3, 3, 0, 122, 2, 0, 0, 118, 3, 3]),
    { kind: "reset", phase: "tls", says: /closed the connection while performing the TLS handshake/ },
    false,
  ),
];

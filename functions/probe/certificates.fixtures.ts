/** Certificates created on the fly, valid and invalid, for tests and benchmarks. */
import "reflect-metadata";
import type { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

/** A certificate with its key, and the certificates that lead to it, in PEM. */
export interface Issued {
  readonly cert: string;
  readonly key: string;
  readonly certificate: x509.X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
}

/** Contents of a certificate. */
export interface CertificateOptions {
  readonly name: string;
  /** Without it the certificate is self-signed. */
  readonly issuer?: Issued;
  /** Names and addresses that it is for; a certificate without any is an authority. */
  readonly hosts?: readonly string[];
  /** Days from now. @default -1 */
  readonly from?: number;
  /** Days from now. @default 30 */
  readonly until?: number;
  /** Another key for the certificate, in PEM. @default a new one */
  readonly publicKey?: string;
  /** The keys of an older certificate that this one renews. @default new ones */
  readonly keys?: webcrypto.CryptoKeyPair;
}

/** Issues a certificate. */
export async function issue({
  name,
  issuer,
  hosts,
  from = -1,
  until = 30,
  publicKey,
  keys: old,
}: CertificateOptions): Promise<Issued> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = old ?? (await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]));
  const day = 86_400_000;
  const names = hosts?.map((host) => ({
    type: /^[\d.]+$/.test(host) ? ("ip" as const) : ("dns" as const),
    value: host,
  }));
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${name}`,
    issuer: issuer?.certificate.subject ?? `CN=${name}`,
    notBefore: new Date(Date.now() + from * day),
    notAfter: new Date(Date.now() + until * day),
    publicKey: publicKey === undefined ? keys.publicKey : new x509.PublicKey(publicKey),
    signingKey: (issuer?.keys ?? keys).privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(names === undefined, undefined, true),
      ...(names ? [new x509.SubjectAlternativeNameExtension(names)] : []),
    ],
  });
  const key = Buffer.from(await crypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
  return {
    cert: `${certificate.toString("pem")}\n`,
    key: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`,
    certificate,
    keys,
  };
}

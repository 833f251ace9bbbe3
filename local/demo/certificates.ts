/** The certificates of the demo's website, made when it starts: one that browsers accept, and some that they do not. */
import "reflect-metadata";
import type { webcrypto } from "node:crypto";
import { isIP } from "node:net";
import * as x509 from "@peculiar/x509";

/** A certificate with its key, both in PEM. */
export interface ServerCertificate {
  readonly cert: string;
  readonly key: string;
}

/** Certificate that an authority issued for one name. */
export interface Certificates {
  /** The authority's own certificate in PEM. Clients that trust it trust the others. */
  readonly authority: string;
  readonly good: ServerCertificate;
  /** Its last day was yesterday. */
  readonly expired: ServerCertificate;
  /** It is good, and that of another host. */
  readonly foreign: ServerCertificate;
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const dayMs = 86_400_000;

/** Makes an authority, and certificates of this name, of the others and of 127.0.0.1; one of another name. */
export async function makeCertificates(host: string, others: readonly string[] = []): Promise<Certificates> {
  const keys = await makeKeys();
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=Demo authority",
    keys,
    signingAlgorithm: algorithm,
    ...validity(-100, 365),
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  const issue = async (
    fromDays: number,
    untilDays: number,
    names = [host, ...others, "127.0.0.1"],
  ): Promise<ServerCertificate> => {
    const own = await makeKeys();
    const certificate = await x509.X509CertificateGenerator.create({
      subject: `CN=${names[0]}`,
      issuer: authority.subject,
      publicKey: own.publicKey,
      signingKey: keys.privateKey,
      signingAlgorithm: algorithm,
      ...validity(fromDays, untilDays),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.SubjectAlternativeNameExtension(
          names.map((value) => ({ type: isIP(value) === 0 ? "dns" : "ip", value })),
        ),
      ],
    });
    const key = await crypto.subtle.exportKey("pkcs8", own.privateKey);
    return { cert: certificate.toString("pem"), key: x509.PemConverter.encode(key, "PRIVATE KEY") };
  };
  return {
    authority: authority.toString("pem"),
    good: await issue(-30, 60),
    expired: await issue(-91, -1),
    foreign: await issue(-30, 60, [`other.${host}`]),
  };
}

function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

function validity(fromDays: number, untilDays: number): { readonly notBefore: Date; readonly notAfter: Date } {
  return { notBefore: new Date(Date.now() + fromDays * dayMs), notAfter: new Date(Date.now() + untilDays * dayMs) };
}

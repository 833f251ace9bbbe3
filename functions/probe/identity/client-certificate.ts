/** The configured client certificate for mutual TLS: its settings, and the certificate and key in PEM. */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { z } from "zod";
import { secretReference } from "../../../shared/config/fields.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { ProbeFault } from "../net/faults.ts";
import type { ClientCertificate } from "../net/trust.ts";
import type { ProbeWorld } from "../prober.ts";

/** The schema of `client_certificate`. */
export const clientCertificate = lazily(() =>
  z
    .strictObject({
      cert: secretReference().describe("The certificate in PEM, followed by any intermediate certificates."),
      key: secretReference().describe("The private key of the certificate, in PEM without a passphrase."),
    })
    .optional()
    .describe("The client certificate to present to a server that requests one (mutual TLS)."),
);

/** References to the certificate and its key. */
export type ClientCertificateSettings = z.output<ReturnType<typeof clientCertificate>>;

/** Reads the certificate and its key. @throws ProbeFault of the kind `internal` if they are invalid or not a pair: the target is not to blame */
export async function clientCertificateOf(
  settings: ClientCertificateSettings,
  world: ProbeWorld,
): Promise<ClientCertificate | undefined> {
  if (settings === undefined) return undefined;
  const cert = await world.resolve(settings.cert);
  const key = await world.resolve(settings.key);
  const certificate = attempted(() => new X509Certificate(cert));
  const privateKey = attempted<KeyObject>(() => createPrivateKey(key));
  if (!certificate) throw mistake(`the secret "${settings.cert.secret}" must contain a certificate in PEM`);
  if (!privateKey)
    throw mistake(`the secret "${settings.key.secret}" must contain a private key in PEM without a passphrase`);
  if (!certificate.checkPrivateKey(privateKey))
    throw mistake(
      `the key in "${settings.key.secret}" does not belong to the certificate in "${settings.cert.secret}"`,
    );
  return { cert, key };
}

function attempted<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function mistake(message: string): ProbeFault {
  return new ProbeFault("internal", `client_certificate: ${message}`);
}

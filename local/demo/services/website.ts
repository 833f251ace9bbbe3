/** The demo's website: one page, over TLS, with a certificate that a fault lets expire, or takes for that of another host. */
import { createServer } from "node:https";
import { makeCertificates } from "../certificates.ts";
import type { DemoFaults } from "../faults.ts";
import { close, listen, type Service } from "./http.ts";

/** The running website. */
export interface Website extends Service {
  /** In PEM: who trusts it trusts the website. */
  readonly authority: string;
  /** Shows the certificate that goes with the fault from now on. */
  setFault(fault: DemoFaults["certificate"]): void;
}

/** Starts the website. It needs nothing of the other services. */
export async function startWebsite(): Promise<Website> {
  const { authority, good, expired, foreign } = await makeCertificates("www.demo.localhost");
  const server = createServer(good, (_request, response) => {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end("<title>Demo</title><h1>Demo</h1>\n");
  });
  return {
    port: await listen(server),
    authority,
    setFault: (fault) => server.setSecureContext({ well: good, expired, foreign }[fault]),
    stop: () => close(server),
  };
}

/** Sends one push as the cloud does, and reads the answer as the cloud does. */
import { Agent, request } from "node:http";

/** Result of one push. */
export type PushOutcome = { readonly acknowledged: true } | { readonly acknowledged: false; readonly because: string };

/** Sends the JSON text `body` to `endpoint`; never rejects, and ends when `signal` is aborted. */
export type SendPush = (endpoint: URL, body: string, signal: AbortSignal) => Promise<PushOutcome>;

/** Pushes over connections that it keeps. */
export class PushSender {
  readonly #agent = new Agent({ keepAlive: true });

  readonly send: SendPush = (endpoint, body, signal) =>
    new Promise((resolve) => {
      const answered = (status: number): void =>
        resolve(
          acknowledgements.has(status)
            ? { acknowledged: true }
            : { acknowledged: false, because: `HTTP status ${status}` },
        );
      const failed = (error: Error): void =>
        resolve({ acknowledged: false, because: signal.aborted ? String(signal.reason) : error.message });
      request(endpoint, {
        method: "POST",
        agent: this.#agent,
        signal,
        headers: { ...headers, "content-length": Buffer.byteLength(body) },
      })
        .on("information", ({ statusCode }) => {
          if (acknowledgements.has(statusCode)) answered(statusCode);
        })
        .on("response", (response) => {
          response.on("error", failed);
          response.on("end", () => answered(response.statusCode ?? 0));
          response.resume();
        })
        .on("error", failed)
        .end(body);
    });

  /** Closes the connections. */
  close(): void {
    this.#agent.destroy();
  }
}

/** @see https://cloud.google.com/pubsub/docs/push#receive_push */
const acknowledgements: ReadonlySet<number> = new Set([102, 200, 201, 202, 204]);

/** As the cloud identifies itself, without the token that a function behind IAM would need. */
const headers = {
  accept: "application/json",
  "content-type": "application/json",
  from: "noreply@google.com",
  "user-agent": "CloudPubSub-Google",
};

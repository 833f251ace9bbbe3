/** Secrets from Secret Manager, read when they are needed and again after a while, so that a new version needs no new deployment. */
import { type Clock, type GoogleApi, GoogleApiError, type Secrets } from "../ports.ts";

/** Location of the secrets. */
export interface SecretManagerOptions {
  readonly google: GoogleApi;
  readonly projectId: string;
  /** Before the name that the configuration uses: the secret `ops-hook-url` is `PREFIX-ops-hook-url` there. */
  readonly prefix: string;
  readonly clock: Clock;
}

/** Time for which a value is cached, in milliseconds. */
const keptForMs = 5 * 60_000;

/** Secrets by the newest version that is enabled. A value that cannot be read again is used for as long as the process lives. */
export function secretManager({ google, projectId, prefix, clock }: SecretManagerOptions): Secrets {
  const known = new Map<string, { readonly value: string; readonly readAt: number }>();
  const reading = new Map<string, Promise<string>>();
  const fetchValue = async (name: string): Promise<string> => {
    const id = `${prefix}-${name}`;
    const url = `https://secretmanager.googleapis.com/v1/projects/${projectId}/secrets/${id}/versions/latest:access`;
    try {
      const answer = (await google.request({ url })) as { readonly payload?: { readonly data?: string } };
      const value = Buffer.from(answer.payload?.data ?? "", "base64")
        .toString("utf8")
        .replace(/\r?\n$/, "");
      known.set(name, { value, readAt: clock.now() });
      return value;
    } catch (cause) {
      const old = known.get(name);
      if (old !== undefined) return old.value;
      throw new Error(`the secret "${name}" is not to be had: ${advice(cause, id)}`, { cause });
    }
  };
  return {
    read(name) {
      const kept = known.get(name);
      if (kept !== undefined && clock.now() - kept.readAt < keptForMs) return Promise.resolve(kept.value);
      const pending = reading.get(name) ?? fetchValue(name).finally(() => reading.delete(name));
      reading.set(name, pending);
      return pending;
    },
  };
}

function advice(cause: unknown, id: string): string {
  if (!(cause instanceof GoogleApiError)) return (cause as Error).message;
  if (cause.status === 404)
    return `Secret Manager has no version of ${id}; add one: gcloud secrets versions add ${id} --data-file=-`;
  if (cause.status === 403) return `the function may not read ${id}: it needs roles/secretmanager.secretAccessor on it`;
  return `Secret Manager refused ${id}: ${cause.message}`;
}

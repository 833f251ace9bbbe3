/** The demo's auth service: `/health` asks the database, `/auth/login` and `/auth/logout` begin and end sessions in it. */

import type { DemoFaults } from "../faults.ts";
import { bearerOf, logIn, logOut, prepareAccounts } from "./accounts.ts";
import { atStart, type DatabaseAccess, health, makePool } from "./database.ts";
import { type Answer, bodyOf, close, jsonServer, listen, notFound, type Service } from "./http.ts";

/** Options of the service. */
export interface AuthOptions {
  readonly access: DatabaseAccess;
  /** The password of the only user, and a token of his that does not end. */
  readonly password: string;
  readonly lastingToken: string;
  /** Database timeout, in milliseconds. */
  readonly timeoutMs: number;
  readonly faults: () => DemoFaults;
}

/** Starts the auth service, with a small pool of its own. */
export async function startAuth({ access, password, lastingToken, timeoutMs, faults }: AuthOptions): Promise<Service> {
  await atStart(access, (pool) => prepareAccounts(pool, password, lastingToken));
  const pool = makePool(access, 3, timeoutMs);
  const unavailable = (error: Error): Answer => ({ status: 503, body: { error: `the database: ${error.message}` } });
  const server = jsonServer(async (request) => {
    switch (`${request.method} ${request.url}`) {
      case "GET /health":
        return await health(pool);
      case "POST /auth/login": {
        const { email, password: given } = ((await bodyOf(request)) ?? {}) as { email?: unknown; password?: unknown };
        const token = await logIn(pool, email, given).catch(unavailable);
        if (typeof token === "object") return token;
        // Without its key no token can be signed.
        if (faults().change === "secret") return { status: 500, body: { error: "no key to sign tokens with" } };
        if (token === undefined || faults().logins === "rejects")
          return { status: 401, body: { error: "invalid_credentials" } };
        return { status: 200, body: { token, token_type: "Bearer", user: { email } } };
      }
      case "POST /auth/logout": {
        const ended = await logOut(pool, bearerOf(request.headers.authorization) ?? "").catch(unavailable);
        if (typeof ended === "object") return ended;
        return ended ? { status: 200, body: { ok: true } } : { status: 401, body: { error: "no such session" } };
      }
      default:
        return notFound;
    }
  });
  return {
    port: await listen(server),
    stop: async () => {
      await close(server);
      await pool.end();
    },
  };
}

/** Accounts of the demo's application: one user and the login sessions, stored in the database. */
import { randomBytes, scryptSync, timingSafeEqual } from "node:crypto";
import type pg from "pg";
import { ask } from "./database.ts";

/** The user on whose behalf the probes log in. */
export const userEmail = "monitor@demo.localhost";

/** Makes the tables, the user with this password, and a session with this token that does not end. */
export async function prepareAccounts(pool: pg.Pool, password: string, lastingToken: string): Promise<void> {
  await ask(pool, "create table if not exists users (email text primary key, salt text not null, hash text not null)");
  await ask(
    pool,
    "create table if not exists sessions (token text primary key, email text not null, ends_at timestamptz not null)",
  );
  const salt = randomBytes(16).toString("base64url");
  await ask(
    pool,
    "insert into users values ($1, $2, $3) on conflict (email) do update set salt = excluded.salt, hash = excluded.hash",
    [userEmail, salt, hashOf(password, salt)],
  );
  await ask(pool, "insert into sessions values ($1, $2, 'infinity') on conflict (token) do nothing", [
    lastingToken,
    userEmail,
  ]);
}

/** Begins a session. @returns its token, or `undefined` where email and password do not belong together */
export async function logIn(pool: pg.Pool, email: unknown, password: unknown): Promise<string | undefined> {
  const [user] = await ask(pool, "select salt, hash from users where email = $1", [String(email)]);
  const [salt, hash] = [String(user?.["salt"]), String(user?.["hash"])];
  const given = hashOf(String(password), salt);
  if (given.length !== hash.length || !timingSafeEqual(Buffer.from(given), Buffer.from(hash))) return undefined;
  const token = randomBytes(24).toString("base64url");
  // Probes that are cut off leave sessions behind.
  await ask(pool, "delete from sessions where ends_at < now()");
  await ask(pool, "insert into sessions values ($1, $2, now() + interval '10 minutes')", [token, email]);
  return token;
}

/** Ends a session. @returns whether there was one */
export async function logOut(pool: pg.Pool, token: string): Promise<boolean> {
  const ended = await ask(pool, "delete from sessions where token = $1 and ends_at < 'infinity' returning token", [
    token,
  ]);
  return ended.length > 0;
}

/** Whose session a token is; `undefined` for one that is not valid. */
export async function whoIs(pool: pg.Pool, token: string): Promise<string | undefined> {
  const [session] = await ask(pool, "select email from sessions where token = $1 and ends_at > now()", [token]);
  return session === undefined ? undefined : String(session["email"]);
}

/** The token that a request carries: `Authorization: Bearer …`. */
export function bearerOf(authorization: string | undefined): string | undefined {
  return /^Bearer (\S+)$/.exec(authorization ?? "")?.[1];
}

function hashOf(password: string, salt: string): string {
  // Cheap: this is a demo on a small machine, and its only user is a probe.
  return scryptSync(password, salt, 32, { N: 1024 }).toString("base64url");
}

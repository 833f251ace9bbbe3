/**
 * Handles answers to notices: links opened by readers, and messages from other services. GET shows what a link would do. Only POST does it,
 * so mail scanners that visit every link change nothing. Nothing is read from the store before a signature is verified.
 */
import type { Configuration, ConfiguredChannel } from "../../../shared/config/model.ts";
import { incidentCollection } from "../../../shared/documents/incident.ts";
import { EditRefused, type Operator, writeEdit } from "../../../shared/operator-edits.ts";
import type { Clock, Logger, Secrets, Store } from "../../../shared/ports.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import type { AnyChannelKind } from "../channel.ts";
import { type Bucket, take } from "../deliver/pace.ts";
import { SecretFiller } from "../deliver/secrets.ts";
import { mayAct, recipientsOf } from "../plan/readers.ts";
import { type Act, actionTitles, editOf, usedBefore } from "./act.ts";
import type { AnswerRequest, IncomingAct } from "./incoming.ts";
import { digest, readAnswersKey, readLink, type SignedLink } from "./link.ts";
import { pageHeaders, questionPage, sentencePage } from "./page.ts";

/** Response to an answer request. */
export interface AnswerResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Dependencies of the answer handler. */
export interface AnswerWorld {
  readonly store: Pick<Store, "get" | "transaction">;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly configuration: Configuration;
  readonly kinds: Readonly<Record<string, AnyChannelKind>>;
  /** Base URL for answers, without a trailing slash. Links point to it, and forms are submitted from it. */
  readonly answersUrl: string;
  /** Posts JSON to the reply URL that a service supplied. */
  readonly reply: (url: string, body: object) => Promise<void>;
}

/** Rate limits, per minute and as a burst, for requests without a valid signature and for requests with the same signature. */
const unsignedPace = { perMinute: 120, atOnce: 60 } as const;
const signedPace = { perMinute: 20, atOnce: 10 } as const;

/** Maximum number of signatures whose requests are counted. The oldest are dropped first. */
const maxCounted = 1_000;

/** Creates the handler. It never throws: failures are logged and answered with 503. */
export function answerHandler(world: AnswerWorld): (request: AnswerRequest) => Promise<AnswerResponse> {
  const limits = new Limits();
  return async (request) => {
    try {
      const channel = /^\/channels\/([^/]+)$/.exec(request.path)?.[1];
      const response =
        channel === undefined
          ? await answerLink(request, world, limits)
          : await answerService(request, decoded(channel), world, limits);
      return request.method === "HEAD" ? { ...response, body: "" } : response;
    } catch (error) {
      world.logger.error(`an action could not be recorded: ${error instanceof Error ? error.message : String(error)}`);
      return page(
        503,
        "Not possible at the moment",
        "Your action could not be recorded. Try again in a minute, or use the command line or the console.",
      );
    }
  };
}

async function answerLink(request: AnswerRequest, world: AnswerWorld, limits: Limits): Promise<AnswerResponse> {
  const { store, secrets, clock, answersUrl } = world;
  if (!["GET", "HEAD", "POST"].includes(request.method))
    return {
      ...page(405, "Not allowed", "Open the link in a browser."),
      headers: { ...pageHeaders(), allow: "GET, HEAD, POST" },
    };
  const now = clock.now();
  const token = request.path.slice(1);
  const link = looksSigned.test(token) ? readLink(token, await readAnswersKey(secrets), now) : undefined;
  if (link === undefined || !isStillReader(link, world))
    return limits.take("", unsignedPace, now) ? page(404, "This link is not valid", notValid) : tooMany();
  if (!limits.take(link.id, signedPace, now)) return tooMany();
  if (link.isExpired)
    return page(410, "This link has expired", "Use the link in a newer notice, the command line or the console.");
  if (request.method !== "POST") {
    const document = await store.get(incidentCollection, link.incident);
    if (document === undefined) return page(404, "No such incident", "The incident does not exist any more.");
    const { incident, action } = link;
    const refusal = refusalOf(() => editOf(document, link, now));
    return refusal === undefined
      ? {
          status: 200,
          headers: pageHeaders(),
          body: questionPage({ incident, document, action, reader: link.recipient }),
        }
      : {
          status: 200,
          headers: pageHeaders(),
          body: sentencePage(actionTitles[action], `${capitalized(refusal)}.`, { incident, document }),
        };
  }
  if (!isOwnForm(request, answersUrl))
    return page(403, "Not from this page", "The form must be sent from the page that the link opens.");
  const written = new URLSearchParams(Buffer.from(request.body).toString()).get("name")?.trim() ?? "";
  const by = link.recipient ?? (written === "" ? `somebody in ${link.channel}` : `${written} (${link.channel})`);
  const { done, status } = await write(link, link.incident, { by, via: "with a link" }, world);
  return page(status, actionTitles[link.action], done);
}

async function answerService(
  request: AnswerRequest,
  name: string,
  world: AnswerWorld,
  limits: Limits,
): Promise<AnswerResponse> {
  const now = world.clock.now();
  if (request.method !== "POST") return text(405, "send a POST", { allow: "POST" });
  const act = await actOf(request, name, world, now);
  if (act === "refused")
    return limits.take("", unsignedPace, now) ? text(401, "the signature is not valid") : tooMany();
  if (act === "ignored") return text(200, "nothing to do");
  const { reply, via, incident, by } = act;
  const { done, status } = await write(
    act,
    incident,
    { by: by.trim() === "" ? `somebody in ${name}` : by, via },
    world,
  );
  if (reply !== undefined) {
    await world.reply(reply.url, reply.body(done)).catch((error: Error) => {
      world.logger.warning(`${name} could not be told the result of an action: ${error.message}`);
    });
  }
  // Services repeat refused requests, and a permanent refusal would only be refused again.
  return text(status === 503 ? 503 : 200, done);
}

/** Reads a message that a service sent to a channel. Returns `refused` also if the channel does not exist or accepts no messages. */
async function actOf(
  request: AnswerRequest,
  name: string,
  { configuration, kinds, secrets }: AnswerWorld,
  now: number,
): Promise<(IncomingAct & { readonly via: string }) | "refused" | "ignored"> {
  const channel = configuration.channels.find((one) => one.name === name);
  const kind = channel && ownEntry(kinds, channel.kind);
  const incoming = kind?.incoming;
  if (channel === undefined || kind === undefined || incoming === undefined) return "refused";
  const settings = kind.settings.safeParse(channel.settings);
  const secret: unknown = settings.success ? ownEntry(settings.data, incoming.setting) : undefined;
  if (typeof secret !== "string") return "refused";
  const value = await new SecretFiller(secrets).text(secret);
  if (value === "") return "refused";
  const act = incoming.read(request, value, now, settings.data);
  return typeof act === "string"
    ? act
    : { ...act, id: digest(`${name}\n${act.id}`).slice(0, 22), via: incoming.via(settings.data) };
}

/** Writes the edit of an action, and returns the result as text. */
async function write(
  act: Act,
  incident: string,
  operator: Operator,
  { store, clock, logger }: AnswerWorld,
): Promise<{ readonly done: string; readonly status: number }> {
  try {
    const edit = await writeEdit(store, incident, operator, (document) => editOf(document, act, clock.now()));
    if (edit === undefined) return { done: "The incident does not exist any more.", status: 404 };
    logger.info(`${incident} ${edit.done}, by ${operator.by}, ${operator.via}`);
    return { done: `The incident ${edit.done}. The monitor applies this within a minute.`, status: 200 };
  } catch (error) {
    if (!(error instanceof EditRefused)) throw error;
    return { done: `${capitalized(error.message)}.`, status: error.message === usedBefore ? 410 : 409 };
  }
}

/** Returns whether the channel of a link still lets its readers act, and still includes the link's reader. */
function isStillReader({ channel: name, recipient }: SignedLink, { configuration, kinds }: AnswerWorld): boolean {
  const channel: ConfiguredChannel | undefined = configuration.channels.find((one) => one.name === name);
  if (channel === undefined || !mayAct(channel, kinds)) return false;
  return recipient === undefined || recipientsOf(channel, kinds).includes(recipient);
}

/**
 * Returns whether a form was submitted from one of our own pages. Browsers state the source in `Origin`, and in `Sec-Fetch-Site`, which a
 * page cannot forge. https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
 */
function isOwnForm({ headers }: AnswerRequest, answersUrl: string): boolean {
  const { origin, "sec-fetch-site": site, "content-type": type = "" } = headers;
  if (!type.startsWith("application/x-www-form-urlencoded")) return false;
  if (origin === undefined && site === undefined) return false;
  return (
    (origin ?? new URL(answersUrl).origin) === new URL(answersUrl).origin && (site ?? "same-origin") === "same-origin"
  );
}

/** Format of a signed link. The key is not read for anything else. */
const looksSigned = /^[\w-]{20,2000}\.[0-9a-z]{7}\.[\w-]{43}$/;

const notValid =
  "It was changed, is incomplete, or was sent to somebody who may no longer act on incidents. Use the command line or the console.";

/** In-memory token buckets of this instance, by key. */
class Limits {
  readonly #buckets = new Map<string, Bucket>();

  /** Returns whether one more request is within the limit. */
  take(key: string, pace: Parameters<typeof take>[1], now: number): boolean {
    const taken = take(this.#buckets.get(key), pace, "critical", now);
    if (!taken.taken) return false;
    this.#buckets.delete(key);
    this.#buckets.set(key, taken.bucket);
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > maxCounted && oldest !== undefined) this.#buckets.delete(oldest);
    return true;
  }
}

function tooMany(): AnswerResponse {
  const response = page(429, "Too many requests", "Try again in a minute.");
  return { ...response, headers: { ...response.headers, "retry-after": "60" } };
}

function page(status: number, title: string, sentence: string): AnswerResponse {
  return { status, headers: pageHeaders(), body: sentencePage(title, sentence) };
}

function text(status: number, body: string, headers: Readonly<Record<string, string>> = {}): AnswerResponse {
  return { status, headers: { "content-type": "text/plain; charset=utf-8", ...headers }, body: `${body}\n` };
}

function refusalOf(edit: () => unknown): string | undefined {
  try {
    edit();
    return undefined;
  } catch (error) {
    if (error instanceof EditRefused) return error.message;
    throw error;
  }
}

function capitalized(sentence: string): string {
  return `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

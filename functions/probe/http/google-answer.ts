/**
 * Responses that come from Google itself instead of the application: from its front ends, Cloud Run, load balancers, IAP and Cloud Armor.
 * They are recognized by their texts and headers, never by their status alone: an application answers 403, 404 and 429 as well.
 */
import type { Failure } from "../../../shared/messages/report.ts";

/** Headers by their names in lower case. */
type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** The Google component that responded, and what the response means, as the end of a sentence. */
export interface GoogleAnswer {
  readonly by: NonNullable<Failure["answered_by"]>;
  readonly means: string;
}

/** Returns the Google component that responded; `undefined` for a response that may be the application's own. @param body or its beginning */
export function googleAnswer(status: number, headers: Headers, body: string): GoogleAnswer | undefined {
  if (status < 400) return undefined;
  const text = body.slice(0, longest).replaceAll(/\s+/g, " ").trim();
  return answers.find((one) => one.statuses.includes(status) && one.is(text, headers));
}

/** The sentence to append to a message. */
export function shownGoogleAnswer({ by, means }: GoogleAnswer): string {
  return `; answered by ${names[by]}, not by the application: ${means}`;
}

/** Number of characters of a body that are searched: Google's pages are short. */
const longest = 4_000;

const names: Readonly<Record<GoogleAnswer["by"], string>> = {
  "cloud-run": "Cloud Run",
  "load-balancer": "the load balancer",
  "front-end": "Google's front end",
  iap: "Identity-Aware Proxy",
  "cloud-armor": "Cloud Armor",
};

interface Known extends GoogleAnswer {
  readonly statuses: readonly number[];
  is(text: string, headers: Headers): boolean;
}

/** Returns whether a text is an error page of Google's front ends: a headline, and a sentence below it. */
function isPage(text: string, sentence: RegExp): boolean {
  return /<h1>Error: [^<]+<\/h1> ?<h2>/i.test(text) && sentence.test(text);
}

/** The known responses; the first match counts. */
const answers: readonly Known[] = [
  {
    by: "iap",
    means:
      "IAP does not accept the identity: set id_token to the OAuth client ID of IAP, and grant the identity access",
    statuses: [401, 403],
    is: (text, headers) =>
      headers["x-goog-iap-generated-response"] !== undefined ||
      /^(Invalid IAP credentials|Invalid GCIP ID token)/.test(text),
  },
  {
    by: "cloud-run",
    means:
      "the caller may not invoke the service: set id_token and grant roles/run.invoker, or allow unauthenticated calls",
    statuses: [401, 403],
    is: (text) => isPage(text, /Your client does not have permission to (get URL|the requested URL)/),
  },
  {
    by: "cloud-run",
    means: "no instance was available: the service is at its maximum number of instances, or starts too slowly",
    statuses: [429],
    is: (text) => /^Rate exceeded\.?$/.test(text),
  },
  {
    by: "cloud-run",
    means: "no such service at this address, or its ingress setting does not admit the caller",
    statuses: [404],
    is: (text) => isPage(text, /The requested URL( <code>.{0,300}<\/code>)? was not found on this server/),
  },
  {
    by: "cloud-run",
    means: "no instance could answer: it failed to start, crashed, or ran out of memory",
    statuses: [500, 503],
    is: (text) =>
      isPage(text, /The service you requested is not available|The server encountered an error and could not complete/),
  },
  {
    by: "load-balancer",
    means: "no backend is healthy",
    statuses: [503],
    is: (text) => /^no healthy upstream$/.test(text),
  },
  {
    by: "load-balancer",
    means: "the backend was unreachable, or closed the connection before it answered",
    statuses: [502, 503],
    is: (text) =>
      /^upstream connect error or disconnect\/reset before headers/.test(text) ||
      isPage(text, /The server encountered a temporary error and could not complete your request/),
  },
  {
    by: "load-balancer",
    means: "the backend did not answer within its timeout",
    statuses: [408, 504],
    is: (text) =>
      /^(upstream request timeout|stream timeout)$/.test(text) ||
      isPage(text, /The server encountered a temporary error|did not receive a timely response|took too long/),
  },
  {
    by: "load-balancer",
    means: "no rule of the load balancer matches this host and path",
    statuses: [404],
    is: (text) => /^(default backend - 404|response 404 \(backend NotFound\), service rules for)/.test(text),
  },
  {
    by: "cloud-armor",
    means: "a security policy rule denies the request",
    statuses: [403, 429, 404, 502],
    is: (text) =>
      /^<!doctype html><meta charset="?utf-8"?><meta name="?viewport"?.{0,80}<title>(\d{3})<\/title>\1 \w/i.test(text),
  },
  {
    by: "front-end",
    means: "the address belongs to Google, and nothing is published under this host and path",
    statuses: [400, 403, 404, 405, 411, 413, 429, 500, 502, 503],
    is: (text) => /<title>Error \d{3} \([^<]{1,60}\)!!1?<\/title>/.test(text) && /www\.google\.com/.test(text),
  },
];

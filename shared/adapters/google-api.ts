/** Google's APIs over REST, with the identity that the platform gives the function. The library that knows it is loaded when first needed. */
import type { GoogleAuth } from "google-auth-library";
import { type GoogleApi, GoogleApiError, type GoogleRequest } from "../ports.ts";

/** The longest answer that is read, in bytes: a page of a thousand time series is far below it. */
const longestAnswer = 16 * 1024 * 1024;

/** The OAuth scope of all reads; roles decide what is allowed. */
const scope = "https://www.googleapis.com/auth/cloud-platform";

/**
 * Google's APIs.
 * @param stand a URL below which all of them are found instead, each by its host name, and which wants no token: the demo, or a test
 */
export function googleApi(stand?: string): GoogleApi {
  const { accessToken, idToken } = stand === undefined ? identity() : noIdentity;
  return {
    accessToken,
    idToken,
    async request({ method = "GET", url, body, upload, signal }: GoogleRequest) {
      const token = await accessToken();
      const target = stand === undefined ? url : `${stand}/${url.replace(/^https:\/\//, "")}`;
      const content = upload?.content ?? (body === undefined ? undefined : JSON.stringify(body));
      const answer = await exchange(target, {
        method,
        redirect: "error",
        headers: {
          authorization: `Bearer ${token}`,
          ...(content === undefined ? {} : { "content-type": upload?.contentType ?? "application/json" }),
        },
        ...(content === undefined ? {} : { body: content }),
        ...(signal === undefined ? {} : { signal }),
      });
      if (answer.ok) return answer.json;
      throw refusal(answer.status, answer.json);
    },
  };
}

/** Tokens of an identity. */
type Identity = Pick<GoogleApi, "accessToken" | "idToken">;

const noIdentity: Identity = { accessToken: async () => "no-token", idToken: async () => "no-token" };

/** Gives tokens of the function's own identity, which are kept until they expire. */
function identity(): Identity {
  let auth: Promise<GoogleAuth> | undefined;
  const library = (): Promise<GoogleAuth> => {
    auth ??= import("google-auth-library").then(({ GoogleAuth }) => new GoogleAuth({ scopes: [scope] }));
    return auth;
  };
  const idTokens = new Map<string, Promise<{ getRequestHeaders(): Promise<Headers> }>>();
  return {
    accessToken: () => given(async () => await (await library()).getAccessToken()),
    idToken: (audience) =>
      given(async () => {
        const client = idTokens.get(audience) ?? library().then((own) => own.getIdTokenClient(audience));
        idTokens.set(audience, client);
        try {
          return (await (await client).getRequestHeaders()).get("authorization")?.replace(/^Bearer /, "");
        } catch (error) {
          idTokens.delete(audience);
          throw error;
        }
      }),
  };
}

/** The token that was given. @throws GoogleApiError */
async function given(ask: () => Promise<string | null | undefined>): Promise<string> {
  try {
    const token = await ask();
    if (token) return token;
  } catch (cause) {
    const message = `no identity for requests to Google: ${(cause as Error).message}`;
    throw new GoogleApiError(message, 0, "NO_IDENTITY", { cause });
  }
  throw new GoogleApiError("no identity for requests to Google", 0, "NO_IDENTITY");
}

interface Answer {
  readonly ok: boolean;
  readonly status: number;
  readonly json: unknown;
}

async function exchange(url: string, request: RequestInit): Promise<Answer> {
  const { host } = new URL(url);
  try {
    const response = await fetch(url, request);
    const json = parsed(await bodyOf(response));
    if (response.ok && json === undefined) throw new Error("the response is not JSON");
    return { ok: response.ok, status: response.status, json };
  } catch (cause) {
    if (request.signal?.aborted) throw request.signal.reason;
    throw new GoogleApiError(`${host} gave no answer: ${whyNot(cause as Error)}`, 0, "UNREACHABLE", { cause });
  }
}

/** Why there is no answer, in words: `fetch` puts the error of the network into the cause of its own. */
function whyNot(error: Error): string {
  const { code = "", message } = (error.cause ?? error) as NodeJS.ErrnoException;
  const known = networkFaults.find(({ codes }) => codes.test(code));
  if (known) return known.say;
  if (/unexpected redirect/.test(message)) return "it redirected elsewhere, which is not followed";
  return code === "" ? message : `the connection failed (${code.toLowerCase().replaceAll("_", " ")})`;
}

const networkFaults: readonly { readonly codes: RegExp; readonly say: string }[] = [
  { codes: /^ECONNREFUSED$/, say: "it refused the connection" },
  { codes: /^(ECONNRESET|EPIPE|UND_ERR_SOCKET)$/, say: "it closed the connection" },
  { codes: /^(ETIMEDOUT|UND_ERR_(CONNECT|HEADERS|BODY)_TIMEOUT)$/, say: "it did not answer in time" },
  { codes: /^(EHOSTUNREACH|ENETUNREACH)$/, say: "there is no route to it" },
  { codes: /^(ENOTFOUND|EAI_AGAIN)$/, say: "its name cannot be resolved" },
  { codes: /CERT|^ERR_TLS_/, say: "its certificate is not accepted" },
  { codes: /^(HPE_|UND_ERR_HEADERS_OVERFLOW|UND_ERR_RES)/, say: "it does not speak HTTP" },
];

async function bodyOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > longestAnswer) throw new Error(`its answer is longer than ${longestAnswer} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Google's error: `{ error: { code, message, status, details: [{ reason }] } }`. */
interface ErrorBody {
  readonly error?: {
    readonly message?: string;
    readonly status?: string;
    readonly details?: readonly { readonly reason?: string }[];
  };
}

function refusal(status: number, json: unknown): GoogleApiError {
  const error = (json as ErrorBody | undefined)?.error;
  const reason = error?.details?.find((detail) => detail.reason !== undefined)?.reason ?? error?.status;
  return new GoogleApiError(error?.message ?? `status ${status}`, status, reason ?? `HTTP_${status}`);
}

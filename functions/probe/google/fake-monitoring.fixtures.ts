/** A fake of Google's APIs for tests: it answers in their formats with the data of a test, and rejects the requests that they reject. */
import { createServer } from "node:http";
import type { Socket } from "node:net";
import { listening } from "../fixtures.ts";

/** One series, in the format of `timeSeries.list`. */
export interface FakeSeries {
  /** By their full names, such as `metric.labels.state`. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Newest first: the end of the point's period in minutes before now, and its value. */
  readonly points: readonly (readonly [minutesAgo: number, value: object])[];
}

/** The answer for a metric: series, or a refusal. */
export type FakeResponse = readonly FakeSeries[] | { readonly status: number; readonly body: unknown };

/** A running fake. */
export interface FakeMonitoring {
  readonly port: number;
  /** Base URL of Google's APIs. */
  readonly url: string;
  /** The received requests, by the type of the metric. */
  readonly asked: Record<string, URLSearchParams[]>;
}

/** An integer, a double and a boolean, in Google's format. */
export const int = (value: number): object => ({ int64Value: String(value) });
/** @see int */
export const double = (value: number): object => ({ doubleValue: value });
/** @see int */
export const bool = (value: boolean): object => ({ boolValue: value });

/** One series without labels. */
export function one(value: object, minutesAgo = 4): readonly FakeSeries[] {
  return [{ points: [[minutesAgo, value]] }];
}

/** An error in Google's format. */
export function refusal(code: number, status: string, message: string, reason?: string): FakeResponse {
  const details =
    reason === undefined ? {} : { details: [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason }] };
  return { status: code, body: { error: { code, message, status, ...details } } };
}

/** Starts a fake of Cloud Monitoring. Any other metric has no points. @param answers by the type of the metric */
export async function fakeMonitoring(answers: Readonly<Record<string, FakeResponse>>): Promise<FakeMonitoring> {
  const asked: Record<string, URLSearchParams[]> = {};
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "", "http://fake");
    const query = url.searchParams;
    const type = /metric\.type = "([^"]+)"/.exec(query.get("filter") ?? "")?.[1] ?? "";
    asked[type] = [...(asked[type] ?? []), query];
    const answer = mistakeIn(url) ?? answers[type] ?? [];
    const [status, body] =
      "status" in answer
        ? [answer.status, answer.body]
        : [200, { timeSeries: answer.filter(isAskedFor(query)).map((one) => seriesOf(type, one)) }];
    response.writeHead(status, { "content-type": "application/json", connection: "close" }).end(JSON.stringify(body));
  });
  const port = await listening(server);
  return { port, url: `http://127.0.0.1:${port}`, asked };
}

/** Returns the refusal of a request that Google rejects for any metric. */
function mistakeIn(url: URL): FakeResponse | undefined {
  const { pathname, searchParams } = url;
  const wrong = (what: string): FakeResponse => refusal(400, "INVALID_ARGUMENT", what);
  if (!/^\/monitoring\.googleapis\.com\/v3\/projects\/[^/]+\/timeSeries$/.test(pathname))
    return refusal(404, "NOT_FOUND", `the fake has no ${pathname}`);
  if (searchParams.get("view") !== "FULL") return wrong("view must be set");
  const start = Date.parse(searchParams.get("interval.startTime") ?? "");
  const end = Date.parse(searchParams.get("interval.endTime") ?? "");
  if (!(start < end)) return wrong("the interval is empty");
  if (end > Date.now() + 60_000) return wrong("the interval ends in the future");
  const period = Number(/^(\d+)s$/.exec(searchParams.get("aggregation.alignmentPeriod") ?? "")?.[1]);
  if (!(period >= 60)) return wrong("aggregation.alignmentPeriod must be at least 60s");
  const reduces = searchParams.get("aggregation.crossSeriesReducer") !== "REDUCE_NONE";
  if (!reduces && searchParams.has("aggregation.groupByFields")) return wrong("groupByFields without a reducer");
  return undefined;
}

/** If a series has a label that the filter names, the values must match. */
function isAskedFor(query: URLSearchParams): (series: FakeSeries) => boolean {
  const wanted = [...(query.get("filter") ?? "").matchAll(/(\w+\.labels\.\w+) = "([^"]*)"/g)];
  return ({ labels = {} }) => wanted.every(([, label = "", value = ""]) => (labels[label] ?? value) === value);
}

function seriesOf(type: string, { labels = {}, points }: FakeSeries): object {
  const own = (of: string): object =>
    Object.fromEntries(
      Object.entries(labels)
        .filter(([name]) => name.startsWith(`${of}.labels.`))
        .map(([name, value]) => [name.slice(`${of}.labels.`.length), value]),
    );
  const minute = 60_000;
  const now = Math.floor(Date.now() / minute) * minute;
  return {
    metric: { type, labels: own("metric") },
    resource: { type: "any", labels: own("resource") },
    metricKind: "GAUGE",
    valueType: "DOUBLE",
    points: points.map(([minutesAgo, value]) => ({
      interval: {
        startTime: new Date(now - (minutesAgo + 1) * minute).toISOString(),
        endTime: new Date(now - minutesAgo * minute).toISOString(),
      },
      value,
    })),
  };
}

/** A complete HTTP response: a Google error that contains a text wherever the format allows one. */
export function echoedError(text: string): string {
  const error = { code: 503, message: text, status: text, details: [{ reason: text, metadata: { text } }] };
  const body = JSON.stringify({ error });
  return `HTTP/1.1 503 ${text}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`;
}

/** Ways in which one of Google's APIs can misbehave in HTTP, in addition to those of any target. */
export const apiMisbehaviours: Readonly<Record<string, (socket: Socket) => void>> = {
  "answers with a body that is no JSON": answering("200 OK", "<html>"),
  "answers with another JSON": answering("200 OK", '{"timeSeries":[{"points":[{"value":"c4n4ry"}]}],"events":[7]}'),
  "answers with an error in HTML": answering("502 Bad Gateway", "<html>bad gateway</html>"),
  "redirects elsewhere": answering("302 Found", "", "Location: http://127.0.0.1:1/\r\n"),
  "promises more than it sends": (socket) =>
    socket.on("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{")),
  "begins an answer and falls silent": (socket) =>
    socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{")),
  "never ends its list": (socket) => {
    const head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[";
    const pour = (): void => {
      while (socket.writable && socket.write("7,".repeat(32_768)));
    };
    socket.on("drain", pour).once("data", () => {
      socket.write(head);
      pour();
    });
  },
};

function answering(status: string, body: string, headers = ""): (socket: Socket) => void {
  const length = Buffer.byteLength(body);
  const answer = `HTTP/1.1 ${status}\r\n${headers}Content-Length: ${length}\r\nConnection: close\r\n\r\n${body}`;
  return (socket) => socket.on("data", () => socket.end(answer));
}

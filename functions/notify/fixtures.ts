/** Shared fixtures for the tests of this folder: one incident, one configuration, and real servers on this machine. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type ParsedMail, simpleParser } from "mailparser";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { MemoryPublisher, MemoryStore } from "../../shared/adapters/memory.ts";
import type { Configuration, ConfiguredChannel, Route } from "../../shared/config/model.ts";
import type { IncidentEvent } from "../../shared/messages/incident-event.ts";
import type { PushedMessage } from "../../shared/messages/push.ts";
import type { Fields, Logger, Secrets } from "../../shared/ports.ts";
import { topics } from "../../shared/topology.ts";
import type { Notice } from "./channel.ts";
import { channels as kinds } from "./channels/index.ts";
import { type Delivery, type DeliveryStatus, deliveryId, type LedgerEntry } from "./deliver/ledger.ts";
import { type Send, sender } from "./deliver/send.ts";
import { notifyHandler } from "./handler.ts";

/** Noon on the day of the outage, in milliseconds since the epoch. */
export const noon: number = Date.parse("2025-09-16T12:00:00Z");

/** Builds the first event of an incident, with `changes` applied. */
export function incidentEvent(changes: Partial<IncidentEvent> = {}): IncidentEvent {
  return {
    v: 1,
    at: "2025-09-16T12:00:00.000Z",
    incident: "20250916-120000-vpc-connector",
    event: "opened",
    severity: "critical",
    root_cause: "vpc-connector",
    verdict: "platform",
    confidence: 0.9,
    components: ["vpc-connector", "backend"],
    alerts: ["connector full", "backend-health failing"],
    summary: "The VPC connector is saturated; the backend answers 503.",
    environment: "netra-staging",
    sequence: 1,
    occurrence: 1,
    change: "The incident was opened.",
    title: "Netra staging: VPC connector failing",
    status: "open",
    priority: "P0",
    impact: "$500K+ ARR pipeline blocked",
    evidence: ["The connector is at 98 % of its capacity.", "The same target answers through the other path."],
    whys: ["The backend answers 503.", "Because it gets no database connection."],
    opened_at: "2025-09-16T12:00:00.000Z",
    first_failure_at: "2025-09-16T11:58:00.000Z",
    ...changes,
  };
}

/** Builds the document of an incident from its event. */
export function documentOf({ opened_at, first_failure_at, resolved_at, ...event }: IncidentEvent): Fields {
  const instants = { opened_at, first_failure_at, resolved_at };
  return {
    ...(JSON.parse(JSON.stringify(event)) as Fields),
    ...Object.fromEntries(Object.entries(instants).map(([name, at]) => [name, at === undefined ? null : new Date(at)])),
  };
}

/** Builds the event that resolves the incident. */
export function resolvedEvent(changes: Partial<IncidentEvent> = {}): IncidentEvent {
  return incidentEvent({
    event: "resolved",
    status: "resolved",
    sequence: 2,
    at: "2025-09-16T12:30:00.000Z",
    resolved_at: "2025-09-16T12:30:00.000Z",
    change: "Everything was validated.",
    ...changes,
  });
}

/** Builds the notice of an event for the channel `ops`. */
export function noticeOf(event: IncidentEvent): Notice {
  return {
    event,
    environment: "Netra staging",
    timezone: "Europe/Berlin",
    channel: "ops",
    components: configurationOf([]).components,
    rootCause: { title: "VPC connector", team: "infrastructure" },
    url: `https://console.example.com/incidents/${encodeURIComponent(event.incident)}?project=netra&view=panel`,
    key: deliveryId(event, "ops"),
    thread: deliveryId({ incident: event.incident, event: "opened", occurrence: 1 }, "ops"),
    threadTitle: event.title,
  };
}

/** Builds ledger entries: events and their statuses in one channel. */
export function heldLedger(
  channel: string,
  events: readonly (readonly [Partial<IncidentEvent>, DeliveryStatus])[],
): LedgerEntry[] {
  return events.map(([changes, status]) => {
    const event = incidentEvent(changes);
    const delivery: Delivery = {
      incident: event.incident,
      event: event.event,
      channel,
      kind: channel === "mail" ? "email" : "webhook",
      sequence: event.sequence,
      at: new Date(event.at),
      title: event.title,
      status,
      reason: "",
      attempts: [],
      attempt_count: 0,
      planned_at: new Date(noon),
      expires_at: new Date(noon),
      ...(status === "delivered" ? { delivered_at: new Date(event.at) } : {}),
    };
    return { id: deliveryId(event, channel), delivery };
  });
}

/** Builds a configuration with these channels. Without routes, every event goes to every channel. */
export function configurationOf(channels: readonly ConfiguredChannel[], routes?: readonly Route[]): Configuration {
  return {
    environment: "netra-staging",
    title: "Netra staging",
    timezone: "Europe/Berlin",
    components: [
      { name: "vpc-connector", title: "VPC connector", layer: "platform", dependsOn: [], team: "infrastructure" },
      { name: "backend", title: "Backend", layer: "application", dependsOn: ["vpc-connector"] },
    ],
    probes: [],
    rules: [],
    baselines: [],
    recovery: { stages: [] },
    channels,
    routes: routes ?? [{ channels: channels.map(({ name }) => name) }],
  };
}

/** Serves secrets from a table. */
export function secretsOf(table: Readonly<Record<string, string>>): Secrets {
  return {
    read: async (name) => {
      const value = table[name];
      if (value === undefined) throw new Error(`no secret ${name} in the table`);
      return value;
    },
  };
}

/** Creates a logger that keeps its lines. */
export function rememberingLogger(): Logger & { readonly lines: string[] } {
  const lines: string[] = [];
  const log =
    (level: string) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
    };
  return { lines, info: log("info"), warning: log("warning"), error: log("error") };
}

/** A received request. */
export interface Received {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A server on this machine, with the messages it received, oldest first. */
export interface Inbox<T> extends AsyncDisposable {
  readonly url: string;
  readonly received: readonly T[];
}

/** Starts a web server that records each request and then runs the given response handler. */
export async function webInbox(
  answer: (response: ServerResponse, count: number, request: IncomingMessage) => void = (response) =>
    response.end("ok"),
): Promise<Inbox<Received>> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    received.push({ url: request.url ?? "", headers: request.headers as Record<string, string>, body });
    answer(response, received.length, request);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Starts a mail server that records the mails it receives. */
export async function mailInbox(options: SMTPServerOptions = {}): Promise<Inbox<ParsedMail>> {
  const received: ParsedMail[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    onData: (stream, _session, done) => {
      simpleParser(stream).then((mail) => {
        received.push(mail);
        done();
      }, done);
    },
    ...options,
  });
  // Tests include peers that disconnect in the middle.
  server.on("error", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`,
    received,
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => server.close(resolve));
    },
  };
}

/** The notify function with a world controlled by the test. */
export interface NotifyWorldForTests {
  readonly store: MemoryStore;
  readonly publisher: MemoryPublisher;
  readonly logger: ReturnType<typeof rememberingLogger>;
  readonly clock: { time: number };
  readonly handle: ReturnType<typeof notifyHandler>;
  /** Delivers an event, then the retries that channels still need, and returns the result: `done`, or the errors. */
  push(event: IncidentEvent, extra?: Partial<PushedMessage>): Promise<string>;
  /** Returns the documents of the ledger: `opened:ops` -> `delivered`, with the reason where there was a choice. */
  ledger(): Promise<Record<string, string>>;
  /** Returns the field `deliveries` of the incident. */
  summary(): Promise<unknown>;
}

/** Creates such a world, at noon. */
export function notifyWorld(given: {
  readonly channels: readonly ConfiguredChannel[];
  readonly routes?: readonly Route[];
  readonly secrets?: Readonly<Record<string, string>>;
  readonly send?: (send: Send) => Send;
  /** Store with the state of an earlier configuration. @default empty */
  readonly store?: MemoryStore;
}): NotifyWorldForTests {
  const store = given.store ?? new MemoryStore();
  const publisher = new MemoryPublisher();
  const logger = rememberingLogger();
  const clock = { time: noon, now: () => clock.time };
  const send = sender(secretsOf(given.secrets ?? {}), { deadlineMs: 2_000 });
  const world = {
    store,
    publisher,
    logger,
    clock,
    kinds,
    configuration: configurationOf(given.channels, given.routes),
    send: given.send?.(send) ?? send,
  };
  const handle = notifyHandler(world);
  const push = async (event: IncidentEvent, extra: Partial<PushedMessage> = {}): Promise<string> => {
    const message = {
      messageId: "1",
      attributes: {},
      data: event,
      subscription: "",
      publishedAt: clock.time,
      ...extra,
    };
    const ends: string[] = [];
    const pushed = (one: PushedMessage, path: string): Promise<unknown> =>
      handle(one, path).catch((error: Error) => ends.push(`${error.name}: ${error.message}`));
    const before = publisher.published.length;
    await pushed(message, "/notifications");
    const owed = publisher.published.slice(before).filter(({ topic }) => topic === topics.retries);
    for (const { data, attributes } of owed) await pushed({ ...message, data, attributes }, "/retries");
    return ends.length === 0 ? "done" : ends.join("; ");
  };
  const ledger = async (): Promise<Record<string, string>> => {
    const found = await store.query({ collection: "deliveries" });
    return Object.fromEntries(
      found.map(({ id, fields }) => [
        id.slice(id.indexOf(":") + 1),
        fields["status"] === "delivered" || fields["status"] === "retrying"
          ? String(fields["status"])
          : `${fields["status"]}: ${fields["reason"]}`,
      ]),
    );
  };
  const summary = async (): Promise<unknown> =>
    (await store.get("incidents", incidentEvent().incident))?.["deliveries"];
  return { store, publisher, logger, clock, handle, push, ledger, summary };
}

/** Builds a webhook channel that posts to this machine. */
export function webHook(
  name: string,
  url: string,
  settings: Readonly<Record<string, unknown>> = {},
): ConfiguredChannel {
  return { name, kind: "webhook", settings: { url, allow_private: true, ...settings } };
}

/**
 * Mail servers and webhooks that misbehave, on real connections: they greylist, respond slowly, late or never, hang up, or refuse one of
 * many recipients. Runs on virtual time with the real sender and a notifier that crashes at every step. The ledger of each reader must match
 * what its server accepted, and every reader notified of the opening must be notified of the end.
 */
import { createServer as createWebServer } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { text as readText } from "node:stream/consumers";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { type Delivery, mayHaveArrived, parseDelivery } from "../functions/notify/deliver/ledger.ts";
import { includedInResolution } from "../functions/notify/deliver/order.ts";
import { sender } from "../functions/notify/deliver/send.ts";
import { secretsOf } from "../functions/notify/fixtures.ts";
import { readerName } from "../shared/documents/delivery-summary.ts";
import type { Fate, Moment, Step } from "./support/faulty-ports.ts";
import { announce, minute, notifierWorld, start } from "./support/notifier-world.ts";
import { shopWith } from "./support/shop.ts";

// One run for every step that waits for a response.
vi.setConfig({ testTimeout: 240_000 });

const incident = "20250916-120000-database";

/** Reaction of a receiver to an attempt: whether it accepts it, and whether it responds. */
interface Reaction {
  readonly takes: boolean;
  /** The status, with a text. `silence` keeps the connection open, `hang up` ends it. */
  readonly answer: string | "silence" | "hang up";
  /** Delay of the response, in milliseconds. */
  readonly afterMs?: number;
}

/** @param attempt number of times that this notice was sent to this reader, from 1 @param minutes since the first attempt */
type Behaviour = (attempt: number, minutes: number) => Reaction;

const takes = (answer: string, afterMs = 0): Reaction => ({ takes: true, answer, afterMs });
const refuses = (answer: string): Reaction => ({ takes: false, answer });

const mails: Readonly<Record<string, Behaviour>> = {
  "greylists for a minute": (_, minutes) => (minutes < 1 ? refuses("451 greylisted") : takes("250 ok")),
  "is out of space once": (attempt) => (attempt === 1 ? refuses("452 no space") : takes("250 ok")),
  "answers the final dot late": () => takes("250 ok", 10),
  "hangs up before its final answer, once": (attempt) => (attempt === 1 ? takes("hang up") : takes("250 ok")),
  "never gives its final answer": () => takes("silence"),
  "refuses one of its recipients": () => refuses("550 no such user"),
};

const hooks: Readonly<Record<string, Behaviour>> = {
  "is overloaded for a minute": (_, minutes) => (minutes < 1 ? refuses("503 busy") : takes("200 ok")),
  "asks to come back later": (attempt) => (attempt === 1 ? refuses("429 later") : takes("200 ok")),
  "answers late": () => takes("200 ok", 10),
  "hangs up before its answer, once": (attempt) => (attempt === 1 ? takes("hang up") : takes("200 ok")),
  "lets the first answer be waited for": (attempt) => (attempt === 1 ? takes("silence") : takes("200 ok")),
  "refuses everything": () => refuses("400 no"),
};

/** The log of a receiver, through all runs of a test. */
class Receiver {
  now: () => number = () => 0;
  /** `bob@example.com opened` with its idempotency key, once for each time that it was accepted. */
  taken: { readonly notice: string; readonly key: string }[] = [];
  readonly #first = new Map<string, number>();
  readonly #attempts = new Map<string, number>();

  /** Clears the log for another run. */
  reset(now: () => number): void {
    this.now = now;
    this.taken = [];
    this.#first.clear();
    this.#attempts.clear();
  }

  react(notice: string, key: string, behaviour: Behaviour): Reaction {
    const first = this.#first.get(notice) ?? this.now();
    this.#first.set(notice, first);
    const attempt = (this.#attempts.get(notice) ?? 0) + 1;
    this.#attempts.set(notice, attempt);
    const reaction = behaviour(attempt, (this.now() - first) / minute);
    if (reaction.takes) this.taken.push({ notice, key });
    return reaction;
  }
}

/** Returns the event that a key is about, and the incident if it is another one. */
function noticeOf(reader: string, key: string): string {
  const [about = "", event = ""] = key.replace(/^</, "").split(/[.:]/);
  return `${reader} ${event}${about === incident ? "" : " of the monitor"}`;
}

/** A mail server that sends every reply character by character. It serves ann normally, and shows the behaviour to all others. */
function mailServer(receiver: Receiver, behaviour: Behaviour): Server {
  return createServer((socket) => {
    socket.on("error", () => {}).setNoDelay();
    const say = (line: string): void => {
      for (const letter of `${line}\r\n`) socket.write(letter);
    };
    const answer = ({ answer: what, afterMs = 0 }: Reaction): void => {
      if (what === "hang up") socket.destroy();
      else if (what !== "silence") setTimeout(say, afterMs, what);
    };
    let recipient = "";
    let body: string | undefined;
    let rest = "";
    const onLine = (line: string): void => {
      if (body !== undefined) {
        if (line !== ".") {
          body += `${line}\n`;
          return;
        }
        const key = /^Message-ID:\s*(\S+)/im.exec(body)?.[1] ?? "";
        body = undefined;
        const usual: Behaviour = () => takes("250 ok");
        const own = recipient.startsWith("ann@") ? usual : behaviour;
        answer(receiver.react(noticeOf(recipient, key), key, own));
      } else if (/^RCPT TO:/i.test(line)) {
        recipient = /<([^>]*)>/.exec(line)?.[1] ?? "";
        say("250 ok");
      } else if (/^DATA/i.test(line)) {
        body = "";
        say("354 go ahead");
      } else if (/^QUIT/i.test(line)) socket.end("221 bye\r\n");
      else say("250 ok");
    };
    socket.on("data", (chunk) => {
      const lines = (rest + String(chunk)).split("\r\n");
      rest = lines.pop() ?? "";
      lines.forEach(onLine);
    });
    say("220 here");
  });
}

function webServer(receiver: Receiver, behaviour: Behaviour): Server {
  return createWebServer(async (request, response) => {
    const body = await readText(request).catch(() => undefined);
    if (body === undefined) return;
    const key = String(request.headers["webhook-id"]);
    const { answer, afterMs = 0 } = receiver.react(noticeOf("hook", key), key, behaviour);
    if (answer === "hang up") response.socket?.destroy();
    else if (answer !== "silence")
      setTimeout(() => response.writeHead(Number(answer.slice(0, 3))).end(answer), afterMs);
  });
}

/** Listens until the test ends. @returns the port */
async function listening(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => sockets.add(socket.once("close", () => sockets.delete(socket))));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  );
  return (server.address() as AddressInfo).port;
}

/** Plays an outage of half an hour. @returns the ledger entry of each reader */
async function played(channel: string, receiver: Receiver, fate?: Fate): Promise<Delivery[]> {
  const { world } = notifierWorld({
    configuration: shopWith(`channels:\n  infra: ${channel}\nroutes:\n  - { channels: [infra] }\n`),
    send: sender(secretsOf({}), { deadlineMs: 300, finalAnswerMs: 80 }),
    fate,
    onEntry: () => {},
  });
  receiver.reset(world.clock.now);
  await announce(world, incident, start, [
    ["opened", 0, {}],
    ["resolved", 30, { status: "resolved", resolved_at: new Date(start + 30 * minute).toISOString() }],
  ]);
  // With a tick, the evaluator publishes the messages that it crashed before publishing.
  world.tick(start + minute);
  await world.run(start + 3 * 60 * minute);
  expect(world.mishaps).toEqual([]);
  const stored = await world.store.query({ collection: "deliveries", where: [["incident", "==", incident]] });
  return stored.map(({ fields }) => parseDelivery(fields) as Delivery);
}

/** Returns the differences between the ledger and the log of the receiver, in sentences. */
function wrongs(ledger: readonly Delivery[], { taken }: Receiver): string[] {
  const arrivalsOf = (reader: string, event: string): string[] =>
    taken.filter(({ notice }) => notice === `${reader} ${event}`).map(({ key }) => key);
  return [...Map.groupBy(ledger, readerName)].flatMap(([, own]) => {
    const reader = own[0]?.recipient ?? "hook";
    const wrong = own.flatMap((delivery) => {
      const { event, status, attempts } = delivery;
      const keys = arrivalsOf(reader, event);
      const about = `${event} to ${reader} is ${status}`;
      const isUnsure = attempts.some(({ outcome }) => outcome === "lost");
      return [
        ...(status === "delivered" && keys.length === 0 ? [`${about}, and was not taken`] : []),
        ...(status !== "delivered" && !mayHaveArrived(delivery) && keys.length > 0 ? [`${about}, and was taken`] : []),
        ...(!["delivered", "rejected", "suppressed"].includes(status) ? [`${about} in the end`] : []),
        ...(keys.length > 1 && !isUnsure ? [`${about}, and was taken ${keys.length} times for no reason`] : []),
        ...(new Set(keys).size > 1 ? [`${about}, and came with several keys`] : []),
      ];
    });
    const heard = arrivalsOf(reader, "opened").length > 0;
    const end = arrivalsOf(reader, "resolved").length > 0;
    // A notification without a response after two attempts is given up, and the ledger records that.
    const mayEnd = own.some((one) => one.event === "resolved" && one.status === "rejected" && mayHaveArrived(one));
    const isBoth = own.some(({ reason }) => reason === includedInResolution);
    return [
      ...wrong,
      ...(heard && !end && !mayEnd ? [`${reader} heard the opening, and not the end`] : []),
      ...(end && !heard && !isBoth ? [`${reader} heard the end, and not the opening`] : []),
    ];
  });
}

/**
 * Lists the moments at which a notifier can crash. "After a step" equals "before the next one" if that one begins when all earlier steps are
 * done.
 */
function deathsAmong(steps: readonly Step[]): (readonly [Moment, number])[] {
  return steps.flatMap(({ number, ofDelivery }) => {
    const next = steps[number + 1];
    const isBeforeNext = next?.alone && next.ofDelivery === ofDelivery + 1;
    return isBeforeNext ? [["before", number] as const] : [["before", number] as const, ["after", number] as const];
  });
}

async function survives(channel: string, receiver: Receiver): Promise<number> {
  const steps: Step[] = [];
  const ledger = await played(channel, receiver, (step) => {
    steps.push(step);
    return undefined;
  });
  expect(wrongs(ledger, receiver)).toEqual([]);
  const deaths = deathsAmong(steps);
  for (const [moment, number] of deaths) {
    const after = await played(channel, receiver, (step) => (step.number === number ? moment : undefined));
    expect(wrongs(after, receiver), `died ${moment} step ${number}`).toEqual([]);
  }
  return deaths.length;
}

describe("a slow mail server that", () => {
  it.each(Object.keys(mails))("%s", async (name) => {
    const receiver = new Receiver();
    const port = await listening(mailServer(receiver, mails[name] as Behaviour));
    const channel = `{ kind: email, to: [ann@example.com, bob@example.com], server: "smtp://127.0.0.1:${port}" }`;
    expect(await survives(channel, receiver)).toBeGreaterThan(10);
  });
});

describe("a webhook that", () => {
  it.each(Object.keys(hooks))("%s", async (name) => {
    const receiver = new Receiver();
    const port = await listening(webServer(receiver, hooks[name] as Behaviour));
    const channel = `{ kind: webhook, url: "http://127.0.0.1:${port}/", allow_private: true }`;
    expect(await survives(channel, receiver)).toBeGreaterThan(5);
  });
});

describe("the comparison of ledger and log", () => {
  it.each<[string, (ledger: Delivery[], receiver: Receiver) => Delivery[], string]>([
    ["was not taken", (ledger, receiver) => (receiver.taken.pop() ? ledger : []), "was not taken"],
    [
      "was taken for nothing",
      (ledger) => ledger.map((one) => ({ ...one, status: "suppressed", attempts: [] })),
      "and was taken",
    ],
  ])("finds what %s", async (_, change, found) => {
    const receiver = new Receiver();
    const port = await listening(webServer(receiver, () => takes("200 ok")));
    const channel = `{ kind: webhook, url: "http://127.0.0.1:${port}/", allow_private: true }`;
    const ledger = await played(channel, receiver);
    expect(wrongs(ledger, receiver)).toEqual([]);
    expect(wrongs(change(ledger, receiver), receiver).join()).toContain(found);
  });
});

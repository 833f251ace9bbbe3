/**
 * Tests delivery to a mail server that greylists: it refuses a recipient for some minutes after the first attempt, and then accepts it. Runs
 * on virtual time against a real SMTP server, with a notifier that crashes at every step. Each recipient gets each mail, and none gets a
 * mail again that is known to have arrived.
 */
import type { AddressInfo } from "node:net";
import { simpleParser } from "mailparser";
import { SMTPServer } from "smtp-server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { VirtualWorld } from "../cli/virtual/world.ts";
import { type Delivery, parseDelivery } from "../functions/notify/deliver/ledger.ts";
import { type Send, sender } from "../functions/notify/deliver/send.ts";
import { secretsOf } from "../functions/notify/fixtures.ts";
import type { Configuration } from "../shared/config/model.ts";
import type { Fate, Moment, Step } from "./support/faulty-ports.ts";
import { announce, minute, notifierWorld, start } from "./support/notifier-world.ts";
import { shopWith } from "./support/shop.ts";

const incident = "20250916-120000-database";

/** Minutes from the first attempt for which each recipient is refused; 0 for never, infinity for always. */
const greylisted: Readonly<Record<string, number>> = {
  "ann@example.com": 0,
  "bob@example.com": 1,
  "cleo@example.com": 10,
  "dan@example.com": Number.POSITIVE_INFINITY,
};

/** Observations of one run of the server and the notifier. */
interface Run {
  now: () => number;
  readonly firstAttempts: Map<string, number>;
  /** `ann@example.com opened`, once for each time that it was accepted. */
  readonly accepted: string[];
  /** Mails that arrived although the ledger had already recorded them as delivered. */
  readonly needless: string[];
  readonly known: Set<string>;
}

let run: Run;
let server: SMTPServer;
let configuration: Configuration;

/** Returns why a recipient is refused at this moment: the status and a text. */
function refusalOf(address: string): readonly [number, string] | undefined {
  const since = run.firstAttempts.get(address) ?? run.now();
  run.firstAttempts.set(address, since);
  const minutes = greylisted[address] ?? 0;
  if (minutes === Number.POSITIVE_INFINITY) return [550, "no such user"];
  return run.now() - since < minutes * minute ? [451, "greylisted, try again later"] : undefined;
}

function accept(address: string, messageId: string): void {
  const [about = "", event] = messageId.slice(1).split(".");
  const mail = `${address} ${event}${about === incident ? "" : ` ${about.replace(/^[\d-]+/, "")}`}`;
  if (run.known.has(mail)) run.needless.push(mail);
  run.accepted.push(mail);
}

beforeAll(async () => {
  server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    disableReverseLookup: true,
    onRcptTo: ({ address }, _session, done) => {
      const [responseCode, text] = refusalOf(address) ?? [];
      done(responseCode === undefined ? null : Object.assign(new Error(text), { responseCode }));
    },
    onData: (stream, { envelope }, done) => {
      simpleParser(stream).then(({ messageId = "" }) => {
        for (const { address } of envelope.rcptTo) accept(address, messageId);
        done();
      }, done);
    },
  });
  // Clients that crash in the middle are part of the test.
  server.on("error", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.server.address() as AddressInfo;
  configuration = shopWith(`
channels:
  infra: { kind: email, to: [${Object.keys(greylisted).join(", ")}], server: "smtp://127.0.0.1:${port}" }
routes:
  - { channels: [infra] }
`);
});

afterAll(() => new Promise<void>((resolve) => server.close(resolve)));

/** The same replies without a connection, because the real server takes a tenth of a second to greet. */
const unwired: Send = async (outgoing) => {
  if (outgoing.transport !== "smtp") throw new Error("only mails here");
  const [address = ""] = outgoing.to;
  const [status, text] = refusalOf(address) ?? [250, "ok"];
  if (status === 250) accept(address, outgoing.messageId);
  return { status, headers: {}, body: `${status} ${text}` };
};

/** An outage from noon, lasting so many minutes. */
async function played(minutes: number, send: Send, fate?: Fate): Promise<VirtualWorld> {
  const { world } = notifierWorld({
    configuration,
    send,
    fate,
    onEntry: ({ status, recipient, event, incident: of }) => {
      if (status === "delivered" && of === incident) run.known.add(`${recipient} ${event}`);
    },
  });
  run = { now: world.clock.now, firstAttempts: new Map(), accepted: [], needless: [], known: new Set() };
  await announce(world, incident, start, [
    ["opened", 0, {}],
    ["resolved", minutes, { status: "resolved" }],
  ]);
  // With a tick, the evaluator publishes the messages that it crashed before publishing.
  world.tick(start + minute);
  await world.run(start + 3 * 60 * minute);
  return world;
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

async function ledgerOf({ store }: VirtualWorld): Promise<Record<string, Delivery["status"]>> {
  const stored = await store.query({ collection: "deliveries", where: [["incident", "==", incident]] });
  return Object.fromEntries(
    stored.flatMap(({ fields }) => {
      const delivery = parseDelivery(fields);
      return delivery === undefined ? [] : [[`${delivery.recipient} ${delivery.event}`, delivery.status]];
    }),
  );
}

const everything = ["ann", "bob", "cleo"].flatMap((name) => [
  `${name}@example.com opened`,
  `${name}@example.com resolved`,
]);
/** A permanently rejected recipient is an incident of the monitor, sent to the others. */
const trouble = ["ann", "bob", "cleo"].map((name) => `${name}@example.com opened pathkeeper`);
const states = {
  ...Object.fromEntries(everything.map((mail) => [mail, "delivered"])),
  "dan@example.com opened": "rejected",
  "dan@example.com resolved": "suppressed",
};

describe("a mail server that greylists", () => {
  it("receives everything once: each recipient when it is accepted", async () => {
    const world = await played(30, sender(secretsOf({})));
    expect(world.mishaps).toEqual([]);
    expect(await ledgerOf(world)).toEqual(states);
    expect(run.accepted.toSorted()).toEqual([...everything, ...trouble].sort());
  });

  it("sends one mail about the incident and its end to a recipient accepted after the end", async () => {
    const world = await played(5, sender(secretsOf({})));
    expect(world.mishaps).toEqual([]);
    const late = "cleo@example.com opened";
    expect(await ledgerOf(world)).toEqual({ ...states, [late]: "suppressed" });
    const heard = [...everything, ...trouble].filter((mail) => mail !== late);
    expect(run.accepted.toSorted()).toEqual(heard.sort());
  });

  it("receives everything from a notifier that crashes at any step, without known duplicates", async () => {
    const steps: Step[] = [];
    await played(30, unwired, (step) => {
      steps.push(step);
      return undefined;
    });
    for (const [moment, number] of deathsAmong(steps)) {
      const world = await played(30, unwired, (step) => (step.number === number ? moment : undefined));
      const died = `died ${moment} step ${number}`;
      expect(world.mishaps, died).toEqual([]);
      expect(await ledgerOf(world), died).toEqual(states);
      expect([...new Set(run.accepted)].sort(), died).toEqual([...everything, ...trouble].sort());
      expect(run.needless, died).toEqual([]);
    }
  }, 60_000);
});

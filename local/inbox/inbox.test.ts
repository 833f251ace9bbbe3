import { randomBytes } from "node:crypto";
import { appendFile, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTransport } from "nodemailer";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Inbox, Received } from "./inbox.ts";
import { startMailInbox } from "./smtp.ts";
import { startWebhookInbox } from "./webhook.ts";

let directory: string;
let inbox: Inbox;
let received: Received[];
const onReceive = (one: Received): void => void received.push(one);

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "pathkeeper-inbox-"));
  received = [];
});

afterEach(async () => {
  await inbox.stop();
  await rm(directory, { recursive: true, force: true });
});

describe("the mail inbox", () => {
  const start = async (): Promise<void> => {
    inbox = await startMailInbox({ directory, onReceive });
  };
  const send = (messageId: string): Promise<unknown> =>
    createTransport({ host: "127.0.0.1", port: inbox.port }).sendMail({
      from: "pathkeeper@localhost",
      to: "team@localhost",
      subject: "VPC connector · 20250916-120422-vpc-connector",
      text: "It is broken.",
      messageId,
    });
  const opened = "<20250916-120422-vpc-connector.opened.team-email@demo.pathkeeper>";
  const reminder = "<20250916-120422-vpc-connector.reminder-2.team-email@demo.pathkeeper>";

  it("stores every mail once, with its event, also across a restart", async () => {
    await start();
    await send(opened);
    await send(opened);
    await send(reminder);
    const expected = [
      { incident: "20250916-120422-vpc-connector", event: "opened", channel: "team-email", id: opened },
      { incident: "20250916-120422-vpc-connector", event: "reminder", channel: "team-email", id: reminder },
    ];
    expect(inbox.received()).toMatchObject(expected);
    expect(received).toMatchObject(expected);
    expect(inbox.repeated()).toBe(1);

    await inbox.stop();
    await start();
    expect(inbox.received()).toMatchObject(expected);
    await send(opened);
    expect(inbox.repeated()).toBe(1);
    expect(received).toHaveLength(2);
  });

  it("stores mails as files that any mail program opens", async () => {
    await start();
    await send(opened);
    const files = await readdir(directory);
    expect(files).toEqual([expect.stringMatching(/^\d{4}-.*Z-[0-9a-f]{12}\.eml$/)]);
    expect(await readFile(join(directory, files[0] ?? ""), "utf8")).toContain("It is broken.");
  });

  it("stores mails from other senders, too", async () => {
    await start();
    await send("<hello@example.com>");
    expect(inbox.received()).toMatchObject([{ channel: "email", incident: "", event: "", id: "<hello@example.com>" }]);
  });
});

describe("the webhook inbox", () => {
  const key = `whsec_${randomBytes(24).toString("base64")}`;
  const start = async (): Promise<void> => {
    inbox = await startWebhookInbox({ directory, key, onReceive });
  };
  const post = async (id: string, body: string, signedWith = key): Promise<number> => {
    const now = new Date();
    const headers = {
      "webhook-id": id,
      "webhook-timestamp": String(Math.floor(now.getTime() / 1_000)),
      "webhook-signature": new Webhook(signedWith).sign(id, now, body),
    };
    const response = await fetch(`http://127.0.0.1:${inbox.port}/ops-hook`, { method: "POST", headers, body });
    await response.text();
    return response.status;
  };
  const notice = JSON.stringify({ type: "incident.opened", data: { incident: "i-1", event: "opened" } });

  it("stores every notification once, with its event, also across a restart and a truncated line", async () => {
    await start();
    expect(await Promise.all([post("a", notice), post("a", notice), post("b", notice)])).toEqual([200, 200, 200]);
    expect(
      inbox
        .received()
        .map(({ id }) => id)
        .sort(),
    ).toEqual(["a", "b"]);
    expect(inbox.received()[0]).toMatchObject({ channel: "ops-hook", incident: "i-1", event: "opened" });
    expect(inbox.repeated()).toBe(1);

    await inbox.stop();
    await appendFile(join(directory, "webhooks.ndjson"), '{"at":1,"chan');
    await start();
    expect(await post("c", notice)).toBe(200);
    await inbox.stop();
    await start();
    expect(
      inbox
        .received()
        .map(({ id }) => id)
        .sort(),
    ).toEqual(["a", "b", "c"]);
    expect(received).toHaveLength(3);
  });

  it.each([
    ["a signature by another key", 401, notice, `whsec_${randomBytes(24).toString("base64")}`],
    ["a body that is not JSON", 400, "hello", key],
    ["a body that is too large", 413, JSON.stringify("x".repeat(300_000)), key],
  ])("refuses %s with %i and stores nothing", async (_, status, body, signedWith) => {
    await start();
    expect(await post("a", body, signedWith)).toBe(status);
    expect(inbox.received()).toEqual([]);
    expect(await post("a", notice)).toBe(200);
    expect(inbox.received()).toHaveLength(1);
  });

  it("stores signed JSON of any form", async () => {
    await start();
    expect(await post("a", "null")).toBe(200);
    expect(inbox.received()).toMatchObject([{ incident: "", event: "" }]);
  });

  it("serves no page", async () => {
    await start();
    expect((await fetch(`http://127.0.0.1:${inbox.port}/ops-hook`)).status).toBe(405);
  });
});

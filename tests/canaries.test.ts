/**
 * Secrets are sent only to their destinations. Canaries are placed in the secrets of the configuration, in the environment, and in responses
 * of a target. The real functions measure, evaluate and notify an outage, and the test searches everything that they store or send.
 */
import { expect, it, onTestFinished } from "vitest";
import { configurationOf } from "../cli/commands/replay.fixtures.ts";
import { VirtualWorld } from "../cli/virtual/world.ts";
import { unpacked } from "../functions/evaluate/partition/packing.ts";
import { type Send, sender } from "../functions/notify/deliver/send.ts";
import { mailInbox, rememberingLogger, webInbox } from "../functions/notify/fixtures.ts";
import { pageWriter } from "../functions/notify/pages/writer.ts";
import { closedPort } from "../functions/probe/fixtures.ts";
import { runProbes } from "../functions/probe/run/run.ts";
import { googleApi } from "../shared/adapters/google-api.ts";
import { MemoryPages } from "../shared/adapters/pages-memory.ts";
import { localSecrets } from "../shared/adapters/secrets.ts";
import type { Report } from "../shared/messages/report.ts";
import { encodings } from "../shared/text/encodings.fixtures.ts";

const start = Date.parse("2025-09-16T12:00:00Z");
const minute = 60_000;
/** A canary verbatim, percent-encoded byte by byte as in a URL, escaped as in JSON, or in base64 at any offset. */
const leak = /canary[-\w]*|(?:%63%61|\\u0063)\S*|(?:Y2FuYXJ5|NhbmFye|jYW5hcn)[\w+/]*/gi;
const collections = ["incidents", "deliveries", "state", "availability", "pages", "silences", "heartbeats"];

it("sends secrets only to their targets, and never stores, notifies or logs them", async () => {
  await using target = await webInbox((response, count, { headers, url }) => {
    const status = url === "/health?ok" ? 200 : 503;
    // A target that echoes each secret it receives, in a different encoding each time.
    response.writeHead(status, {
      "content-type": "application/json",
      "set-cookie": "session=canary-cookie",
      "x-trace": "canary-trace-header",
      "www-authenticate": 'Bearer realm="canary-realm"',
    });
    const authorization = headers.authorization ?? "";
    const echoes = [authorization, authorization.slice("Bearer ".length)].flatMap((text) =>
      Object.values(encodings).map((encode) => encode(text)),
    );
    response.end(JSON.stringify({ status: "unhealthy", told: echoes[(count * 5) % echoes.length] }));
  });
  await using hooks = await webInbox((response, count, { url, headers }) =>
    response
      .writeHead(count < 3 ? 500 : 200, { "x-echo": "canary-answer-header" })
      .end(`${url} ${JSON.stringify(headers)}`),
  );
  const logins: string[] = [];
  await using mails = await mailInbox({
    authOptional: false,
    onAuth: ({ username, password }, _session, done) => {
      logins.push(`${username} ${password}`);
      const refusal = Object.assign(new Error(`later, ${username} ${password}`), { responseCode: 454 });
      if (logins.length < 3) done(refusal);
      else done(null, { user: username });
    },
  });
  const environment = {
    PATHKEEPER_SECRET_HEALTH_TOKEN: "Bearer canary-health-token",
    PATHKEEPER_SECRET_DATABASE_URL: `postgres://watcher:canary-database-password@127.0.0.1:${await closedPort()}/canary-name`,
    PATHKEEPER_SECRET_HOOK_URL: `${hooks.url}/canary-hook-path?key=canary-hook-key`,
    PATHKEEPER_SECRET_HOOK_KEY: Buffer.from("canary-signing-key-canary").toString("base64"),
    PATHKEEPER_SECRET_HOOK_BEARER: "Bearer canary-hook-bearer",
    PATHKEEPER_SECRET_DEAD_URL: `http://canary-user:canary-pass@127.0.0.1:${await closedPort()}/canary-dead-path`,
    PATHKEEPER_SECRET_MAIL: mails.url.replace("smtp://", "smtp://canary-login:canary-mail-password@"),
  };
  const secrets = localSecrets(environment, undefined);
  process.env["CANARY_OF_THE_ENVIRONMENT"] = "canary-environment";
  onTestFinished(() => void delete process.env["CANARY_OF_THE_ENVIRONMENT"]);

  const configuration = configurationOf(`
environment: shop
title: Shop
components:
  database: { title: Database, layer: platform }
  shop: { title: Shop, layer: application, depends_on: [database], impact: Nobody can order }
probes:
  shop-health:
    kind: http
    component: shop
    url: ${target.url}/health
    headers: { authorization: { secret: health-token } }
    recheck: off
  database: { kind: postgres, component: database, connection: { url: { secret: database-url } }, recheck: off }
channels:
  hook:
    kind: webhook
    url: { secret: hook-url }
    allow_private: true
    signing_key: { secret: hook-key }
    headers: { authorization: { secret: hook-bearer } }
  dead: { kind: webhook, url: { secret: dead-url }, allow_private: true }
  missing: { kind: webhook, url: { secret: no-such-secret } }
  mail: { kind: email, to: [a@example.com], server: { secret: mail } }
  page: { kind: status_page, bucket: shop-status, impact: true }
routes:
  - { channels: [hook, dead, missing, mail, page] }
`);
  // The outage ends when the target is probed at another address and the database is no longer probed.
  const [health, database] = configuration.probes;
  if (health === undefined || database === undefined) throw new Error("there are two probes");
  const well = { ...health, settings: { ...health.settings, url: `${target.url}/health?ok` } };
  const reports: Report[] = [];
  for (let at = 0; at < 16; at++) {
    const now = start + at * minute;
    const isDown = at >= 3 && at < 9;
    reports.push(
      await runProbes({
        environment: "shop",
        vantage: "outside",
        group: "outside-1m",
        trigger: "schedule",
        reportId: `shop/outside-1m/${at}`,
        probes: isDown ? [health, database] : [well],
        secrets,
        google: googleApi(undefined),
        clock: { now: () => now },
      }),
    );
  }

  const pages = new MemoryPages();
  const logger = rememberingLogger();
  const published: string[] = [];
  let send: Send = () => Promise.reject(new Error("not yet"));
  const world = new VirtualWorld({
    configuration,
    start,
    logger,
    send: (...sent) => send(...sent),
    onPublished: (topic, data) => void published.push(`${topic} ${JSON.stringify(data)}`),
  });
  send = sender(secrets, {
    deadlineMs: 2_000,
    writePage: pageWriter({ store: world.store, pages, clock: world.clock, configuration }),
  });
  for (const [at, report] of reports.entries()) world.report(report, start + at * minute + 1_000);
  for (let at = 1; at < 30; at++) world.tick(start + at * minute + 30_000);
  await world.run(start + 30 * minute);

  // The secrets were sent to their destinations, and the searched data is not empty.
  expect(target.received[0]?.headers["authorization"]).toBe("Bearer canary-health-token");
  expect(hooks.received.length).toBeGreaterThan(3);
  expect(hooks.received.at(-1)?.headers["authorization"]).toBe("Bearer canary-hook-bearer");
  expect(hooks.received.at(-1)?.url).toBe("/canary-hook-path?key=canary-hook-key");
  expect(new Set(logins)).toEqual(new Set(["canary-login canary-mail-password"]));
  expect(mails.received.length).toBeGreaterThan(1);

  const outputs = new Map<string, string>();
  for (const collection of collections) {
    for (const { id, fields } of await world.store.query({ collection, limit: 1000 })) {
      const inner = typeof fields["data"] === "string" ? unpacked(fields["data"]) : "";
      outputs.set(`${collection}/${id}`, `${JSON.stringify(fields)} ${inner}`);
    }
  }
  outputs.set("reports", JSON.stringify(reports));
  outputs.set("messages", published.join("\n"));
  outputs.set("logs", logger.lines.join("\n"));
  outputs.set("mishaps", world.mishaps.join("\n"));
  outputs.set("compiled configuration", JSON.stringify(configuration));
  for (const [path, { content }] of pages.standing) outputs.set(`page ${path}`, content);
  for (const [index, { subject, text, html, headerLines }] of mails.received.entries()) {
    outputs.set(`mail ${index}`, JSON.stringify({ subject, text, html, headerLines }));
  }
  for (const [index, { headers, body }] of hooks.received.entries()) {
    const { authorization: _, ...others } = headers;
    outputs.set(`webhook ${index}`, `${JSON.stringify(others)} ${body}`);
  }
  for (const part of [
    "incidents/",
    "deliveries/",
    "state/",
    "pages/",
    "availability/",
    "page shop-status/",
    "mail ",
    "webhook ",
  ]) {
    expect(
      [...outputs.keys()].some((where) => where.startsWith(part)),
      part,
    ).toBe(true);
  }
  // Both targets responded with a secret, and the stored response contains it only redacted.
  expect(outputs.get("reports")).toContain("***");
  expect([...outputs].filter(([where, text]) => where.startsWith("deliveries/") && text.includes("***"))).not.toEqual(
    [],
  );
  const leaks = [...outputs].flatMap(([where, text]) =>
    [...new Set(text.match(leak) ?? [])].map((found) => `${found} in ${where}`),
  );
  expect(leaks).toEqual([]);
});

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type DeliveryStatus, deliveryFields } from "../../functions/notify/deliver/ledger.ts";
import { heldLedger } from "../../functions/notify/fixtures.ts";
import { closedPort, listening } from "../../functions/probe/fixtures.ts";
import { createPublishServer } from "../../local/engine/broker/publish-server.ts";
import { SqliteStore } from "../../shared/adapters/sqlite.ts";
import { parseReport, type Report } from "../../shared/messages/report.ts";
import { run } from "../local-probes.fixtures.ts";

const monitor = `environment: shop
components: { database: { layer: platform } }
channels:
  mail: { kind: email, to: [a@example.com], server: smtps://mail.example.com }
  ops: { kind: webhook, url: https://hooks.example.com/ops }
`;

/** Creates a folder as `npm start -- --data` leaves it, whose notifier reacts to a drill as given here. */
async function system(told: Readonly<Record<string, DeliveryStatus>>, text = monitor) {
  const data = mkdtempSync(join(tmpdir(), "pathkeeper-drill-"));
  const store = new SqliteStore(join(data, "store.db"));
  onTestFinished(async () => {
    await store.close();
    rmSync(data, { recursive: true, force: true });
  });
  const reports: Report[] = [];
  const server = createPublishServer({
    publish: async (topic, messages) => {
      expect(topic).toBe("measurements");
      for (const { data: sent } of messages) {
        const report = parseReport(sent);
        reports.push(report);
        const at = new Date(report.started_at);
        const incident = `${report.started_at.slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-")}-fire-drill`;
        for (const [channel, status] of Object.entries(told)) {
          const [entry] = heldLedger(channel, [[{ incident, at: at.toISOString() }, status]]);
          if (entry === undefined) throw new Error("no entry");
          const arrived = status === "delivered" ? { delivered_at: new Date(at.getTime() + 1_234) } : {};
          const delivery = { ...entry.delivery, reason: "410: gone", ...arrived };
          await store.set("deliveries", entry.id, deliveryFields(delivery));
        }
      }
      return messages.map(() => "1");
    },
  });
  writeFileSync(join(data, "broker.url"), `http://127.0.0.1:${await listening(server)}\n`);
  writeFileSync(join(data, "monitor.yaml"), text);
  return { data, reports };
}

describe("drill", () => {
  it("starts a drill, and shows when every channel was notified", async () => {
    const { data, reports } = await system({ mail: "delivered", ops: "delivered" });
    const { code, out, err } = await run("drill", "--data", data);
    expect([code, out]).toEqual([0, ["  mail  told  after 1.2 s", "  ops   told  after 1.2 s"]]);
    expect(err[0]).toMatch(/^Fire drill \d{8}-\d{6}-fire-drill: it resolves by itself/);
    expect(reports.map(({ environment, group, results }) => [environment, group, results[0]?.component])).toEqual([
      ["shop", "self", "fire-drill"],
    ]);
  });

  it("exits with 1 when a channel rejects it, and with 0 when one is skipped for a reason", async () => {
    const rejected = await system({ mail: "delivered", ops: "rejected" });
    expect(await run("drill", "--data", rejected.data)).toMatchObject({
      code: 1,
      out: ["  mail  told      after 1.2 s", "  ops   not told               410: gone"],
    });
    const { data } = await system({ mail: "delivered", ops: "suppressed" });
    const { code, out } = await run("drill", "--data", data, "--json");
    expect([code, JSON.parse(out.join("\n")).channels]).toEqual([
      0,
      [
        { channel: "mail", state: "told", after_ms: 1234 },
        { channel: "ops", state: "left out", reason: "410: gone" },
      ],
    ]);
  });

  it("exits with 1 when no channel was notified in time", async () => {
    const nobody = await system({});
    expect(await run("drill", "--data", nobody.data, "--wait", "300ms")).toMatchObject({
      code: 1,
      out: [expect.stringMatching(/^No channel was notified within .*: check that the functions are running/)],
    });
    const slow = await system({ mail: "delivered", ops: "retrying" });
    expect(await run("drill", "--data", slow.data, "--wait", "300ms")).toMatchObject({ code: 1 });
  });

  it("exits with 1 when the publication fails", async () => {
    const { data } = await system({});
    writeFileSync(join(data, "broker.url"), `http://127.0.0.1:${await closedPort()}\n`);
    const { code, out, err } = await run("drill", "--data", data);
    expect([code, out]).toEqual([1, []]);
    expect(err[0]).toMatch(/^pathkeeper drill: cannot publish to "measurements"/);
  });

  it("refuses invalid usage in one line, with exit code 2", async () => {
    const { data } = await system({}, monitor.replace(/channels:[\s\S]*/, ""));
    expect(await run("drill", "--data", data)).toMatchObject({
      code: 2,
      err: [expect.stringContaining("the configuration has no channels to notify")],
    });
    expect(await run("drill", "--data", data, "--wait", "soon")).toMatchObject({
      code: 2,
      err: [expect.stringContaining("--wait soon is an invalid duration: use a value such as 2m or 30s")],
    });
    expect((await run("drill", "--data", "/nowhere")).err[0]).toContain(
      "cannot read /nowhere/monitor.yaml: no such file; npm start -- --data /nowhere writes it",
    );
  });
});

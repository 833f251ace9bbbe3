/** One rule for where a local system keeps configuration, secrets and data. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { listening } from "../functions/probe/fixtures.ts";
import { copyConfiguration } from "../local/data/configuration-file.ts";
import { SqliteStore } from "../shared/adapters/sqlite.ts";
import { keepHeartbeat } from "../shared/documents/heartbeats.ts";
import { run } from "./local-probes.fixtures.ts";
import { secretFolders } from "./places.ts";

let folder: string;
let config: string;
let data: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pathkeeper-places-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  config = join(folder, "mine", "monitor.yaml");
  data = join(folder, "watch");
  for (const each of [dirname(config), data]) mkdirSync(each);
});

/** Writes a secret into a folder. */
function keep(place: string, name: string, value: string): void {
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, name), `${value}\n`);
}

/** A configuration with a login and a job, copied into the data as `npm start` does. */
async function start(url: string): Promise<void> {
  const text = `environment: shop
components: { shop: { layer: application } }
probes:
  page: { kind: http, component: shop, url: "${url}", headers: { authorization: { secret: login } }, alert_after: 1s }
  job: { kind: heartbeat, component: shop, beat: nightly-job, every: 24h, alert_after: 1s }
recovery: { stages: [{ name: all, probes: [page, job] }] }
`;
  writeFileSync(config, text);
  await copyConfiguration(data, text, config);
}

/** A site that lets in who knows the password. */
async function siteFor(password: string): Promise<string> {
  const server = createServer((request, response) => {
    response.writeHead(request.headers.authorization === password ? 200 : 401).end();
  });
  return `http://127.0.0.1:${await listening(server)}/`;
}

/** The store of a system that has heard of the job. */
async function receiveHeartbeat(): Promise<void> {
  const store = new SqliteStore(join(data, "store.db"));
  await keepHeartbeat(store, { name: "nightly-job", ok: true }, Date.now());
  await store.close();
}

describe("secrets", () => {
  it("are read from the data folder, then beside the configuration, or from --secrets", async () => {
    await start("http://127.0.0.1:1/");
    const kept = join(data, "monitor.yaml");
    const beside = join(folder, "mine", "secrets");
    expect(await secretFolders({ config })).toEqual([beside]);
    expect(await secretFolders({ config, data })).toEqual([join(data, "secrets"), beside]);
    expect(await secretFolders({ config: kept, data })).toEqual([join(data, "secrets"), beside]);
    expect(await secretFolders({ config, data, secrets: "elsewhere" })).toEqual(["elsewhere"]);
  });

  it.each([
    ["in the data", () => join(data, "secrets")],
    ["beside the configuration", () => join(folder, "mine", "secrets")],
  ])("%s are found by every command, also with the copy in the data folder", async (_, place) => {
    await start(await siteFor("open sesame"));
    await receiveHeartbeat();
    keep(place(), "login", "open sesame");
    for (const named of [
      ["--data", data],
      ["--data", data, "--config", config],
    ]) {
      expect([named, (await run("validate", "--secrets", ...named)).code]).toEqual([named, 0]);
      expect([named, (await run("probe", ...named)).out.at(-1)]).toEqual([named, "2 probes, nothing failed"]);
      expect([named, (await run("verify", ...named)).code]).toEqual([named, 0]);
      expect([named, (await run("watch", ...named)).code]).toEqual([named, 0]);
    }
  });
});

describe("jobs", () => {
  it("are skipped if no system is specified, so that watch can finish", async () => {
    await start(await siteFor("open sesame"));
    keep(join(folder, "mine", "secrets"), "login", "open sesame");
    const { code, err } = await run("watch", "--config", config);
    expect(code).toBe(0);
    expect(err).toEqual([expect.stringMatching(/^skipped: job: specify the system .* --data DIR or --project/)]);
    const alone = await run("probe", "--config", config, "--probe", "job");
    expect([alone.code, alone.err[0]]).toEqual([2, expect.stringMatching(/no probe can run here: job/)]);
  });

  it.each([
    ["nightly-jbo", 'DATA/monitor.yaml has no probe for the job "nightly-jbo": did you mean "nightly-job"?'],
    ["something-else", 'DATA/monitor.yaml has no probe for the job "something-else": the jobs are nightly-job'],
  ])("without a probe are refused: %s", async (name, message) => {
    await start("http://127.0.0.1:1/");
    const { code, out, err } = await run("heartbeat", name, "--data", data);
    expect([code, out]).toEqual([2, []]);
    expect(err[0]).toContain(message.replace("DATA", data));
  });
});

describe("validate --secrets", () => {
  it("lists the secrets that cannot be read here, what needs them and the locations searched", async () => {
    await start("http://127.0.0.1:1/");
    const { code, out } = await run("validate", "--secrets", "--config", config);
    expect(code).toBe(1);
    expect(out.join("\n")).toContain(
      `secret "login" not found: set the environment variable PATHKEEPER_SECRET_LOGIN, or write it to the file login in ${join(folder, "mine", "secrets")} (needed by probe page)`,
    );
    expect(out.join("\n")).toContain("0 of 1 secret can be read here");
    keep(join(folder, "mine", "secrets"), "login", " ");
    const told = JSON.parse((await run("validate", "--secrets", "--json", "--config", config)).out.join("\n"));
    expect([told.ok, told.secrets]).toEqual([
      false,
      [{ name: "login", used_by: ["probe page"], reason: 'secret "login" is empty' }],
    ]);
    keep(join(folder, "mine", "secrets"), "login", "hunter2");
    const right = await run("validate", "--secrets", "--json", "--config", config);
    expect(right.code).toBe(0);
    expect(right.out.join("\n")).not.toContain("hunter2");
  });
});

import { type ChildProcess, execFile, execSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceDefinition,
  type sendUnaryData,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { fromJSON } from "@grpc/proto-loader";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { configurationOf } from "../../cli/commands/replay.fixtures.ts";
import { readConfigurationFile } from "../../cli/configuration.ts";
import { answersUrl, linkKey } from "../../functions/notify/answer/answers.fixtures.ts";
import { signedUrl, unsignedUrl } from "../../functions/notify/answer/link.ts";
import { missingEmulator } from "../../local/engine/emulators.ts";
import { freePort } from "../../local/free-port.ts";
import { FirestoreStore } from "../../shared/adapters/firestore.ts";
import type { Configuration } from "../../shared/config/model.ts";
import { encodePush } from "../../shared/messages/push.ts";
import type { Tick } from "../../shared/messages/tick.ts";
import { startedOnce } from "../../tests/support/started-once.ts";
import { type Bundle, bundle } from "./bundle.ts";
import { type FunctionName, functionNames } from "./names.ts";
import { loadedLater } from "./plugins.ts";

const config = new URL("../../examples/netra-staging/monitor.yaml", import.meta.url).pathname;
let configuration: Configuration;
let folder: string;
const firestoreMissing = missingEmulator("firestore");
if (firestoreMissing !== undefined)
  console.warn(`\n######## NOT TESTED: commits of a bundle ########\n# ${firestoreMissing}\n`);
const framework = join(createRequire(import.meta.url).resolve("@google-cloud/functions-framework"), "../main.js");
/** Built once for all tests. */
const bundles = new Map<FunctionName, Bundle>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pathkeeper-bundle-"));
  const { loaded } = await readConfigurationFile(config);
  if (!("configuration" in loaded)) throw new Error("the example is not right");
  configuration = loaded.configuration;
  for (const name of functionNames) bundles.set(name, await bundled(name, "first"));
}, 240_000);
afterAll(() => rm(folder, { recursive: true }));

function bundled(name: FunctionName, place: string): Promise<Bundle> {
  return bundle({ name, configuration, directory: join(folder, place, name) });
}

function built(name: FunctionName): Bundle {
  const found = bundles.get(name);
  if (found === undefined) throw new Error(`${name} was not built`);
  return found;
}

/** Returns the contents of every file of a folder, by path. */
async function contents(directory: string): Promise<Record<string, string>> {
  const files = (await readdir(directory, { recursive: true, withFileTypes: true })).filter((file) => file.isFile());
  const entries = files.map(async ({ parentPath, name }) => {
    const path = join(parentPath, name);
    return [
      path.slice(directory.length + 1),
      createHash("sha256")
        .update(await readFile(path))
        .digest("hex"),
    ] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

describe.each(functionNames)("the bundle of %s", { timeout: 120_000 }, (name) => {
  it("is identical, byte for byte, in every build", async () => {
    const [first, second] = [built(name), await bundled(name, "second")];
    expect(await contents(first.directory)).toEqual(await contents(second.directory));
    expect(await readFile(first.archive)).toEqual(await readFile(second.archive));
  });

  it("contains neither the embedded engines nor paths of the build machine", async () => {
    const { directory } = built(name);
    const code = (await readdir(directory, { recursive: true })).filter((file) => file.endsWith(".mjs"));
    const texts = await Promise.all(code.map((file) => readFile(join(directory, file), "utf8")));
    expect(texts.length).toBeGreaterThan(3);
    expect(texts.filter((text) => text.includes("node:sqlite") || text.includes(process.cwd()))).toEqual([]);
  });

  it("starts in an empty folder, responds, and stops on request", async () => {
    const { child, url, said } = await startedAlone(name, "alone");
    const gone = once(child, "exit");
    await expect
      .poll(() => fetch(url).then((answer) => answer.text(), said), { timeout: 60_000 })
      .toBe(`${name} is ready\n`);
    child.kill("SIGTERM");
    expect(await gone).toEqual([0, null]);
  });

  it("completes requests in progress before it stops", async () => {
    const stand = await pubSubStand(500);
    const { child, url, said } = await startedAlone(name, "ending", { PUBSUB_EMULATOR_HOST: stand.host });
    await expect.poll(() => fetch(url).then(({ status }) => status, said), { timeout: 60_000 }).toBe(200);
    const gone = once(child, "exit");
    const answer = fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"no":"push"}',
    });
    await expect.poll(() => stand.published.length, { timeout: 30_000 }).toBe(1);
    child.kill("SIGTERM");
    expect((await answer).status).toBe(204);
    expect(await gone).toEqual([0, null]);
  });

  it("is started by the platform's build and command, which download nothing", async () => {
    const place = join(folder, "deployed", name);
    await cp(built(name).directory, place, { recursive: true });
    const environment = { ...process.env, npm_config_cache: join(folder, "npm"), npm_config_offline: "true" };
    for (const command of ["npm ci", "npm run gcp-build", "npm prune --omit=dev"])
      execSync(command, { cwd: place, env: environment, stdio: "pipe" });
    expect((await readdir(join(place, ".compile-cache"), { recursive: true })).length).toBeGreaterThan(5);
    const command = join(place, "node_modules/.bin/functions-framework");
    const { url, said } = await started([command], place, { FUNCTION_TARGET: name });
    await expect
      .poll(() => fetch(url).then((answer) => answer.text(), said), { timeout: 60_000 })
      .toBe(`${name} is ready\n`);
  });

  it("builds no schema before its first request", async () => {
    const place = join(folder, "schemas", name);
    await cp(built(name).directory, place, { recursive: true });
    // The first schema looks where it runs, and so loads what says that.
    const script = `
      await import("./index.mjs");
      const signs = process.moduleLoadList.filter((name) => /internal\\/navigator$|NativeModule vm$/.test(name));
      process.stdout.write(JSON.stringify(signs));
      process.exit();`;
    const child = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], {
      cwd: place,
      env: { PATHKEEPER_PROJECT: "nowhere", PATHKEEPER_VANTAGE: "outside", METADATA_SERVER_DETECTION: "none" },
    });
    expect(JSON.parse(child.stdout)).toEqual([]);
  });

  it("is also found by the framework that npm installs", async () => {
    const place = join(folder, "found", name);
    await cp(built(name).directory, place, { recursive: true });
    const { url, said } = await started([framework, `--source=${place}`, `--target=${name}`], place, {});
    await expect.poll(() => fetch(url).then(({ status }) => status, said), { timeout: 60_000 }).toBe(200);
  });

  it("publishes with Google's client, from an empty folder", async () => {
    const stand = await pubSubStand();
    const { url, said } = await startedAlone(name, "publishing", { PUBSUB_EMULATOR_HOST: stand.host });
    // Each function publishes messages that no redelivery can fix to the dead-letter topic.
    const push = { method: "POST", headers: { "content-type": "application/json" }, body: '{"no":"push"}' };
    await expect.poll(() => fetch(url).then(({ status }) => status, said), { timeout: 60_000 }).toBe(200);
    const answer = await fetch(url, push);
    expect([answer.status, said()]).toEqual([204, expect.stringContaining("it goes to the dead letters")]);
    expect(stand.published).toEqual([["projects/nowhere/topics/dead-letters", '{"no":"push"}']]);
  });
});

it("exports everything that the adapters need from packages that are loaded later", async () => {
  const asked = new Map<string, Set<string>>();
  for (const folder of ["functions", "shared"]) {
    const files = await readdir(folder, { recursive: true });
    for (const file of files.filter((name) => /(?<!\.(?:test|fixtures|contract))\.ts$/.test(name))) {
      const text = await readFile(join(folder, file), "utf8");
      for (const [, names = "", module = ""] of text.matchAll(/const \{ ([^}]*) \} = await import\("([^".]+)"\)/g))
        for (const name of names.split(", ")) addTo(asked, module, name.replace(/:.*/, ""));
      for (const [, names = "", module = ""] of text.matchAll(/^import \{ ([^}]*) \} from "([^".]+)"/gm))
        for (const name of names.split(", "))
          if (module in loadedLater && !name.startsWith("type ")) addTo(asked, module, name);
      if (/typeof import\("@google-cloud\/firestore"\)/.test(text) || /adapters\/firestore/.test(join(folder, file)))
        for (const [, name = ""] of text.matchAll(/\bgoogle\.([A-Z]\w+)/g))
          addTo(asked, "@google-cloud/firestore", name);
    }
  }
  expect([...asked.keys()]).toEqual(
    expect.arrayContaining(["@google-cloud/firestore", "@google-cloud/pubsub", "pg", "re2js"]),
  );
  for (const [module, names] of asked) {
    if (module.startsWith("node:")) continue;
    expect(loadedLater[module], module).toEqual(expect.arrayContaining([...names]));
  }
});

function addTo(asked: Map<string, Set<string>>, module: string, name: string): void {
  asked.set(module, (asked.get(module) ?? new Set()).add(name));
}

describe("the bundle of probe", { timeout: 120_000 }, () => {
  it("loads the pattern engine for the first pattern", async () => {
    const target = createServer((_request, response) => response.end("a".repeat(40)));
    await once(target.listen(0, "127.0.0.1"), "listening");
    onTestFinished(() => void target.close());
    const probes = ["^(a+)+$", "^(a+)+b$"].map(
      (pattern, index) =>
        `  p${index}: { kind: http, component: shop, url: "http://127.0.0.1:${(target.address() as AddressInfo).port}/", expect: { body_matches: "${pattern}" } }`,
    );
    const { directory } = await bundle({
      name: "probe",
      configuration: configurationOf(
        `environment: shop\ncomponents: { shop: { layer: application } }\nprobes:\n${probes.join("\n")}\n`,
      ),
      directory: join(folder, "pattern", "probe"),
    });
    const [begin, engine] = await Promise.all(
      ["main.mjs", "later/re2js.mjs"].map((file) => readFile(join(directory, file), "utf8")),
    );
    expect([begin, engine].map((code) => code?.includes("class RE2JS"))).toEqual([false, true]);
    const { url, said } = await started(["start.mjs"], directory, {});
    await expect.poll(() => fetch(url).then(({ status }) => status, said), { timeout: 60_000 }).toBe(200);
    const answers = await Promise.all(
      ["p0", "p1"].map((name) => fetch(`${url}synthetic/${name}`).then((answer) => answer.json())),
    );
    expect(answers).toMatchObject([
      { synthetic_generic_result_v1: { ok: true } },
      { synthetic_generic_result_v1: { ok: false, generic_error: { error_type: "body" } } },
    ]);
  });
});

describe("the bundle of evaluate", { timeout: 120_000 }, () => {
  it.skipIf(firestoreMissing)("commits with Google's client, from an empty folder", async () => {
    const host = await startedOnce("firestore");
    const { url, said } = await startedAlone("evaluate", "committing", { FIRESTORE_EMULATOR_HOST: host });
    await expect.poll(() => fetch(url).then(({ status }) => status, said), { timeout: 60_000 }).toBe(200);
    const tick: Tick = { v: 1, environment: configuration.environment };
    const push = encodePush({ messageId: "1", publishedAt: Date.now(), attributes: {}, data: tick, subscription: "s" });
    // Nothing is published: the tick is redelivered, and the documents exist.
    void fetch(`${url}ticks`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(push),
    }).catch(() => {});
    const documents = `http://${host}/v1/projects/nowhere/databases/(default)/documents/state`;
    const names = (): Promise<string> => fetch(documents).then((answer) => answer.text());
    await expect.poll(names, { timeout: 30_000 }).toContain("/documents/state/");
  });
});

describe("the bundle of notify", { timeout: 120_000 }, () => {
  it.skipIf(firestoreMissing)("accepts only responses, if deployed for them", async () => {
    const host = await startedOnce("firestore");
    const projectId = `answers-${createHash("sha256").update(folder).digest("hex").slice(0, 8)}`;
    vi.stubEnv("FIRESTORE_EMULATOR_HOST", host);
    const store = new FirestoreStore({ projectId });
    onTestFinished(async () => {
      vi.unstubAllEnvs();
      await store.close();
    });
    const incident = "20250916-121200-vpc-connector";
    await store.set("incidents", incident, { title: "Connector failing", status: "open", edited_by: null });
    const { url, said } = await startedAlone("notify", "answering", {
      FIRESTORE_EMULATOR_HOST: host,
      PATHKEEPER_PROJECT: projectId,
      PATHKEEPER_ANSWERS: "true",
      PATHKEEPER_ANSWERS_URL: answersUrl,
      PATHKEEPER_SECRET_ANSWERS_KEY: linkKey,
    });
    await expect.poll(() => fetch(url).then(({ status }) => status, said), { timeout: 60_000 }).toBe(404);
    const [channel] = configuration.channels.filter(({ kind }) => kind === "email");
    const [recipient = ""] = (channel?.settings["to"] ?? []) as string[];
    const link = {
      action: "acknowledge",
      incident,
      channel: channel?.name ?? "",
      recipient,
      notice: "opened",
    } as const;
    const signed = signedUrl(unsignedUrl(answersUrl, link), linkKey, Date.now());
    const at = `${url}${signed.slice(answersUrl.length + 1)}`;
    expect(await (await fetch(at)).text()).toContain("Acknowledge</button>");
    const press = (origin: string): Promise<Response> =>
      fetch(at, { method: "POST", headers: { origin }, body: new URLSearchParams() });
    expect((await press("https://evil.example")).status).toBe(403);
    expect(await store.get("incidents", incident)).toMatchObject({ status: "open" });
    const pushed = { method: "POST", headers: { "content-type": "application/json" }, body: "{}" };
    for (const path of ["notifications", "retries", "pages", "dead-letters", "ticks"])
      expect((await fetch(`${url}${path}`, pushed)).status).toBe(404);
    expect((await fetch(`${url}channels/${link.channel}`, pushed)).status).toBe(401);
    expect((await press(new URL(answersUrl).origin)).status).toBe(200);
    expect(await store.get("incidents", incident)).toMatchObject({ status: "acknowledged", edited_by: recipient });
    expect((await press(new URL(answersUrl).origin)).status).toBe(410);
  });
});

interface Running {
  readonly child: ChildProcess;
  readonly url: string;
  /** Its output. */
  readonly said: () => string;
}

/** Starts a bundle in its own folder; it stops after the test. */
async function startedAlone(
  name: FunctionName,
  where: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Running> {
  const alone = join(folder, where, name);
  await cp(built(name).directory, alone, { recursive: true });
  return started(["start.mjs"], alone, environment);
}

/** A command of Node that serves a function until the test is over. */
async function started(
  command: readonly string[],
  cwd: string,
  environment: Readonly<Record<string, string>>,
): Promise<Running> {
  const port = await freePort();
  const child = spawn(process.execPath, command, {
    cwd,
    env: {
      PORT: String(port),
      HOST: "127.0.0.1",
      PATHKEEPER_PROJECT: "nowhere",
      PATHKEEPER_VANTAGE: "outside",
      METADATA_SERVER_DETECTION: "none",
      ...environment,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
  return { child, url: `http://127.0.0.1:${port}/`, said: () => said };
}

/** Response of Pub/Sub to a publication, and its delay in milliseconds. */
async function pubSubStand(
  afterMs: number = 0,
): Promise<{ readonly host: string; readonly published: readonly (readonly string[])[] }> {
  const published: string[][] = [];
  const host = await stand("@google-cloud/pubsub", "google.pubsub.v1.Publisher", {
    publish(call: ServerUnaryCall<Publication, unknown>, answer: sendUnaryData<unknown>) {
      const { topic, messages } = call.request;
      for (const { data } of messages) published.push([topic, data.toString()]);
      setTimeout(answer, afterMs, null, { messageIds: messages.map((_, index) => String(index)) });
    },
  });
  return { host, published };
}

/** A service of Google's over gRPC, as the client of that package speaks it, until the test is over: `HOST:PORT`. */
async function stand(client: string, name: string, calls: UntypedServiceImplementation): Promise<string> {
  const descriptor = createRequire(import.meta.url)(`${client}/build/protos/protos.json`) as object;
  const server = new Server();
  server.addService(fromJSON(descriptor as never, { longs: String })[name] as ServiceDefinition, calls);
  const port = await promisify(server.bindAsync.bind(server))("127.0.0.1:0", ServerCredentials.createInsecure());
  onTestFinished(() => server.forceShutdown());
  return `127.0.0.1:${port}`;
}

/** Requests of the client. */
interface Publication {
  readonly topic: string;
  readonly messages: readonly { readonly data: Buffer }[];
}

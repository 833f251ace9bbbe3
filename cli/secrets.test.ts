/** Checks the output of commands that run probes locally against a target that echoes its secrets. */
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { listening } from "../functions/probe/fixtures.ts";
import { encodings } from "../shared/text/encodings.fixtures.ts";
import { fileOf, run } from "./local-probes.fixtures.ts";

const password = "c4n4ry/S3cret+&value";
const login = Buffer.from(`someone:${password}`).toString("base64");

it.each([
  ["probe", []],
  ["probe", ["--json"]],
  ["verify", []],
  ["verify", ["--json"]],
  ["watch", []],
])("%s %j prints no secret, in whatever form a target says it", async (command, options) => {
  const forms = Object.values(encodings);
  const asked = new Set<string | null>();
  const port = await listening(
    createServer((request, response) => {
      const number = new URL(request.url ?? "", "http://x").searchParams.get("form");
      const form = forms[Number(number)] ?? String;
      // Those that watch see every probe fail, and then all of them succeed.
      response.writeHead(asked.has(number) ? 200 : 401, { "content-type": "text/plain" });
      asked.add(number);
      response.end(`someone may not come in with ${form(password)}`);
    }),
  );
  // A run takes no longer than its schedule, and a busy machine takes its time.
  const probes = forms.map(
    (_, form) => `  form-${form}:
    kind: http
    component: pages
    schedule: ${command === "watch" ? "every 1s" : "every 1m"}
    alert_after: 1s
    recheck: false
    url: http://127.0.0.1:${port}/?form=${form}
    headers: { authorization: { secret: login } }
`,
  );
  const file = fileOf(`environment: shop
components: { pages: { layer: application } }
probes:
${probes.join("")}recovery: { stages: [{ name: all, probes: [${forms.map((_, form) => `form-${form}`).join(", ")}] }] }
`);
  const secrets = join(dirname(file), "secrets");
  mkdirSync(secrets);
  writeFileSync(join(secrets, "login"), `Basic ${login}\n`);
  const { out, err } = await run(command, "--config", file, "--secrets", secrets, ...options);
  const printed = [...out, ...err].join("\n");
  expect(printed.match(/someone may not come in with \*\*\*/g)?.length).toBeGreaterThanOrEqual(forms.length);
  for (const form of forms) {
    const encoded = form(password);
    for (const text of [encoded, JSON.stringify(encoded).slice(1, -1), encoded.slice(0, 12)])
      expect(printed).not.toContain(text);
  }
});

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { run } from "../local-probes.fixtures.ts";

const folder = mkdtempSync(join(tmpdir(), "pathkeeper-validate-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The warnings of a shop with this added, without those of its ground. */
async function warnings(added: string): Promise<string[]> {
  const file = join(folder, "monitor.yaml");
  const ground = `environment: shop
components:
  page: { layer: application, depends_on: [database] }
  database: { layer: platform }
  forgotten: { layer: platform }
  shelf: { layer: application }
probes:
  page: { kind: http, component: page, url: https://shop.example/, timeout: 5s, schedule: every 1m }
  slow: { kind: http, component: shelf, url: https://shop.example/slow, timeout: 5s, SEVERITY expect: { max_time: MAX } }
channels: { ops: { kind: email, to: [ops@shop.example], from: monitor@shop.example } }
`;
  const stated = /^severity: \S+/.exec(added)?.[0];
  const probed = ground
    .replace("MAX", /max_time: (\S+)/.exec(added)?.[1] ?? "5s")
    .replace("SEVERITY ", stated === undefined ? "" : `${stated}, `);
  const text = `${probed}${added.replace(/^(max_time|severity): \S+\n/, "")}`;
  writeFileSync(file, text);
  const { code, out } = await run("validate", file, "--json");
  const { problems, warnings: found } = JSON.parse(out.join("\n"));
  expect([code, problems]).toEqual([0, []]);
  return (found as { path: string; message: string }[])
    .filter(({ message }) => !/^(nothing watches|there are no routes|no route uses|no probe yields)/.test(message))
    .map(({ path, message }) => `${path}: ${message}`);
}

const rule = (name: string, condition: string, more = ""): string =>
  `  - { name: ${name}, component: page, condition: "${condition}", severity: warning${more} }\n`;

describe("validate warns about", () => {
  it.each([
    [
      "a condition that is never true",
      `monitoring_rules:\n${rule("A", "http_response_time < 0s")}`,
      ["monitoring_rules[0].condition: http_response_time < 0s is never true: http_response_time is at least 0s"],
    ],
    [
      "an all-clear that never comes",
      `monitoring_rules:\n${rule("A", "http_response_time > 2s", ', clear_condition: "2s < http_response_time"')}`,
      [
        "monitoring_rules[0].clear_condition: an alert would never clear: this never holds while the condition does not; write what must hold for the all-clear, or leave it out",
      ],
    ],
    [
      "the same rule under another name",
      `monitoring_rules:\n${rule("A", "http_response_time > 2s")}${rule("B", "2000ms < http_response_time")}`,
      ['monitoring_rules[1].condition: "A" judges the same in the same time: leave one of them out'],
    ],
    [
      "a built-in rule under another name",
      `monitoring_rules:\n${rule("A", "probe_success{probe='page'} == 0", ", alert_duration: 2m")}`,
      ['monitoring_rules[0].condition: "page failing" judges the same in the same time: leave one of them out'],
    ],
    [
      "a rule about nobody in particular",
      'monitoring_rules: [{ name: A, condition: "count(probe_success == 0) > 1", severity: warning }]\n',
      [
        "monitoring_rules[0].condition: this is one value of several components: name the component that the rule is about, or group by (component)",
      ],
    ],
    [
      "a baseline that is never met",
      'baselines: { http_response_time: "<0s", websocket_connection_success: "150%" }\n',
      [
        "baselines.http_response_time: http_response_time <0s is never true: http_response_time is at least 0s",
        "baselines.websocket_connection_success: websocket_connection_success == 150% is never true: websocket_connection_success is from 0% to 100%",
      ],
    ],
    [
      "a time that is never reached",
      "max_time: 6s\n",
      [
        "probes.slow.expect.max_time: a run ends after its timeout of 5s, so 6s are never reached: write a longer timeout or a shorter max_time",
      ],
    ],
    [
      "a window that is over",
      "maintenance: [{ name: Move, from: 2020-01-01T00:00, to: 2020-01-02T00:00 }]\n",
      ["maintenance[0]: this window is over: delete it, or give it a later time"],
    ],
    [
      "routes that tell nobody anything",
      "routes: [{ channels: [ops], components: [forgotten] }, { channels: [ops], severity: [info] }, { channels: [ops], events: [reminder, escalated] }]\n",
      [
        "routes[0].components: this route tells nobody anything: no probe and no rule watches these components",
        "routes[1].severity: this route tells nobody anything: no probe and no rule has the severity info",
        "routes[2].events: this route tells nobody anything: no route has remind_every or escalate_after",
      ],
    ],
    [
      "a route of incidents more severe than those of its components",
      "severity: warning\nroutes: [{ channels: [ops], components: [shelf], severity: [critical] }]\n",
      ["routes[0].severity: this route tells nobody anything: an incident of these components is no more than warning"],
    ],
  ])("%s", async (_, added, expected) => {
    expect(await warnings(added)).toEqual(expected);
  });

  it.each([
    [
      "the same condition after a longer time",
      `monitoring_rules:\n${rule("A", "http_response_time > 2s")}${rule("B", "http_response_time > 2s", ", alert_duration: 9m")}`,
    ],
    [
      "a clear condition with some distance",
      `monitoring_rules:\n${rule("A", "http_response_time > 2s", ", clear_condition: http_response_time < 1s")}`,
    ],
    ["a time just within the timeout", "max_time: 5s\n"],
    ["a route of reminders", "routes: [{ channels: [ops], events: [reminder], remind_every: 1h }]\n"],
    ["a window to come", "maintenance: [{ name: Move, from: 2120-01-01T00:00, to: 2120-01-02T00:00 }]\n"],
    [
      "rules about groups",
      'monitoring_rules: [{ name: A, condition: "count(probe_success == 0) by (component) > 1", severity: warning }]\n',
    ],
    [
      "a route of incidents as severe as a rule makes them",
      `severity: warning\nroutes: [{ channels: [ops], components: [shelf], severity: [critical] }]\nmonitoring_rules:\n${rule("A", "http_response_time > 2s").replace("warning", "critical").replace("page", "shelf")}`,
    ],
    [
      "a route of what fails together with something more severe",
      "severity: warning\nroutes: [{ channels: [ops], components: [database], severity: [critical] }]\n",
    ],
    // A failure can have its cause in a dependency without probes, and the monitor has its own incidents.
    [
      "routes of causes",
      "routes: [{ channels: [ops], components: [database] }, { channels: [ops], components: [pathkeeper] }]\n",
    ],
  ])("but not %s", async (_, added) => {
    expect(await warnings(added)).toEqual([]);
  });
});

it("shows a window in a later year with its time", async () => {
  const file = join(folder, "planned.yaml");
  writeFileSync(
    file,
    "environment: shop\nmaintenance: [{ name: Move, from: 2120-01-01T00:00, to: 2120-01-02T00:00 }]\n",
  );
  const { out } = await run("validate", file, "--json");
  expect(JSON.parse(out.join("\n")).maintenance).toEqual([
    { name: "Move", next: [{ from: "2120-01-01T00:00:00.000Z", to: "2120-01-02T00:00:00.000Z" }] },
  ]);
});

describe("validate", () => {
  const saved = (bytes: string | Uint8Array): string => {
    const file = join(folder, "bad.yaml");
    writeFileSync(file, bytes);
    return file;
  };

  it("shows at most 50 problems, and the number of others", async () => {
    const components = Array.from({ length: 400 }, (_, at) => `  c${at}: { layre: platform }\n`).join("");
    const file = saved(`environment: shop\ncomponents:\n${components}probes: {}\n`);
    const { code, out } = await run("validate", file);
    expect(code).toBe(1);
    expect(out.join("\n").split("\n").length).toBeLessThan(250);
    expect(out.join("\n")).toContain("… and 350 more of these");
    expect(out.at(-1)).toBe(`400 problems in ${file}`);
    expect(JSON.parse((await run("validate", file, "--json")).out.join("\n")).problems).toHaveLength(400);
  });

  it("lists a bounded number of names in one sentence", async () => {
    const components = Array.from({ length: 400 }, (_, at) => `  part-${at}: { layer: platform }\n`).join("");
    const probe = "probes: { x: { kind: tls, component: nothing-near, host: a.example } }\n";
    const { out } = await run("validate", saved(`environment: shop\ncomponents:\n${components}${probe}`));
    expect(out[0]).toMatch(/part-0, part-1, .*part-49 and 350 more$/);
  });

  it.each([
    ["UTF-16", Buffer.from("environment: shop\n", "utf16le"), "1:1  the file is UTF-16: save it as UTF-8"],
    ["not UTF-8", Buffer.from("environment: shop\ntitle: Café\n", "latin1"), "2:11  the file is not UTF-8"],
  ])("says that a file is %s", async (_, bytes, said) => {
    const file = saved(bytes);
    const { code, out } = await run("validate", file);
    expect([code, out[0]]).toEqual([1, expect.stringContaining(`${file}:${said}`)]);
  });

  it.each([
    ["a control character in a title", 'title: "Sh\\0op"', "holds the control character U+0000: remove it"],
    ["one in a key", '"ti\\etle": Shop', "holds the control character U+001B: remove it"],
    ["a title of two lines", 'title: "a\\nb"', "must be one line"],
    ["an incident URL without host", 'incident_url: "https:///${incident}"', "is no address"],
    ["a watchdog without host", 'watchdog: { url: "https:///ping" }', "there is no host behind https://"],
    ["a placeholder in the watchdog", 'watchdog: { url: "https://${HOST}/ping" }', "${HOST} is not filled in here"],
    [
      "a webhook without host",
      'channels: { h: { kind: webhook, url: "https:///x" } }',
      "there is no host behind https://",
    ],
    [
      "a line break in a header of a webhook",
      'channels: { h: { kind: webhook, url: "https://h.example/", headers: { x-a: "a\\nb: c" } } }',
      "must be one line without control characters",
    ],
    [
      "the port of a mail server",
      'channels: { h: { kind: email, to: [a@b.example], server: "smtp://a.example:99999" } }',
      "invalid port 99999",
    ],
    [
      "a missing comma between names",
      "channels: { g: { kind: webhook, url: https://h.example/ }, h: { kind: webhook, url: https://h.example/ } }\nroutes: [{ channels: [g h] }]",
      'unknown channel "g h": put commas between the names, as in [g, h]',
    ],
    [
      "a duration beyond all dates",
      "monitoring_rules: [{ name: x, condition: http_response_time > 5s, alert_duration: 999999999d, severity: info }]",
      '"999999999d" is too long: the longest duration is 3650d',
    ],
  ])("refuses %s", async (_, line, said) => {
    const { code, out } = await run("validate", saved(`environment: shop\n${line}\n`), "--json");
    const { problems } = JSON.parse(out.join("\n")) as { problems: { message: string }[] };
    expect(code).toBe(1);
    expect(problems.map(({ message }) => message).join("\n")).toContain(said);
  });
});

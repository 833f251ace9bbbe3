import { expect, it } from "vitest";
import { loadConfiguration } from "../../shared/config/load.ts";
import { vocabulary } from "../vocabulary.ts";
import { toldOf } from "./routes.ts";

/** A shop, with these routes. */
function loadedWith(routes: string, channels = "") {
  const text = `
environment: shop
control: off
components:
  database: { layer: platform, team: infrastructure }
  shop: { layer: application, depends_on: [database] }
probes:
  shop: { kind: http, component: shop, url: "https://shop.example.com/", schedule: every 1m, timeout: 5s }
channels:
  ops: { kind: webhook, url: "https://hooks.example.com/ops" }
  boss: { kind: webhook, url: "https://hooks.example.com/boss", audience: executives }
${channels}
routes:
${routes}
`;
  const loaded = loadConfiguration(text, "monitor.yaml", vocabulary);
  if (!("configuration" in loaded)) throw new Error(JSON.stringify(loaded.problems));
  return loaded;
}

/** Places of warnings with the beginning of what they say. */
function warned(routes: string, channels?: string): string[] {
  return loadedWith(routes, channels).warnings.map(({ line, message }) => `${line} ${message}`);
}

it("shows the notified channels by severity, critical first", () => {
  const { configuration } = loadedWith(`
  - { channels: [ops], remind_every: 1h, escalate_after: 15m }
  - { channels: [boss], severity: [critical], components: [shop], events: [opened, root_cause_changed, resolved] }`);
  expect(
    toldOf(configuration).map(
      ({ component, severity, readers }) =>
        `${component} ${severity}: ${readers.map(({ channel, events }) => `${channel} ${events.length}`).join(", ")}`,
    ),
  ).toEqual([
    "database critical: ops 7",
    "database warning: ops 7",
    "database info: ops 7",
    "shop critical: ops 7, boss 3",
    "shop warning: ops 7",
    "shop info: ops 7",
  ]);
  expect(toldOf(configuration)[0]?.readers[0]).toMatchObject({
    remind_every_seconds: 3600,
    escalate_after_seconds: 900,
  });
});

it.each<[string, string, RegExp[]]>([
  ["all news", "- { channels: [ops, boss] }", []],
  [
    "opened and resolved of warnings as well",
    "- { channels: [boss], severity: [warning, critical], events: [opened, resolved] }",
    [
      /boss would be left with something false: .*severity warning.*become critical.*add severity_raised to events/,
      /boss .* cause/,
    ],
  ],
  [
    "warnings alone",
    "- { channels: [ops], severity: [warning] }",
    [/ops would be left with something false: .*warning.*critical.*add critical to severity/],
  ],
  [
    "warnings alone, and what is critical by another route",
    "- { channels: [ops], severity: [warning] }\n  - { channels: [ops], severity: [critical] }",
    [],
  ],
  [
    "recoveries without relapses",
    "- { channels: [ops], events: [opened, severity_raised, root_cause_changed, recovering, resolved] }",
    [/ops would be left with something false: .*works again.*add regressed to events/],
  ],
  [
    "what is critical from the beginning",
    "- { channels: [boss], severity: [critical], events: [opened, root_cause_changed, resolved] }",
    [],
  ],
])("warns about recipients who would keep outdated information: %s", (_, routes, expected) => {
  const found = warned(`  ${routes}`).filter((text) => text.includes("left with something false"));
  expect(found).toHaveLength(expected.length);
  for (const [at, pattern] of expected.entries()) expect(found[at]).toMatch(pattern);
});

it("warns about a sender that no mail server accepts, and refuses port 25", () => {
  const mail = '  mail: { kind: email, to: [a@example.com], server: "smtps://mail.example.com" }';
  expect(warned("  - { channels: [ops, mail] }", mail).join()).toMatch(
    /mail servers reject mails from pathkeeper@localhost/,
  );
  const own = mail.replace("server:", 'from: "Pathkeeper <monitor@example.com>", server:');
  expect(warned("  - { channels: [ops, mail] }", own).join()).not.toContain("mail servers refuse");
  expect(() =>
    warned("  - { channels: [ops, mail] }", own.replace('mail.example.com"', 'mail.example.com:25"')),
  ).toThrow(/Google Cloud blocks port 25: use port 587 or 465 of a relay/);
});

import { describe, expect, it } from "vitest";
import { shopConfiguration } from "./scenario.fixtures.ts";
import { actionOf, effectOf } from "./statement.ts";

/** An effect in one line. */
function understood(sentence: string): string {
  const effect = effectOf(sentence, shopConfiguration);
  const probes = "probes" in effect ? [...effect.probes].join("+") : "";
  switch (effect.what) {
    case "outcome": {
      const { outcome } = effect;
      if (outcome.outcome !== "fails") return `${probes} ${outcome.outcome}`;
      const { kind, phase, message } = outcome.failure;
      const share = outcome.share === undefined ? "" : ` ${outcome.share.runs}/${outcome.share.of}`;
      return `${probes} ${kind}/${phase} ${message}${share}`;
    }
    case "metric": {
      const { metric, labels, values } = effect.sample;
      const course = values === undefined ? "none" : `${values.first} ${values.last} ${values.shape}`;
      return `${probes} ${metric}${JSON.stringify(labels)} ${course}`;
    }
    case "finding":
      return `${probes} ${JSON.stringify(effect.finding)}`;
    case "log":
      return `${probes} ${effect.component} ${effect.message} ${effect.count}`;
    case "unhealthy":
      return `${effect.vantages.join("+")} ${effect.message}`;
    case "arrival":
      return `${probes} ${JSON.stringify(effect.delays)}`;
    case "answer":
      return `${effect.channel} ${effect.status}`;
  }
}

const all = "shop-health+search+database";

describe("conditions", () => {
  it.each([
    ["database fails", "database timeout/connect no answer within its timeout"],
    ["shop-health fails", "shop-health http_status/response 503 Service Unavailable"],
    ["database fails in connect (refused)", "database refused/connect the connection was refused"],
    ["database fails (database)", "database database/query the server answered with an error"],
    ['database fails "too many clients"', "database timeout/connect too many clients"],
    ["database fails in tls", "database timeout/tls no answer within its timeout"],
    ["database fails 1 of 3 runs", "database timeout/connect no answer within its timeout 1/3"],
    ["shop-health, search and database fail", `${all} http_status/response 503 Service Unavailable`],
    ["every probe is silent", `${all} silent`],
    ["every probe outside is good", "shop-health+search good"],
    ["every probe of shop works", "shop-health+search good"],
    ["every probe behind connector is silent", `${all} silent`],
    ["every probe behind database inside is silent", "database silent"],
    ["database_connection_time is 27s", "database database_connection_time{} 27 27 ramp"],
    ["database_connection_time of search is 300ms", "search database_connection_time{} 0.3 0.3 ramp"],
    ["database_connection_time is between 1s and 3s", "database database_connection_time{} 1 3 noise"],
    ["http_response_time goes from 1s to 9s", "shop-health+search http_response_time{} 1 9 ramp"],
    ["http_response_time is missing", "shop-health+search http_response_time{} none"],
    ["smd_phase_3_duration of search is 50s", 'search smd_phase_duration{"phase":"3"} 50 50 ramp'],
    ['smd_phase_duration{phase="3"} of search is 50', 'search smd_phase_duration{"phase":"3"} 50 50 ramp'],
    ['http_response_time{probe="search"} is 8s', "search http_response_time{} 8 8 ramp"],
    [
      'http_response_time{component="shop", vantage="outside"} is 8s',
      "shop-health+search http_response_time{} 8 8 ramp",
    ],
    ['http_phase_time{probe="search", phase="dns"} is 8s', 'search http_phase_time{"phase":"dns"} 8 8 ramp'],
    ["reports come 90s late", `${all} [90000]`],
    ["reports from inside come twice", "database [0,0]"],
    ["reports of search come twice, 90s apart", "search [0,90000]"],
    ["reports from outside are lost", "shop-health+search []"],
    ["prober is unhealthy", "inside+outside the control probe failed"],
    ['prober inside is unhealthy "no network"', "inside no network"],
    ["channel hook answers 503", "hook 503"],
    ["channel hook is down", "hook 0"],
    [
      'check egress of search finds "private" instead of "all" because "it leaks"',
      'search {"check":"egress","ok":false,"observed":"private","expected":"all","explanation":"it leaks"}',
    ],
    [
      'check egress{resource="staging", severity="critical", component="connector"} of search finds "private"',
      'search {"check":"egress","ok":false,"observed":"private","expected":"","explanation":"","resource":"staging","severity":"critical","component":"connector"}',
    ],
    [
      'check egress of search finds "x" because "It is." remedy "Mend it."',
      'search {"check":"egress","ok":false,"observed":"x","expected":"","explanation":"It is. Mend it.","remedy":"Mend it."}',
    ],
    [
      'check egress{tells="no_path", tells="hits_some"} of search finds "x"',
      'search {"check":"egress","ok":false,"observed":"x","expected":"","explanation":"","tells":["no_path","hits_some"]}',
    ],
    [
      'check load_balancer_timeout{resource="lb"} of search finds "30s"',
      expect.stringContaining('"tells":["cuts_off","hits_some"]'),
    ],
    [
      'check vpc_connector_state{resource="c1"} of search finds "ERROR"',
      expect.stringMatching(/"remedy":"[^"]*connectors describe c1 .*"severity":"critical"/),
    ],
  ])("%s", (sentence, meaning) => {
    expect(understood(sentence)).toEqual(meaning);
  });

  it.each([
    ["databse fails", 'there is no probe and no metric "databse": did you mean "database"?', 0],
    [
      "database_conection_time is 3s",
      'there is no probe and no metric "database_conection_time": did you mean "database_connection_time"?',
      0,
    ],
    [
      "shop fails",
      '"shop" is a component, but a probe is expected: write every probe of shop, or every probe behind shop for what depends on it as well',
      0,
    ],
    ["database fial", '"fial" stands where "fails", "is good" or "is silent" should', 9],
    ["database", 'the sentence ends where "fails", "is good" or "is silent" should', 8],
    ["database fails in", "the sentence ends where the phase in which it fails, such as connect should", 17],
    ["database fails badly", '"badly" stands where the end of the sentence should', 15],
    [
      "database fails 3 of 3 runs",
      "it fails in 3 of 3 runs: the first number must be less than the second, and not 0",
      15,
    ],
    [
      "database_connection_time is 93%",
      "database_connection_time is a time and 93% is a ratio: write one such as 27s",
      28,
    ],
    [
      "vpc_connector_utilization is 93%",
      "no probe of the configuration yields vpc_connector_utilization: say whose it is, as in vpc_connector_utilization of PROBE is …",
      0,
    ],
    [
      'http_response_time{probe="nonesuch"} is 8s',
      'there is no probe "nonesuch": the probes are shop-health, search, database',
      25,
    ],
    ['http_response_time{probe="serch"} is 8s', 'there is no probe "serch": did you mean "search"?', 25],
    [
      'http_response_time{probe="database"} is 8s',
      "no probe of the configuration yields http_response_time with these labels: say whose it is, as in http_response_time of PROBE is …",
      0,
    ],
    [
      'check egress{severity="bad"} of search finds "x"',
      'there is no severity "bad": the severitys are info, warning, critical',
      22,
    ],
    ['check egress{team="bad"} of search finds "x"', 'there is no label of a finding "team": ', 13],
    ["every probe of connector fails", "there is no such probe in the configuration", 0],
    ["every probe of databas fails", 'there is no component "databas": did you mean "database"?', 15],
    ["channel hok is down", 'there is no channel "hok": did you mean "hook"?', 8],
    ['database fails "no end', 'unterminated string: write "…"', 15],
    ["reports come late", 'invalid duration "late": write 90s, 5m or 1h30m', 13],
  ])("%s is refused at its position", (sentence, message, offset) => {
    expect(() => effectOf(sentence, shopConfiguration)).toThrow(
      expect.objectContaining({ message: expect.stringContaining(message), offset }),
    );
  });
});

describe("actions", () => {
  it.each([
    ["acknowledge", { action: "edit", fields: { status: "acknowledged" } }],
    ['acknowledge "on it"', { action: "edit", fields: { status: "acknowledged", note: "on it" } }],
    ["resolve", { action: "edit", fields: { status: "resolved" } }],
    ["reopen", { action: "edit", fields: { status: "open" } }],
    ['note "looking"', { action: "edit", fields: { note: "looking" } }],
    ["mute for 1h", { action: "edit", fields: {}, silenceMs: 3_600_000 }],
    ['write status "fixed"', { action: "edit", fields: { status: "fixed" } }],
    [
      'silence component database for 2h "planned"',
      { action: "silence", scope: "component", name: "database", forMs: 7_200_000, reason: "planned" },
    ],
    [
      'silence rule "Database slow" for 1h',
      { action: "silence", scope: "rule", name: "Database slow", forMs: 3_600_000, reason: "" },
    ],
    [
      "silence everything for 1h",
      { action: "silence", scope: "environment", name: "shop", forMs: 3_600_000, reason: "" },
    ],
    ["restart", { action: "restart" }],
  ])("%s", (sentence, action) => {
    expect(actionOf(sentence, shopConfiguration)).toEqual(action);
  });

  it.each([
    ["acknowlege", '"acknowlege" cannot be done at an instant: did you mean "acknowledge"?'],
    ["write stats 1", 'there is no field that operators edit "stats": did you mean "status"?'],
    ["silence component databse for 2h", 'there is no component "databse": did you mean "database"?'],
    ["silence everything", 'the sentence ends where "for" should'],
  ])("%s is refused", (sentence, message) => {
    expect(() => actionOf(sentence, shopConfiguration)).toThrow(message);
  });
});

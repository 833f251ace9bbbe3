import { describe, expect, it } from "vitest";
import type { Component } from "../../../shared/config/model.ts";
import type { FailureKind } from "../../../shared/messages/report.ts";
import { ComponentGraph } from "../graph.ts";
import type { ProbeFact } from "../partition/state.ts";
import { diagnose } from "./diagnose.ts";
import type { Diagnosis, Symptom } from "./diagnosis.ts";
import type { Observed } from "./evidence.ts";
import type { Fault } from "./knowledge/indicators.ts";
import { rolesOf } from "./roles.ts";

const components: readonly Component[] = [
  { name: "connector", title: "VPC connector", layer: "platform", role: "connector", dependsOn: [] },
  { name: "sql", title: "Cloud SQL", layer: "platform", role: "database", dependsOn: ["connector"] },
  { name: "certificate", title: "Certificate", layer: "platform", role: "certificate", dependsOn: [] },
  { name: "backend", title: "Backend", layer: "application", dependsOn: ["sql"] },
  { name: "auth", title: "Auth", layer: "application", role: "auth", dependsOn: ["sql", "certificate"] },
  { name: "websocket", title: "WebSocket", layer: "application", role: "websocket", dependsOn: ["backend"] },
  { name: "journey", title: "Golden path", layer: "application", role: "journey", dependsOn: ["websocket", "auth"] },
];
const graph = new ComponentGraph(components);
const roles = rolesOf(components);

const noon = Date.UTC(2025, 8, 16, 12);

/** `"database sql inside 12:04:06 timeout/connect"`: a failing probe. */
function bad(text: string): Symptom {
  const [probe = "", component = "", vantage = "", time = "", failure] = text.split(" ");
  const [kind, phase = ""] = failure?.split("/") ?? [];
  return {
    id: `probe/${probe}`,
    component,
    source: "probe",
    since: Date.parse(`2025-09-16T${time}Z`),
    phrase: `\`${probe}\` fails in ${phase}`,
    vantage: vantage as "inside" | "outside",
    failure: { kind: kind as FailureKind, phase, message: "" },
    confirmed: true,
  };
}

/** `"database-direct sql outside"`: a probe that was good throughout. */
function good(text: string): ProbeFact {
  const [probe = "", component = "", vantage = ""] = text.split(" ");
  return { probe, component, vantage: vantage as "inside" | "outside", status: "good", since: noon, at: noon };
}

function cause(symptoms: string[], greens: string[], previous?: Diagnosis): Diagnosis {
  return diagnose(observed({ symptoms: symptoms.map(bad), greens: greens.map(good) }), previous);
}

function observed(seen: Partial<Observed>): Observed {
  return { symptoms: [], greens: [], indicators: [], faults: [], graph, roles, at: noon + 600_000, ...seen };
}

describe("the root cause", () => {
  it.each([
    [
      "a connector that drops handshakes, while the database answers from outside",
      [
        "database sql inside 12:04:06 timeout/authentication",
        "backend-health backend outside 12:04:10 http_status/response",
        "auth-health auth outside 12:04:12 http_status/response",
        "handshake websocket outside 12:04:12 http_status/upgrade",
      ],
      ["database-direct sql outside"],
      ["connector", "platform"],
    ],
    [
      "a database that is full: it answers, with an error",
      [
        "database sql inside 12:04:06 database/authentication",
        "backend-health backend outside 12:04:10 http_status/response",
        "auth-health auth outside 12:04:12 http_status/response",
      ],
      [],
      ["sql", "platform"],
    ],
    [
      "a bad deploy of one service: everything below it works",
      [
        "backend-health backend outside 12:04:06 http_status/response",
        "handshake websocket outside 12:04:12 http_status/upgrade",
      ],
      ["database sql inside", "auth-health auth outside"],
      ["backend", "application"],
    ],
    [
      "a service that cannot be reached at all, while its database works",
      ["auth-health auth outside 12:04:06 timeout/first_byte"],
      ["database sql inside", "backend-health backend outside"],
      ["auth", "application"],
    ],
    [
      "WebSockets only: the service behind them is healthy",
      ["handshake websocket outside 12:04:06 http_status/upgrade"],
      ["backend-health backend outside", "database sql inside"],
      ["websocket", "application"],
    ],
    [
      "an agent that does not reply: only the journey fails",
      ["walk journey outside 12:04:06 timeout/reply"],
      [
        "handshake websocket outside",
        "auth-health auth outside",
        "backend-health backend outside",
        "database sql inside",
      ],
      ["journey", "application"],
    ],
    [
      "an expired certificate",
      ["expiry certificate outside 12:04:06 tls/tls", "auth-health auth outside 12:04:06 tls/tls"],
      ["backend-health backend outside", "database sql inside"],
      ["certificate", "platform"],
    ],
  ])("of %s", (_, symptoms, greens, [rootCause, verdict]) => {
    expect(cause(symptoms, greens)).toMatchObject({ rootCause, verdict });
  });

  it("gives its evidence for and against, and the chain of whys", () => {
    const { evidence, whys, confidence } = cause(
      [
        "database sql inside 12:04:06 timeout/authentication",
        "backend-health backend outside 12:04:10 http_status/response",
      ],
      ["database-direct sql outside", "auth-health auth outside"],
    );
    expect(evidence).toEqual([
      "For VPC connector: `database` fails in authentication, from inside, since 12:04:06 UTC.",
      "For VPC connector: `backend-health` fails in response, from outside, since 12:04:10 UTC.",
      "For VPC connector: `database-direct` reaches Cloud SQL from outside, so it answers, and the path from inside is what fails.",
      "Against VPC connector: `auth-health` was good throughout, though it needs VPC connector.",
      "Less likely: Backend, because it explains fewer of the symptoms.",
    ]);
    expect(whys).toEqual([
      "Backend fails: `backend-health` fails in response.",
      "Why? It depends on Cloud SQL. Cloud SQL fails: `database` fails in authentication.",
      "Why? Everything points to VPC connector.",
      "Why? VPC connector drops new connections before they reach their target.",
    ]);
    expect(confidence).toBeGreaterThan(0.5);
    expect(confidence).toBeLessThanOrEqual(0.95);
  });

  it("does not report a check that failed once as good all the time", () => {
    const once = { ...bad("auth-health auth outside 12:04:20 timeout/first_byte"), until: noon + 300_000 };
    const { evidence } = diagnose(
      observed({
        symptoms: [bad("database sql inside 12:04:06 timeout/authentication"), once],
        greens: ["database-direct sql outside", "auth-health auth outside", "backend-health backend outside"].map(good),
      }),
    );
    expect(evidence).toContain(
      "Against VPC connector: `backend-health` was good throughout and `auth-health` was good except for single runs, though they need VPC connector.",
    );
  });

  it("allows two simultaneous causes", () => {
    const { rootCause, alsoBroken } = cause(
      [
        "database sql inside 12:04:06 database/authentication",
        "backend-health backend outside 12:04:10 http_status/response",
        "expiry certificate outside 12:30:00 tls/tls",
      ],
      [],
    );
    expect([rootCause, alsoBroken]).toEqual(["sql", "certificate"]);
  });

  it("names a component near its limit as the cause of slowness, even while everything still works", () => {
    const slow = (component: string, time: string): Symptom => ({
      id: `alert/${component}`,
      component,
      source: "rule",
      since: Date.parse(`2025-09-16T${time}Z`),
      phrase: `${component} is near its limit`,
    });
    const greens = ["database sql inside", "backend-health backend outside", "auth-health auth outside"].map(good);
    const { rootCause, verdict } = diagnose(
      observed({ symptoms: [slow("connector", "12:00:00"), slow("sql", "12:00:10")], greens }),
    );
    expect([rootCause, verdict]).toEqual(["connector", "platform"]);
  });

  it("is unknown if the evidence is insufficient", () => {
    // Two services fail, and their shared dependencies are not measured: the connector and the database are equally likely.
    const diagnosis = cause(
      [
        "backend-health backend outside 12:04:06 http_status/response",
        "auth-health auth outside 12:04:12 http_status/response",
      ],
      [],
    );
    expect(diagnosis).toMatchObject({ rootCause: "unknown", verdict: "platform", confidence: 0.2 });
    expect(diagnosis.evidence[0]).toBe("Seen: `backend-health` fails in response, from outside, since 12:04:06 UTC.");
    expect(diagnosis.next).toEqual([
      "Run `npx --no pathkeeper probe --probe backend-health --probe auth-health` and check which phase fails.",
      expect.stringMatching(
        /^VPC connector and Cloud SQL explain the observations almost equally well\. VPC connector itself was not measured: add a probe of the kind `postgres` with a `burst`/,
      ),
    ]);
  });

  it("is the monitor itself if only its own runs failed", () => {
    const diagnosis = cause(["walk journey outside 12:04:06 internal/run"], []);
    expect(diagnosis).toMatchObject({ rootCause: "pathkeeper", verdict: "monitor" });
  });

  it("does not blame a component whose metrics cannot be read: a denied permission is not a symptom of the connector", () => {
    const symptoms = [
      "connector-load connector outside 12:03:00 auth/google_api",
      "sql-load sql outside 12:03:00 unavailable/google_api",
      "walk journey outside 12:04:10 http_status/response",
      "backend-health backend outside 12:04:12 body/body",
    ];
    expect(cause(symptoms, []).rootCause).toBe("backend");
    expect(cause(symptoms.slice(0, 2), [])).toMatchObject({ rootCause: "pathkeeper", verdict: "monitor" });
  });

  it("does not change for slightly more evidence of another cause", () => {
    const first = cause(["backend-health backend outside 12:04:06 http_status/response"], []);
    expect(first.rootCause).not.toBe("unknown");
    const again = cause(
      [
        "backend-health backend outside 12:04:06 http_status/response",
        "handshake websocket outside 12:04:12 http_status/upgrade",
      ],
      [],
      first,
    );
    expect(again.rootCause).toBe(first.rootCause);
  });

  it("keeps the cause after everything has recovered", () => {
    const failing = bad("database sql inside 12:04:06 timeout/connect");
    const greens = [
      "database-direct sql inside",
      "database-read sql inside",
      "backend-health backend outside",
      "auth-health auth outside",
      "handshake websocket outside",
      "golden-path journey outside",
    ].map(good);
    const found = cause(["database sql inside 12:04:06 timeout/connect"], ["database-direct sql outside"]);
    expect(found.rootCause).toBe("connector");
    const going = diagnose(observed({ symptoms: [failing], greens }), found);
    expect(going.rootCause).not.toBe("connector");
    const over = diagnose(observed({ symptoms: [{ ...failing, until: noon + 500_000 }], greens }), found);
    expect(over).toEqual(found);
  });
});

describe("a finding of a configuration check", () => {
  const found: Fault = {
    check: "cloud_run_ingress",
    component: "backend",
    resource: "shop-backend",
    found: "INGRESS_TRAFFIC_INTERNAL_ONLY, expected a setting that admits the load balancer",
    why: "Requests are refused",
    says: "cloud_run_ingress is INGRESS_TRAFFIC_INTERNAL_ONLY: Requests are refused",
    remedy: "Admit the load balancer: `gcloud run services update shop-backend`.",
    severity: "critical",
    since: noon + 300_000,
    isNew: true,
  };
  const symptoms = ["health backend outside 12:04:06 http_status/response"].map(bad);
  const greens = ["auth-health auth outside", "direct sql outside"].map(good);

  it("becomes the last why and the first step, with its own remedy and the real resource name", () => {
    const { rootCause, whys, next = [] } = diagnose(observed({ symptoms, greens, faults: [found] }));
    expect(rootCause).toBe("backend");
    expect(whys.at(-1)).toBe(
      "Why? The configuration of `shop-backend` is wrong: INGRESS_TRAFFIC_INTERNAL_ONLY, expected a setting that admits the load balancer (`cloud_run_ingress`). Requests are refused.",
    );
    expect(next[0]).toBe(
      "Fix `shop-backend`: INGRESS_TRAFFIC_INTERNAL_ONLY, expected a setting that admits the load balancer. Admit the load balancer: `gcloud run services update shop-backend`.",
    );
    expect(next.join(" ")).not.toContain("what was deployed");
  });

  it("is a later step, and not evidence, if it was failing for hours while everything worked", () => {
    const standing = { ...found, since: noon - 4 * 3_600_000, isNew: false };
    const { whys, next = [] } = diagnose(observed({ symptoms, greens, faults: [standing] }));
    expect(whys.at(-1)).not.toContain("configuration");
    expect(next[0]).not.toContain("shop-backend");
    expect(next.join(" ")).toContain("Fix `shop-backend`");
  });
});

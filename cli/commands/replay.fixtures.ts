/** A recorded outage, drawn as one line a probe and one mark a minute. */
import { loadConfiguration } from "../../shared/config/load.ts";
import type { Configuration } from "../../shared/config/model.ts";
import type { ProbeResult, Report, Trigger, Vantage } from "../../shared/messages/report.ts";
import { vocabulary } from "../vocabulary.ts";

/** The configuration of the shop that broke. */
export const shop: string = `environment: shop
components:
  database: { title: Database, layer: platform }
  backend: { title: Backend, layer: application, depends_on: [database], impact: Nobody can order }
  pages: { title: Pages, layer: application }
probes:
  backend-health: { kind: http, component: backend, url: https://shop.example/health }
  pages: { kind: http, component: pages, url: https://shop.example/ }
  database: { kind: postgres, component: database, vantage: inside, connection: { url: { secret: database-url } } }
recovery:
  stages:
    - { name: basic health, probes: [backend-health, database] }
    - { name: pages, probes: [pages] }
`;

/** A checked configuration from its text. */
export function configurationOf(text: string): Configuration {
  const loaded = loadConfiguration(text, "shop.yaml", vocabulary);
  if ("problems" in loaded) throw new Error(loaded.problems.map(({ message }) => message).join("; "));
  return loaded.configuration;
}

/** Reports of the shop from noon on: a mark a minute, `.` for good, `X` for failing and a blank for no result. */
export function recorded(marks: Readonly<Record<string, string>>): Report[] {
  const minutes = Math.max(...Object.values(marks).map((line) => line.length));
  return Array.from({ length: minutes }, (_, minute) => minute).flatMap((minute) =>
    (["outside", "inside"] as const).flatMap((vantage) => {
      const results = probes
        .filter((probe) => probe.vantage === vantage)
        .flatMap(({ name, component }) => resultOf(name, component, marks[name]?.[minute], minute));
      return results.length === 0 ? [] : [reportOf("schedule", vantage, minute, results)];
    }),
  );
}

/** A report that answers a validation, finished half a minute after that minute. */
export function validated(
  minute: number,
  vantage: Vantage,
  request: string,
  marks: Readonly<Record<string, string>>,
): Report {
  const results = probes.flatMap(({ name, component }) => resultOf(name, component, marks[name], minute + 0.5));
  return { ...reportOf("validation", vantage, minute + 0.5, results), request };
}

const probes = [
  { name: "backend-health", component: "backend", vantage: "outside" },
  { name: "pages", component: "pages", vantage: "outside" },
  { name: "database", component: "database", vantage: "inside" },
] as const;

function resultOf(probe: string, component: string, mark: string | undefined, minute: number): ProbeResult[] {
  if (mark === undefined || mark === " ") return [];
  const success = mark === ".";
  return [
    {
      probe,
      component,
      at: instant(minute, 100),
      success,
      ...(success ? {} : { failure: { kind: "timeout", phase: "connect", message: "no answer within 5s" } }),
      measurements: [{ metric: "probe_success", value: success ? 1 : 0, labels: {} }],
    },
  ];
}

function reportOf(trigger: Trigger, vantage: Vantage, minute: number, results: ProbeResult[]): Report {
  const group = trigger === "schedule" ? `${vantage}-1m` : `${vantage}-validation`;
  return {
    v: 1,
    report: `shop/${group}/${instant(minute, 0)}`,
    environment: "shop",
    vantage,
    group,
    trigger,
    started_at: instant(minute, 100),
    finished_at: instant(minute, vantage === "outside" ? 400 : 600),
    results,
  };
}

/** So many minutes and milliseconds after noon. */
function instant(minute: number, milliseconds: number): string {
  return new Date(Date.UTC(2025, 8, 16, 12) + minute * 60_000 + milliseconds).toISOString();
}

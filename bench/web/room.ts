/**
 * The time that pages of the control room take to open, with two hundred components and thirty days of reports: three series each, a value a minute of
 * the last two days and every half hour before. Prints a table; decides nothing.
 */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MeasurementsFile } from "../../local/measurements/measurements-file.ts";
import { openRoom } from "../../local/web/room.ts";
import { MemoryStore } from "../../shared/adapters/memory.ts";
import type { Configuration } from "../../shared/config/model.ts";
import { availabilityCollection, dayOf, monthOf } from "../../shared/documents/availability.ts";
import type { Report } from "../../shared/messages/report.ts";
import { pageEnvironment } from "../support.ts";

const noon = Date.UTC(2025, 8, 16, 12);
const minute = 60_000;
const day = 86_400_000;
const days = 30;
const count = 200;
const incidentId = "20250916-110000-service-1";

const configuration: Configuration = {
  ...pageEnvironment,
  components: Array.from({ length: count }, (_, index) => ({
    name: `service-${index}`,
    title: `Service ${index}`,
    layer: index % 4 === 0 ? ("platform" as const) : ("application" as const),
    dependsOn: index < 10 ? [] : [`service-${Math.floor(index / 5)}`],
  })),
};

const folder = mkdtempSync(join(tmpdir(), "pathkeeper-room-bench-"));
try {
  const path = join(folder, "measurements.db");
  const file = new MeasurementsFile(path);
  const begun = performance.now();
  let reports = 0;
  for (let at = noon - days * day; at < noon; at += at < noon - 2 * day ? 30 * minute : minute, reports++)
    file.record(reportAt(at), at);
  const each = (performance.now() - begun) / reports;
  const size = statSync(path).size / 1e6;
  console.log(`\n${reports} reports of ${count} probes: ${each.toFixed(1)} ms each, ${size.toFixed(0)} MB\n`);
  const store = await filledStore();
  const now = { at: noon };
  const sources = { store, configuration, measurements: file, now: () => now.at, freshMs: 1_000 };
  const room = await openRoom({ sources, token: "bench" });
  console.log("| page | first ms | again ms | KB |\n| ---- | -------- | -------- | -- |");
  const paths = [
    "",
    "?layer=platform",
    "components/service-7",
    "components/service-7?range=30d",
    "incidents",
    `incidents/${incidentId}`,
  ];
  for (const page of paths) {
    // Nothing that was read before is fresh.
    now.at += 60_000;
    const [first, length] = await opened(`${room.url}${page}`);
    const [again] = await opened(`${room.url}${page}`);
    console.log(`| /${page} | ${first.toFixed(0)} | ${again.toFixed(0)} | ${(length / 1000).toFixed(0)} |`);
  }
  await room.stop();
  file.close();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function opened(url: string): Promise<[ms: number, length: number]> {
  const begun = performance.now();
  const text = await (await fetch(url)).text();
  return [performance.now() - begun, text.length];
}

function reportAt(at: number): Report {
  const instant = new Date(at).toISOString();
  const value = 0.2 + 0.1 * Math.sin(at / 3_600_000);
  return {
    v: 1,
    report: `bench/outside-1m/${instant}`,
    environment: "bench",
    vantage: "outside",
    group: "outside-1m",
    trigger: "schedule",
    started_at: instant,
    finished_at: instant,
    results: configuration.components.map(({ name }) => ({
      probe: `${name}-health`,
      component: name,
      at: instant,
      success: true,
      measurements: [
        { metric: "probe_success", value: 1, labels: {} },
        { metric: "http_response_time", value, labels: {} },
        { metric: "http_phase_time", value: value / 4, labels: { phase: "connect" } },
      ],
    })),
  };
}

/** Ninety days of availability, and an incident of ten components. */
async function filledStore(): Promise<MemoryStore> {
  const store = new MemoryStore();
  const instants = Array.from({ length: 90 }, (_, ago) => noon - ago * day);
  for (const [month, own] of Map.groupBy(instants, monthOf)) {
    const components = Object.fromEntries(
      configuration.components.map(({ name }) => [name, { up: 86_400, down: 0, unknown: 0 }]),
    );
    const all = Object.fromEntries(own.map((at) => [dayOf(at), { components, journeys: {} }]));
    await store.set(availabilityCollection, month, { data: JSON.stringify({ days: all }) });
  }
  const from = new Date(noon - 3_600_000);
  const broken = configuration.components.slice(0, 10).map(({ name }) => name);
  await store.set("incidents", incidentId, {
    title: "Bench: ten services failing",
    status: "open",
    severity: "critical",
    root_cause: "service-1",
    components: broken,
    affected: broken.map((component) => ({ component, title: component, trouble: "failed", from, until: null })),
    symptoms: broken.map((component) => ({
      check: component,
      kind: "probe",
      component,
      since: from,
      until: null,
      showed: "fails",
    })),
    first_failure_at: from,
    opened_at: from,
  });
  return store;
}

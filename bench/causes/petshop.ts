/**
 * The public benchmark PetShop (Hardt et al., CLeaR 2024): faults in a shop of 41 components, read by `cloud_monitoring` alone. Limits are
 * derived from normal operation: `mad5`, the median plus and minus five scaled median absolute deviations, or `q999`, the quantiles 0.1 %
 * and 99.9 %. Only the train split is read.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { rehearse } from "../../cli/replay/replay.ts";
import { vocabulary } from "../../cli/vocabulary.ts";
import { planOf } from "../../functions/evaluate/plan.ts";
import { loadConfiguration } from "../../shared/config/load.ts";
import type { IncidentEvent } from "../../shared/messages/incident-event.ts";
import type { Report } from "../../shared/messages/report.ts";

const step = 300;
/** Rows of normal operation that are replayed before an issue. */
const healthyRows = 24;

interface Table {
  readonly columns: readonly { readonly node: string; readonly metric: string; readonly index: number }[];
  readonly rows: readonly { readonly at: number; readonly cells: readonly string[] }[];
}

interface Watch {
  readonly node: string;
  readonly metric: string;
  readonly limit: number;
}

/** The method that derives limits from normal operation. */
export type Recipe = "mad5" | "q999";

/** Returns the diagnosis of every issue in the train split. */
export async function petshop(folder: string, recipe: Recipe): Promise<Answered[]> {
  const answers: Answered[] = [];
  for (const scenario of readdirSync(folder).sort()) {
    const root = join(folder, scenario);
    if (!existsSync(join(root, "noissue", "metrics.csv")) || !existsSync(join(root, "train"))) continue;
    const graph = graphIn(join(root, "graph.csv"));
    const normal = tableIn(join(root, "noissue", "metrics.csv"));
    const watches = watchesOf(normal, graph, recipe);
    const names = new Map([...graph.keys()].map((node, index) => [node, `part-${index}`]));
    const configuration = configurationOf(graph, watches, names);
    for (const issue of readdirSync(join(root, "train"))) {
      const table = tableIn(join(root, "train", issue, "metrics.csv"));
      const told = JSON.parse(readFileSync(join(root, "train", issue, "target.json"), "utf8")) as {
        target: { node: string };
        root_cause: { node: string };
      };
      const first = table.rows[0]?.at ?? 0;
      const before = normal.rows
        .slice(-healthyRows)
        .map((row, index) => ({ ...row, at: first - (healthyRows - index) * step }));
      const reports = [
        ...before.map((row) => reportOf(row, normal, watches, names)),
        ...table.rows.map((row) => reportOf(row, table, watches, names)),
      ];
      const events: IncidentEvent[] = [];
      const lastAt = Date.parse(reports.at(-1)?.finished_at ?? "");
      const record = { count: reports.length, foreign: 0, holdsValidations: false, lastAt, reports: () => reports };
      await rehearse({
        plan: planOf(configuration),
        record,
        until: lastAt + 240_000,
        onEvent: (event) => void events.push(event),
      });
      const target = names.get(told.target.node) ?? "";
      const open = [...Map.groupBy(events, ({ incident }) => incident).values()].filter(
        (list) => list.at(-1)?.status !== "resolved" || Date.parse(list.at(-1)?.at ?? "") >= first * 1000,
      );
      const last = open
        .filter((list) => list.some(({ components }) => components.includes(target)))
        .at(-1)
        ?.at(-1);
      answers.push({
        isRight: last?.root_cause === names.get(told.root_cause.node),
        isOpen: last === undefined || last.root_cause === "unknown",
        confidence: last?.confidence ?? 0,
      });
    }
  }
  return answers;
}

function tableIn(file: string): Table {
  const lines = readFileSync(file, "utf8")
    .trim()
    .split(/\r?\n/)
    .map((line) => line.split(","));
  const [nodes = [], metrics = [], statistics = []] = lines;
  const first = lines.findIndex((cells, index) => index > 2 && /^\d/.test(cells[0] ?? ""));
  const columns = nodes.flatMap((node, index) => {
    return index > 0 && statistics[index] === "Average" ? [{ index, node, metric: metrics[index] ?? "" }] : [];
  });
  return { columns, rows: lines.slice(first).map((cells) => ({ at: Math.round(Number(cells[0])), cells })) };
}

function graphIn(file: string): Map<string, string[]> {
  const [head = [], ...rows] = readFileSync(file, "utf8")
    .trim()
    .split(/\r?\n/)
    .map((line) => line.split(","));
  const names = head.slice(1);
  return new Map(rows.map((cells) => [cells[0] ?? "", names.filter((_, index) => Number(cells[index + 1]) === 1)]));
}

function quantile(sorted: readonly number[], share: number): number {
  const at = (sorted.length - 1) * share;
  const low = sorted[Math.floor(at)] ?? 0;
  return low + ((sorted[Math.min(Math.floor(at) + 1, sorted.length - 1)] ?? low) - low) * (at - Math.floor(at));
}

/** Median of sorted values, minus and plus five deviations: 1.4826 times the median absolute deviation. */
function spreads(sorted: readonly number[]): readonly [number, number] {
  const middle = quantile(sorted, 0.5);
  const distances = sorted.map((value) => Math.abs(value - middle)).sort((a, b) => a - b);
  const spread = 1.4826 * quantile(distances, 0.5);
  return [middle - 5 * spread, middle + 5 * spread];
}

function watchesOf(normal: Table, graph: ReadonlyMap<string, unknown>, recipe: Recipe): Watch[] {
  return normal.columns.flatMap(({ node, metric, index }): Watch[] => {
    if (!graph.has(node) || !["latency", "availability"].includes(metric)) return [];
    const values = normal.rows
      .flatMap(({ cells }) => (cells[index] ? [Number(cells[index])] : []))
      .sort((a, b) => a - b);
    if (values.length < 10) return [];
    const [least, most] = recipe === "mad5" ? spreads(values) : [quantile(values, 0.001), quantile(values, 0.999)];
    return [{ node, metric, limit: metric === "latency" ? most : least }];
  });
}

function configurationOf(
  graph: ReadonlyMap<string, string[]>,
  watches: readonly Watch[],
  names: ReadonlyMap<string, string>,
) {
  const nameOf = (node: string): string => names.get(node) ?? "";
  const lines = ["environment: petshop", "google_cloud: { project: petshop, region: us-central1 }", "components:"];
  for (const [node, needs] of graph) {
    const needed = needs
      .filter((one) => one !== node)
      .map(nameOf)
      .join(", ");
    lines.push(`  ${nameOf(node)}: { layer: application, depends_on: [${needed}] }`);
  }
  lines.push("probes:");
  for (const { node, metric } of watches) {
    lines.push(
      `  ${nameOf(node)}-${metric}: { kind: cloud_monitoring, component: ${nameOf(node)}, schedule: every 5m, period: 5m, metric_type: custom.googleapis.com/${metric}, filter: 'metric.labels.node = "${nameOf(node)}"', aligner: ALIGN_MEAN, metric: ${metricOf(metric)}, labels: { name: ${metric} }, empty: ignore }`,
    );
  }
  lines.push("monitoring_rules:");
  for (const { node, metric, limit } of watches) {
    const bound = metric === "latency" ? `> ${(limit * 1000).toFixed(4)}ms` : `< ${limit.toFixed(4)}%`;
    lines.push(
      `  - { name: "${nameOf(node)} ${metric}", component: ${nameOf(node)}, condition: '${metricOf(metric)}{probe="${nameOf(node)}-${metric}"} ${bound}', alert_duration: 0s, severity: warning }`,
    );
  }
  const loaded = loadConfiguration(lines.join("\n"), "petshop.yaml", vocabulary);
  if (!("configuration" in loaded)) throw new Error(loaded.problems.map(({ message }) => message).join("; "));
  return loaded.configuration;
}

function metricOf(metric: string): string {
  return metric === "latency" ? "cloud_monitoring_seconds" : "cloud_monitoring_ratio";
}

function reportOf(
  row: Table["rows"][number],
  { columns }: Table,
  watches: readonly Watch[],
  names: ReadonlyMap<string, string>,
): Report {
  const instant = new Date(row.at * 1000).toISOString();
  const results = watches.flatMap(({ node, metric }) => {
    const text = row.cells[columns.find((column) => column.node === node && column.metric === metric)?.index ?? -1];
    if (text === undefined || text === "") return [];
    const component = names.get(node) ?? "";
    const value = metric === "latency" ? Number(text) : Number(text) / 100;
    return [
      {
        probe: `${component}-${metric}`,
        component,
        at: instant,
        success: true,
        measurements: [{ metric: metricOf(metric), value, labels: { name: metric } }],
      },
    ];
  });
  return {
    v: 1,
    report: `petshop/${instant}`,
    environment: "petshop",
    vantage: "outside",
    group: "outside-5m",
    trigger: "schedule",
    started_at: instant,
    finished_at: new Date(row.at * 1000 + 2000).toISOString(),
    results,
  };
}

/** One diagnosis: the named cause, its confidence, and whether it is correct. */
export interface Answered {
  readonly isRight: boolean;
  readonly isOpen: boolean;
  readonly confidence: number;
}

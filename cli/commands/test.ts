/** `pathkeeper test`: whole-path tests in YAML, through the real evaluator and the real notifier, on virtual time. */
import { readFile } from "node:fs/promises";
import { type Command, defineCommand, WrongUsage } from "../command.ts";
import { explainProblems } from "../configuration.ts";
import { type LoadedTests, loadTests, type Scenario } from "../scenario/file/load.ts";
import { clock, eventsOf, type Failure, judge } from "../scenario/judge.ts";
import { instantOf, type Played, play } from "../scenario/play.ts";
import { around, rowsOf, type TimelineLine, timelineOf } from "../scenario/timeline.ts";
import { openProgress } from "../terminal/progress.ts";
import { counted, type Style, type Terminal, table } from "../terminal/terminal.ts";

/** The command. */
export const test: Command = defineCommand({
  summary: "Run tests of a configuration: check the alerts, incidents and notifications that timed measurements cause",
  operand: { form: "FILE...", help: "the files with tests" },
  options: {
    name: { type: "string", value: "TEXT", help: "run only the tests whose names contain this text" },
    verbose: { type: "boolean", default: false, help: "show the timeline of every test" },
    json: { type: "boolean", default: false, help: "print the results as JSON" },
  },
  examples: [
    ["test shop.test.yaml", "Run all tests of a file"],
    ['test shop.test.yaml --name "A quiet day" --verbose', "Show the timeline of one test"],
  ],
  async run(values, terminal, operands) {
    const files = await Promise.all(operands.map(async (file) => ({ file, loaded: await read(file) })));
    const progress = openProgress();
    const results: FileResult[] = [];
    for (const { file, loaded } of files) {
      const tests: TestResult[] = [];
      if ("scenarios" in loaded) {
        for (const scenario of loaded.scenarios.filter(({ name }) => name.includes(values.name ?? ""))) {
          progress.show(`${file}: ${scenario.name}`);
          const played = await play(scenario);
          tests.push({ scenario, played, failures: judge(played) });
        }
      }
      progress.clear();
      const result = { file, loaded, tests };
      results.push(result);
      if (!values.json) show(result, values.verbose, terminal);
    }
    const ran = results.flatMap(({ tests }) => tests);
    if (ran.length === 0 && values.name !== undefined && results.every(({ loaded }) => "scenarios" in loaded)) {
      throw new WrongUsage(`no test name contains "${values.name}"`);
    }
    const ok = results.every(isRight);
    if (values.json) terminal.print(JSON.stringify({ ok, files: results.map(asJson) }, null, 2));
    else terminal.print(summary(results, terminal));
    return ok ? 0 : 1;
  },
});

/** A file with what came of its tests. */
interface FileResult {
  readonly file: string;
  readonly loaded: LoadedTests;
  readonly tests: readonly TestResult[];
}

interface TestResult {
  readonly scenario: Scenario;
  readonly played: Played;
  readonly failures: readonly Failure[];
}

async function read(file: string): Promise<LoadedTests> {
  const text = await readFile(file, "utf8").catch((cause: NodeJS.ErrnoException) => {
    const reason = cause.code === "ENOENT" ? "no such file" : cause.message;
    throw new WrongUsage(`cannot read ${file}: ${reason}`, { cause });
  });
  return loadTests(text, file);
}

function isRight({ loaded, tests }: FileResult): boolean {
  return "scenarios" in loaded && tests.every(({ failures }) => failures.length === 0);
}

function show({ file, loaded, tests }: FileResult, verbose: boolean, terminal: Terminal): void {
  const { print, paint } = terminal;
  print(paint("strong", file));
  if ("problems" in loaded) {
    for (const problem of loaded.problems) {
      print(...explainProblems([problem], loaded.texts.get(problem.file) ?? loaded.text, "bad", terminal));
    }
    return;
  }
  const rows = tests.map(({ scenario, played, failures }) => {
    const good = failures.length === 0;
    const style: Style = good ? "good" : "bad";
    return [
      paint(style, good ? "✓" : "✗"),
      good ? scenario.name : paint(style, scenario.name),
      paint("faint", outcome(played)),
    ];
  });
  // The lines stand in one table, so that they are aligned, and what belongs to one follows it.
  for (const [index, line] of table(rows).entries()) {
    print(line);
    const result = tests[index];
    if (result === undefined) continue;
    const timeline = timelineOf(result.played);
    for (const failure of result.failures) print(...explain(failure, timeline, !verbose, terminal));
    if (verbose) print(...table(shown(timeline, undefined, terminal), "      "), "");
  }
  print("");
}

/** `1 incident: vpc-connector, critical, 11m to 47m`. */
function outcome({ incidents, scenario: { start } }: Played): string {
  if (incidents.length === 0) return "no incident";
  const each = incidents.map(({ fields }) => {
    const end = instantOf(fields, "resolved_at");
    const until = Number.isNaN(end) ? `${fields["status"]}` : `to ${clock(end - start)}`;
    return `${fields["root_cause"]}, ${fields["severity"]}, ${clock(instantOf(fields, "opened_at") - start)} ${until}`;
  });
  return `${counted(incidents.length, "incident")}: ${each.join("; ")}`;
}

function explain(
  failure: Failure,
  timeline: readonly TimelineLine[],
  withTimeline: boolean,
  terminal: Terminal,
): string[] {
  const { paint } = terminal;
  const { about, expected, found, at } = failure;
  const lines = [
    `      ${paint("strong", about)}`,
    ...table(
      [
        ["expected", paint("good", expected)],
        ["found", paint("bad", found.split("\n").join("\n                  "))],
      ],
      "        ",
    ),
  ];
  if (!withTimeline || at === undefined) return [...lines, ""];
  return [...lines, ...table(shown(around(timeline, at), at, terminal), "        "), ""];
}

function shown(timeline: readonly TimelineLine[], at: number | undefined, { paint }: Terminal): string[][] {
  return rowsOf(timeline).map((row, index) => {
    const line = timeline[index];
    if (line?.by === "timeline") return row.map((cell) => paint("strong", cell));
    return line?.at === at ? row : row.map((cell) => paint("faint", cell));
  });
}

function summary(results: readonly FileResult[], { paint }: Terminal): string {
  const tests = results.flatMap((result) => result.tests);
  const failed = tests.filter(({ failures }) => failures.length > 0).length;
  const problems = results.reduce((sum, { loaded }) => sum + ("problems" in loaded ? loaded.problems.length : 0), 0);
  const broken = results.filter(({ loaded }) => "problems" in loaded).length;
  if (failed === 0 && problems === 0) return paint("good", `${counted(tests.length, "test")} passed`);
  const parts = [
    ...(failed > 0
      ? [paint("bad", `${failed} of ${counted(tests.length, "test")} failed`)]
      : tests.length > 0
        ? [`${counted(tests.length, "test")} passed`]
        : []),
    ...(problems > 0 ? [paint("bad", `${counted(problems, "problem")} in ${counted(broken, "file")}`)] : []),
  ];
  return parts.join(", ");
}

function asJson({ file, loaded, tests }: FileResult): unknown {
  return {
    file,
    problems: "problems" in loaded ? loaded.problems : [],
    tests: tests.map(({ scenario, played, failures }) => ({
      name: scenario.name,
      ok: failures.length === 0,
      failures,
      incidents: played.incidents.map(({ id, fields }) => ({
        id,
        ...fields,
        events: eventsOf(id, played).map(({ at, event }) => ({ at, event })),
      })),
      notifications: played.deliveries.map(({ channel, event, incident, status, reason, at }) => ({
        channel,
        event,
        incident,
        status,
        reason,
        at,
      })),
    })),
  };
}

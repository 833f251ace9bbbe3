/**
 * The conformance suite against Pathkeeper and, in the same run, blackbox_exporter: for how many servers each reports correctly whether they
 * are up and, for monitors with kinds of failures, for how many the whole result is correct. See docs/conformance.md.
 */
import { parseArgs } from "node:util";
import { type Case, type Monitor, mistakes, type Said } from "../../conformance/case.ts";
import { startBlackbox } from "../../conformance/monitors/blackbox.ts";
import { pathkeeper } from "../../conformance/monitors/pathkeeper.ts";
import { Stand } from "../../conformance/stand.ts";
import { suite } from "../../conformance/suite.ts";

const { values } = parseArgs({ options: { misses: { type: "boolean", default: false }, only: { type: "string" } } });

const blackbox = await startBlackbox();
if (blackbox === undefined)
  process.stdout.write("blackbox_exporter is not installed: apt-get install prometheus-blackbox-exporter\n\n");
const monitors = [pathkeeper, ...(blackbox === undefined ? [] : [blackbox])];
try {
  process.stdout.write(
    "| protocol | monitor | cases | can look at | up or down | kind, phase, code and sentence |\n|---|---|---|---|---|---|\n",
  );
  for (const [protocol, cases] of Object.entries(suite)) {
    if (values.only !== undefined && values.only !== protocol) continue;
    for (const monitor of monitors) await tell(protocol, cases, monitor);
  }
} finally {
  for (const monitor of monitors) await monitor.stop();
}

async function tell(protocol: string, cases: readonly Case[], monitor: Monitor): Promise<void> {
  const seen: { readonly one: Case; readonly said: Said }[] = [];
  for (const one of cases) {
    const said = await look(one, monitor);
    if (said !== undefined) seen.push({ one, said });
  }
  const right = (whole: boolean): number =>
    seen.filter(({ one, said }) => mistakes(one.verdict, said, whole).length === 0).length;
  // A monitor without kinds of failures is not checked for them.
  const hasKinds = seen.some(({ said }) => said.kind !== undefined);
  const counts = [cases.length, seen.length, right(false), hasKinds ? right(true) : "-"];
  process.stdout.write(`| ${[protocol, monitor.name, ...counts].join(" | ")} |\n`);
  if (!values.misses) return;
  for (const { one, said } of seen) {
    const wrong = mistakes(one.verdict, said, hasKinds);
    for (const mistake of wrong) process.stderr.write(`${protocol}: a server that ${one.name}: ${mistake}\n`);
  }
}

async function look({ serve, timeoutMs = 2_000 }: Case, monitor: Monitor): Promise<Said | undefined> {
  const stand = new Stand();
  try {
    return await monitor.look(await serve(stand), timeoutMs);
  } finally {
    await stand.stop();
  }
}

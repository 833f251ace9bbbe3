/**
 * Measures how often the cause, the verdict and the number of incidents are correct over many variations, and whether the confidence is
 * calibrated: `node tests/scenarios/variations/measure.ts [OF EACH] [SEED] [THIN] [NAME]`.
 */
import { type Verdict, variations, verdictOn } from "./variations.ts";

const [ofEach = "4", seed = "1", thin = "0", wanted = ""] = process.argv.slice(2);
const verdicts: Verdict[] = [];
const chosen = (await variations(Number(seed), Number(ofEach), Number(thin))).filter(({ name }) =>
  name.includes(wanted),
);
for (const variation of chosen) verdicts.push(await verdictOn(variation));

const share = (some: readonly Verdict[], is: (one: Verdict) => boolean): string =>
  `${((100 * some.filter(is).length) / Math.max(1, some.length)).toFixed(0).padStart(3)} %`;
const row = (name: string, some: readonly Verdict[]): string =>
  [
    name.padEnd(28),
    String(some.length).padStart(5),
    share(some, ({ isRight }) => isRight),
    share(some, ({ isOpen, isRight }) => isOpen && !isRight),
    share(some, ({ isFirstRight }) => isFirstRight),
    share(some, ({ isVerdictRight }) => isVerdictRight),
    share(some, ({ incidents }) => incidents === 1),
    (some.reduce((sum, { confidence }) => sum + confidence, 0) / Math.max(1, some.length)).toFixed(2).padStart(6),
  ].join("  ");

console.log("kind                            n  cause  unknown  first  verdict  one  confidence");
for (const [kind, some] of Map.groupBy(verdicts, ({ variation }) => variation.outage.kind))
  console.log(row(kind, some));
for (const [graph, some] of Map.groupBy(verdicts, ({ variation }) => variation.graph)) console.log(row(graph, some));
console.log(row("all", verdicts));

console.log("\nconfidence  said  right   n");
for (const [said, some] of [...Map.groupBy(verdicts, ({ confidence }) => Math.floor(confidence * 10) / 10)].sort()) {
  const mean = some.reduce((sum, { confidence }) => sum + confidence, 0) / some.length;
  console.log(
    `${said.toFixed(1).padEnd(10)}  ${mean.toFixed(2)}  ${share(some, ({ isRight }) => isRight)}  ${some.length}`,
  );
}

console.log("\nwrong:");
for (const { variation, cause, first, verdict, incidents, confidence } of verdicts.filter(
  (one) => !one.isRight || one.incidents !== 1 || !one.isVerdictRight,
)) {
  console.log(
    `${variation.name}: ${first} -> ${cause} (${verdict}, ${confidence}), not ${variation.outage.cause.join("|")}; ${incidents} incidents`,
  );
  for (const { after, says } of variation.outage.effects) console.log(`    +${after}m ${says}`);
}

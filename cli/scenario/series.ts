/** Exact points: a mark or value for each run of a probe, in the notation of `promtool test rules`. */

import type { NamedMetric } from "../../functions/evaluate/condition/names.ts";
import type { ConfiguredProbe } from "../../shared/config/model.ts";
import type { Failure } from "../../shared/messages/report.ts";
import { parseDuration } from "../../shared/text/units.ts";
import { readFailure } from "./failure.ts";
import { Misunderstood, quantityOf, Tokens } from "./file/tokens.ts";

/** One run of a series. `delays`: when the report of this run arrives, in milliseconds after it was finished; more than one come twice. */
export interface Point<What> {
  readonly what: What;
  readonly delays?: readonly number[];
}

/** Outcome of one probe run. */
export type Mark = "ok" | "missing" | Failure;

/** The most points of one series: a week of minutes, with room to spare. */
const maxPoints = 20_000;

/**
 * Reads outcomes: `ok x10, fail(connect timeout "no answer") x5, _ x3, ok@+90s`. `xN` is how often the point stands, `@+90s` how late its
 * report arrives, and two of them that it arrives twice.
 * @throws Misunderstood
 */
export function outcomesOf(text: string, probe: ConfiguredProbe | undefined): Point<Mark>[] {
  const points: Point<Mark>[] = [];
  for (const { start, end } of items(text, /,|\s+(?=ok\b|fail\b|missing\b|_)/g)) {
    const [, mark = "", inside, delays = "", count = "1"] = outcome.exec(text.slice(start, end)) ?? [];
    const span = { start, end };
    if (mark === "") {
      const found = text.slice(start, end);
      throw new Misunderstood(
        `invalid outcome "${found}": write ok, fail, fail(connect timeout) or _, each with xN behind it`,
        span,
      );
    }
    const what = mark === "ok" ? "ok" : mark === "fail" ? failureOf(inside, probe, start + mark.length + 1) : "missing";
    repeat(points, { what, ...delaysOf(delays, span) }, Number(count), span);
  }
  return points;
}

const outcome: RegExp = /^(ok|fail|_|missing)(?:\(((?:[^()"]|"[^"]*")*)\))?((?:@\+[\w.]+)*)(?:\s*x\s*(\d+))?$/;

/** `connect timeout "no answer"`: phase, kind and message, each of them optional. */
function failureOf(text: string | undefined, probe: ConfiguredProbe | undefined, offset: number): Failure {
  const [, phase, kind, message] = /^\s*([\w-]+)?\s*,?\s*([\w-]+)?\s*,?\s*("[^"]*")?\s*$/.exec(text ?? "") ?? [];
  const sentence = [phase && `in ${phase}`, kind && `(${kind})`, message].filter(Boolean).join(" ");
  try {
    return readFailure(new Tokens(sentence), probe);
  } catch (error) {
    if (!(error instanceof Misunderstood)) throw error;
    throw new Misunderstood(error.message, { start: offset, end: offset + (text?.length ?? 0) }, error.suggestion);
  }
}

/**
 * Reads values: `0.4+0.05x10` (the first and ten more, each 0.05 higher), `3x20` (the value and 20 repeats), `_` or `_x5` (no sample),
 * `stale` (the same), `93%` and `27s` with their unit, `0.4@+90s` for one that arrives late.
 * @throws Misunderstood
 */
export function valuesOf(text: string, name: string, { unit }: NamedMetric): Point<number | undefined>[] {
  const points: Point<number | undefined>[] = [];
  for (const span of items(text, /[\s,]+/g)) {
    const word = text.slice(span.start, span.end);
    const [, first = "", sign, step, count, delays = ""] = values.exec(word) ?? [];
    if (first === "") {
      throw new Misunderstood(`invalid point "${word}": write 0.4, 0.4+0.05x10, 3x20, 27s, 93% or _`, span);
    }
    const late = delaysOf(delays, span);
    if (first === "_" || first === "stale") {
      repeat(points, { what: undefined, ...late }, Number(count ?? "1"), span);
      continue;
    }
    const start = quantityOf(first, name, unit, span);
    const difference = step === undefined ? 0 : quantityOf(step, name, unit, span) * (sign === "-" ? -1 : 1);
    // As in promtool: the count is of the points after the first.
    for (let index = 0; index <= Number(count ?? "0"); index++) {
      repeat(points, { what: start + index * difference, ...late }, 1, span);
    }
  }
  return points;
}

const values: RegExp =
  /^(_|stale|-?\d[\d.]*(?:[A-Za-wyz%][A-Za-wyz]*)?)(?:([+-])(\d[\d.]*(?:[A-Za-wyz%][A-Za-wyz]*)?))?(?:x(\d+))?((?:@\+[\w.]+)*)$/;

function delaysOf(text: string, span: { start: number; end: number }): { delays?: number[] } {
  const written = [...text.matchAll(/@\+([\w.]+)/g)].map(([, duration = ""]) => duration);
  const delays = written.map((duration) => {
    const milliseconds = parseDuration(duration);
    if (milliseconds === undefined) throw new Misunderstood(`invalid duration "${duration}": write @+90s`, span);
    return milliseconds;
  });
  return delays.length === 0 ? {} : { delays };
}

/** The pieces of a text between separators that stand outside of quotes and parentheses. */
function* items(text: string, separator: RegExp): Generator<{ start: number; end: number }> {
  const masked = text.replaceAll(/"[^"]*"|\([^)]*\)/g, (piece) => "#".repeat(piece.length));
  let start = 0;
  for (const match of [...masked.matchAll(separator), { index: text.length, 0: "" }]) {
    const piece = text.slice(start, match.index);
    const trimmed = piece.trim();
    if (trimmed !== "") {
      const begin = start + piece.indexOf(trimmed);
      yield { start: begin, end: begin + trimmed.length };
    }
    start = match.index + match[0].length;
  }
}

function repeat<What>(
  points: Point<What>[],
  point: Point<What>,
  count: number,
  span: { start: number; end: number },
): void {
  if (points.length + count > maxPoints) throw new Misunderstood(`the series is longer than ${maxPoints} points`, span);
  for (let index = 0; index < count; index++) points.push(point);
}

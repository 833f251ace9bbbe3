/** Which units may meet, and what comes of it. A bare number is `number`: it counts as a count and multiplies anything. */
import type { Unit } from "../../../shared/text/units.ts";
import type { Arithmetic } from "./language/syntax.ts";

/** The unit of a value in a condition. A `share` is the mean of what is 0 or 1: it may be compared with a ratio and with a bare number. */
export type ValueUnit = Unit | "number" | "share";

/** Units as people call them. */
export const called: Readonly<Record<ValueUnit, string>> = {
  seconds: "a duration",
  ratio: "a ratio",
  bytes: "a size",
  count: "a count",
  number: "a bare number",
  share: "a share",
};

/** A value of each unit, for advice. */
export const sampleOf: Readonly<Record<ValueUnit, string>> = {
  seconds: "25s",
  ratio: "70%",
  bytes: "64MiB",
  count: "10",
  number: "10",
  share: "98.5%",
};

/** The unit in which people read such a value. */
export function shownUnit(unit: ValueUnit): Unit {
  return unit === "number" ? "count" : unit === "share" ? "ratio" : unit;
}

/** The unit of the result of an operator; `undefined` where the two units cannot meet. */
export function unitOf(operator: Arithmetic, a: ValueUnit, b: ValueUnit): ValueUnit | undefined {
  switch (operator) {
    case "+":
    case "-":
      return commonUnit(a, b);
    case "*":
      return product(a, b);
    case "/":
      return quotient(a, b);
  }
}

/** The unit of two values that can be compared and added; `undefined` where they cannot. */
export function commonUnit(a: ValueUnit, b: ValueUnit): ValueUnit | undefined {
  if (a === b) return a;
  if (a === "share" || b === "share") {
    const other = a === "share" ? b : a;
    return other === "ratio" ? "ratio" : dimensionless(other) ? "share" : undefined;
  }
  return dimensionless(a) && dimensionless(b) ? "count" : undefined;
}

function product(a: ValueUnit, b: ValueUnit): ValueUnit | undefined {
  for (const factor of ["number", "ratio", "share", "count"] as const) {
    if (a === factor) return b;
    if (b === factor) return a;
  }
  return undefined;
}

function quotient(a: ValueUnit, b: ValueUnit): ValueUnit | undefined {
  if (b === "number") return a;
  if (a === b) return "ratio";
  return b === "ratio" || b === "share" || b === "count" ? a : undefined;
}

function dimensionless(unit: ValueUnit): boolean {
  return unit === "count" || unit === "number";
}

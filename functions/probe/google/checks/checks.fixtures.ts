/** The table test of configuration checks: each row changes one thing in a well-configured environment. */
import { expect, it } from "vitest";
import type { Check } from "../configuration/check.ts";
import {
  type Answers,
  answers,
  assessed,
  type Json,
  set,
  urls,
  type Written,
  written,
} from "../configuration/fixtures.ts";

/** Changes answers of Google's control plane, or settings of the probe. */
export type Change = (table: Answers, settings: Written) => void;

/**
 * A change and what a check finds then: `ok`; a failure whose observed state matches; `unchecked` if the answer does not say; or `none` if the
 * check does not apply. With a resource, only findings about it count.
 */
export type Row = readonly [
  check: string,
  what: string,
  change: Change,
  expected: "ok" | "unchecked" | "none" | RegExp,
  resource?: string,
];

/** Returns the change that sets a value in an answer; `undefined` removes it. */
export const of =
  (url: keyof typeof urls, path: string, value: Json): Change =>
  (table) =>
    set(table[urls[url]], path, value);

/** Returns the change that sets a setting; `undefined` removes it. */
export const settingOf =
  (path: string, value: Json): Change =>
  (_, settings) =>
    set(settings, path, value);

/** Combines changes into one. */
export const all =
  (...changes: Change[]): Change =>
  (table, settings) => {
    for (const change of changes) change(table, settings);
  };

/** Returns the change that sets the latest value of a time series. */
export const figure = (url: keyof typeof urls, value: Json): Change => of(url, "timeSeries.0.points.0.value", value);

/** Tests a table of some checks, in which each of them must fail at least once. */
export function checkTable(checks: readonly Check[], rows: readonly Row[]): void {
  it.each(rows.map(([check, what, change, expected, resource]) => ({ check, what, change, expected, resource })))(
    "$check: $what",
    async ({ check, change, expected, resource }) => {
      const [table, settings] = [answers(), written()];
      change(table, settings);
      const { findings = [], unchecked = [] } = await assessed(table, settings);
      const found = findings.filter(
        (one) => one.check === check && (resource === undefined || one.resource === resource),
      );
      const left = unchecked.filter(({ checks }) => checks.includes(check));
      if (expected === "none") expect([found, left]).toEqual([[], []]);
      else if (expected === "unchecked") expect(left).not.toEqual([]);
      else if (expected === "ok")
        expect(found.map(({ ok }) => ok)).toEqual(found.length > 0 ? found.map(() => true) : ["a finding"]);
      else
        expect(found.filter(({ ok }) => !ok).map(({ observed }) => observed)).toEqual([
          expect.stringMatching(expected),
        ]);
    },
  );

  it("fails each check in this table", () => {
    const failing = new Set(rows.flatMap(([check, , , expected]) => (expected instanceof RegExp ? [check] : [])));
    expect(failing).toEqual(new Set(checks.map(({ name }) => name)));
  });
}

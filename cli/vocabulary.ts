/** Vocabulary of a configuration, collected from the functions that interpret it. */
import {
  ConditionError,
  compileBaseline,
  compileCondition,
  conditionForm,
  conditionWarnings,
  mergesComponents,
  neverClears,
} from "../functions/evaluate/condition/index.ts";
import { namedMetric } from "../functions/evaluate/condition/names.ts";
import { channels } from "../functions/notify/channels/index.ts";
import { probers } from "../functions/probe/probers/index.ts";
import type { Mistake, Vocabulary } from "../shared/config/schema.ts";

/** The kinds, conditions and baselines of this version. */
export const vocabulary: Vocabulary = {
  probers,
  channels,
  checkCondition: (text, windowMs) => mistakeOf(() => compileCondition(text, { windowMs })),
  conditionSelectors: (text, windowMs) => compileCondition(text, { windowMs }).selectors,
  conditionWarnings: (text, windowMs) =>
    conditionWarnings(text, { windowMs }).map(({ message, start, end }) => ({
      message,
      offset: start,
      length: end - start,
    })),
  mergesComponents: (text, windowMs) => mergesComponents(text, { windowMs }),
  neverClears: (condition, clear, windowMs) => neverClears(condition, clear, { windowMs }),
  conditionForm: (text, windowMs) => conditionForm(text, { windowMs }),
  baselineSelector: (metric, expectation) => compileBaseline(metric, expectation),
  checkBaseline(metric, expectation) {
    const mistake = mistakeOf(() => compileBaseline(metric, expectation));
    const named = namedMetric(metric);
    // If the name is invalid, only that is reported, and the expectation is not checked.
    return mistake && (named === undefined || named.applied !== undefined)
      ? { ...mistake, offset: undefined }
      : mistake;
  },
};

function mistakeOf(compile: () => unknown): Mistake | undefined {
  try {
    compile();
    return undefined;
  } catch (error) {
    if (!(error instanceof ConditionError)) throw error;
    const { message, position, length, suggestion } = error;
    return { message, offset: position, length, suggestion };
  }
}

/** The condition language: text in, a check of series out. */
export { type BaselineCheck, compileBaseline } from "./baseline.ts";
export { compileCondition, conditionForm, conditionWarnings, mergesComponents, neverClears } from "./condition.ts";
export { ConditionError } from "./language/error.ts";
export type { Condition, Excess, Instance, Selector, Series, SeriesSource } from "./series.ts";

/** The functions that are bundled. */

/** The functions, which are bundled each for itself. */
export const functionNames = ["probe", "evaluate", "notify"] as const;

/** Name of a function. */
export type FunctionName = (typeof functionNames)[number];

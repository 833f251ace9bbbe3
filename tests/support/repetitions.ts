/**
 * How often a test repeats what it asserts: all the times in `npm test`, and a fifth of them in `npm run quick`, which so has an answer while
 * one works.
 */
export function repetitions(times: number): number {
  return process.env["PATHKEEPER_QUICK"] === "1" ? Math.ceil(times / 5) : times;
}

/**
 * The seed of all chance. By itself it is always the same, so that a change is judged by what it changes; `random` looks for what nobody has
 * thought of, and each run says with which seed it is repeated.
 */

/** `PATHKEEPER_SIMULATION_SEED`: a number, or `random`. */
export const seed: number = seedOf(process.env["PATHKEEPER_SIMULATION_SEED"]);

function seedOf(given: string | undefined): number {
  if (given === undefined) return 407364589;
  if (given === "random") return Math.floor(Math.random() * 2 ** 31);
  if (!/^\d+$/.test(given)) throw new Error(`PATHKEEPER_SIMULATION_SEED is "${given}": write a number, or random`);
  return Number(given);
}

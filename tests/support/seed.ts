/**
 * The seed of all randomness. By default it is constant, so that results differ only by the change under test; `random` explores new cases.
 * Each run prints its seed, with which it can be repeated.
 */

/** `PATHKEEPER_SIMULATION_SEED`: a number, or `random`. */
export const seed: number = seedOf(process.env["PATHKEEPER_SIMULATION_SEED"]);

function seedOf(given: string | undefined): number {
  if (given === undefined) return 407364589;
  if (given === "random") return Math.floor(Math.random() * 2 ** 31);
  if (!/^\d+$/.test(given)) throw new Error(`PATHKEEPER_SIMULATION_SEED is "${given}": write a number, or random`);
  return Number(given);
}

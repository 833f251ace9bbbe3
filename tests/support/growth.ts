/** How the time of a calculation grows with its input, compared within one run, so that the speed of the machine does not matter. */

/** Calculations are repeated until they take this long, in milliseconds of CPU time. */
const measurableMs = 10;
const rounds = 3;
const factor = 8;

/**
 * Returns how many times as long a calculation takes for an input eight times as long: about 8 if it is linear, 64 if it is quadratic.
 * @param size of the smaller input
 */
export function growthOf(calculate: (size: number) => unknown, size: number): number {
  const small = shortest(() => calculate(size));
  const large = shortest(() => calculate(factor * size));
  return large / small;
}

/** Returns the shortest time of one calculation, in milliseconds of CPU time. */
function shortest(calculate: () => unknown): number {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage();
    let times = 0;
    let used = 0;
    while (used < measurableMs) {
      calculate();
      times += 1;
      const { user, system } = process.cpuUsage(before);
      used = (user + system) / 1000;
    }
    least = Math.min(least, used / times);
  }
  return least;
}

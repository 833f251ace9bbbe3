/** The order of test files. */
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * Runs of the whole system start first because they wait the longest, then the other slow files, then the quick ones, which fill the
 * remaining time of every worker. Within each group, the files that took longest in an earlier run come first.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).toSorted((one, other) => rankOf(one) - rankOf(other));
  }
}

function rankOf({ moduleId }: TestSpecification): number {
  const rank = [/\.e2e\.test\.ts$/, /\.slow\.test\.ts$/].findIndex((name) => name.test(moduleId));
  return rank === -1 ? 2 : rank;
}

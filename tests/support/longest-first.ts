/** The order of the files of tests. */
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * Runs of the whole system begin first, because they wait the longest, then the other slow files, then the quick ones, which fill what is
 * left of every worker. Within each, those that took longest in an earlier run are first.
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

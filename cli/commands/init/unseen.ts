/** Describes the resources that could not be read, in one sentence per remedy. */
import type { Unseen } from "./found.ts";

/** The sentences. */
export function unseenSentences(unseen: readonly Unseen[]): string[] {
  return [...Map.groupBy(unseen, ({ why }) => why)].map(([why, all]) => {
    const what = all.map((one) => one.what).join(", ");
    const permissions = [...new Set(all.flatMap(({ permission }) => permission ?? []))];
    return permissions.length === 0 ? `${what}: ${why}` : `${what}: you lack ${permissions.join(", ")}. ${why}`;
  });
}

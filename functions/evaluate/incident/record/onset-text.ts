/** Sentences on who began to fail, and when. Pure. */
import type { Affected } from "../../../../shared/documents/incident.ts";
import { list } from "../../../../shared/text/sentences.ts";
import { clockTime } from "./instants.ts";

/** Components that began within so many milliseconds of each other are named with the first instant of them: probes run a minute apart. */
const sameMoment = 60_000;
/** The most moments in one sentence; those that began later are named with the last. */
const maxMoments = 3;

/**
 * "Backend and Auth have been failing since 12:04:06 UTC, Pages since 12:20:00 UTC." One sentence each for components that failed, failed
 * intermittently, or were degraded; none for a component that was not itself seen to be bad.
 * @param isOver use the past tense
 */
export function onsetSentences(affected: readonly Affected[], isOver: boolean): string[] {
  return (["failed", "failed intermittently", "degraded"] as const).flatMap((trouble) => {
    const own = affected.flatMap((one) =>
      troubleText(one) === trouble && one.from !== null ? [{ title: one.title, from: one.from.getTime() }] : [],
    );
    const moments = momentsOf(own);
    const [first, ...later] = moments;
    if (first === undefined) return [];
    const has = first.titles.length > 1 ? "have" : "has";
    const what = trouble.replace("failed", "failing");
    const was = trouble !== "degraded" ? trouble : first.titles.length > 1 ? "were degraded" : "was degraded";
    const begins = isOver ? `${was} from` : `${has} been ${what} since`;
    const word = isOver ? "from" : "since";
    const named = later.map(({ titles, from }) => `, ${list(titles)} ${word} ${clockTime(from)}`).join("");
    return [`${list(first.titles)} ${begins} ${clockTime(first.from)}${named}.`];
  });
}

/** Describes how a component was affected: "failed", "failed intermittently", "degraded". */
export function troubleText({ trouble, intermittent }: Pick<Affected, "trouble" | "intermittent">): string {
  return intermittent ? `${trouble} intermittently` : trouble;
}

interface Moment {
  readonly from: number;
  readonly titles: string[];
}

function momentsOf(affected: readonly { readonly title: string; readonly from: number }[]): Moment[] {
  const moments: Moment[] = [];
  for (const { title, from } of affected.toSorted((a, b) => a.from - b.from)) {
    const last = moments.at(-1);
    const isShared = last !== undefined && (from - last.from < sameMoment || moments.length === maxMoments);
    if (isShared) last.titles.push(title);
    else moments.push({ from, titles: [title] });
  }
  return moments;
}

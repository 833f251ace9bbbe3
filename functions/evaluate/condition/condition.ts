/** A condition, from text to something that can be evaluated over and over. */
import { type Bound, bind } from "./bind.ts";
import { agreedLabels, type Labels, present, type Row, rowsOf } from "./join.ts";
import { parse } from "./parser.ts";
import type { Condition, Instance, Series, SeriesSource } from "./series.ts";

/**
 * Compiles a condition such as `avg_database_connection_time > 25s`.
 * @param options.windowMs the `alert_duration` of the rule: the window of aliases such as `avg_http_response_time`; 0 means one minute
 * @throws ConditionError
 */
export function compileCondition(text: string, { windowMs }: { windowMs: number }): Condition {
  const bound = bind(text, parse(text), windowMs > 0 ? windowMs : 60_000);
  const evaluate = (source: SeriesSource, at: number): readonly Instance[] => {
    const rows = rowsOf(bound.selections, source);
    if (rows.length === 0) return bound.seesAbsence ? [nothingSeen(text, bound, at)] : [];
    const instances = rows.map((row) => new RowInstance(text, bound, row, at));
    return bound.selections.length === 1 ? instances : withoutDuplicates(instances);
  };
  return { text, selectors: bound.selectors, evaluate };
}

class RowInstance implements Instance {
  readonly labels: Labels;
  readonly truth: boolean | undefined;
  readonly #text: string;
  readonly #bound: Bound;
  readonly #row: Row;
  readonly #at: number;

  constructor(text: string, bound: Bound, row: Row, at: number, labels?: Labels) {
    this.#text = text;
    this.#bound = bound;
    this.#row = row;
    this.#at = at;
    this.labels = labels ?? agreedLabels(present(row).map((series) => series.labels));
    this.truth = bound.holds(row, at);
  }

  get seen(): string {
    let seen = "";
    let copied = 0;
    for (const { offset, show } of this.#bound.insertions) {
      seen += this.#text.slice(copied, offset) + show(this.#row, this.#at);
      copied = offset;
    }
    return (seen + this.#text.slice(copied)).replaceAll(/\s+/g, " ").trim();
  }

  get value(): number | undefined {
    const value = this.#bound.value?.(this.#row, this.#at);
    return Number.isFinite(value) ? value : undefined;
  }

  get series(): readonly Series[] {
    return present(this.#row);
  }
}

/** The one instance where there is not a single series: what is absent is known only by the labels that the condition gives. */
function nothingSeen(text: string, bound: Bound, at: number): Instance {
  const labels = agreedLabels(bound.selections.map(({ pinned }) => pinned));
  return new RowInstance(
    text,
    bound,
    bound.selections.map(() => undefined),
    at,
    labels,
  );
}

/** Rows that agree on fewer labels than they have can look alike: the worst of those alike stands for all. */
function withoutDuplicates(instances: readonly Instance[]): readonly Instance[] {
  const worst = new Map<string, Instance>();
  for (const instance of instances) {
    const key = JSON.stringify(Object.entries(instance.labels).sort(([a], [b]) => (a < b ? -1 : 1)));
    const other = worst.get(key);
    if (other === undefined || badness(instance) > badness(other)) worst.set(key, instance);
  }
  return [...worst.values()];
}

function badness({ truth }: Instance): number {
  return truth === undefined ? 1 : truth ? 2 : 0;
}

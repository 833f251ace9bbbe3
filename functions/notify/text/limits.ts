/** Documented message limits of services. */
import { numberFormat } from "../../../shared/text/formatters.ts";
import { wellFormedJson } from "./secret-text.ts";

/** One limit of a service. */
export interface Limit {
  /** Part of the message, such as `embeds[].description`; empty for the whole message. */
  readonly part: string;
  readonly most: number;
  /** Unit that is counted, in the plural. */
  readonly unit: string;
  /** Counts the units in a message as it is in the body: the maximum, if the message has several such parts. */
  readonly measure: (message: unknown) => number;
}

/** Counters of the usual units. */
const counts = {
  characters: (value: unknown): number => (typeof value === "string" ? characters(value) : 0),
  bytes: (value: unknown): number => bytes(JSON.stringify(value)),
  items: (value: unknown): number => (Array.isArray(value) ? value.length : 0),
} as const;

/** Creates a limit for a part of a message. @param part names, with `[]` after that of a list: `embeds[].description` */
export function atMost(most: number, unit: keyof typeof counts, part: string = ""): Limit {
  const measure = (message: unknown): number => Math.max(0, ...partsOf(message, part).map(counts[unit]));
  return { part, most, unit, measure };
}

/** Returns whether a message is within all limits, as it is in the body. */
export function keepsTo(limits: readonly Limit[], message: unknown): boolean {
  const sent: unknown = JSON.parse(wellFormedJson(message));
  return limits.every(({ most, measure }) => measure(sent) <= most);
}

/** Formats a limit: `content: 2,000 characters`. */
export function limitText({ part, most, unit }: Limit): string {
  return `${part === "" ? "" : `\`${part}\`: `}${numberFormat("en-US").format(most)} ${unit}`;
}

/** Returns the length of a text in characters: its code points. */
export function characters(text: string): number {
  return [...text].length;
}

/** Returns the length of a text in bytes, as UTF-8. */
export function bytes(text: string): number {
  return Buffer.byteLength(text);
}

function partsOf(message: unknown, part: string): unknown[] {
  const names = part === "" ? [] : part.split(".");
  return names.reduce<unknown[]>(
    (values, name) =>
      values.flatMap((value) => {
        if (typeof value !== "object" || value === null) return [];
        const found = Object.entries(value).find(([key]) => key === name.replace("[]", ""))?.[1];
        return name.endsWith("[]") && Array.isArray(found) ? found : [found];
      }),
    [message],
  );
}

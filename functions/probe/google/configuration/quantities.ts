/** CPU and memory in the format of Cloud Run and Kubernetes, and shares in percent. */
import { z } from "zod";
import { ownEntry } from "../../../../shared/runtime/entries.ts";
import { lazily } from "../../../../shared/runtime/lazily.ts";

/** CPUs. */
export type Cores = number;
/** Bytes. */
export type Bytes = number;

const sizes: Readonly<Record<string, number>> = {
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
};

/** Reads `2`, `0.5` or `500m` as CPUs; `undefined` when it is neither. */
export function parseCores(text: string): Cores | undefined {
  const [, amount, milli] = /^(\d+(?:\.\d+)?)(m?)$/.exec(text) ?? [];
  return amount === undefined ? undefined : Number(amount) / (milli === "m" ? 1_000 : 1);
}

/** Reads `512Mi` or `2Gi` as bytes; `undefined` when it is no such quantity. */
export function parseMemory(text: string): Bytes | undefined {
  const [, amount, unit = ""] = /^(\d+(?:\.\d+)?)(k|M|G|Ki|Mi|Gi)?$/.exec(text) ?? [];
  return amount === undefined ? undefined : Number(amount) * (ownEntry(sizes, unit) ?? 1);
}

/** The schema of a number of CPUs. */
export const cores: () => z.ZodType<Cores, unknown> = lazily(() =>
  quantity(parseCores, "amount of CPUs", "1, 2 or 500m"),
);
/** The schema of an amount of memory. */
export const memory: () => z.ZodType<Bytes, unknown> = lazily(() =>
  quantity(parseMemory, "amount of memory", "512Mi or 2Gi"),
);
/** The schema of a share, written as `90%` and parsed as 0.9. */
export const ratio: () => z.ZodType<number, unknown> = lazily(() => quantity(parseShare, "share", "90%"));

/** Reads `90%` as 0.9; `undefined` when it is not from 1 to 100 percent. */
export function parseShare(text: string): number | undefined {
  const [, percent] = /^(\d{1,3}(?:\.\d+)?)\s?%$/.exec(text) ?? [];
  const share = Number(percent) / 100;
  return share >= 0.01 && share <= 1 ? share : undefined;
}

function quantity(
  parse: (text: string) => number | undefined,
  what: string,
  instead: string,
): z.ZodType<number, unknown> {
  return z.union([z.string(), z.number()]).transform((value, context) => {
    const number = parse(String(value));
    if (number !== undefined) return number;
    context.issues.push({
      code: "custom",
      message: `invalid ${what} "${value}": write ${instead}`,
      input: value,
    });
    return z.NEVER;
  });
}

/**
 * Queries as Firestore understands them: which it answers without a composite index, which documents match, and in which order they come.
 * Source: https://cloud.google.com/firestore/docs/query-data/index-overview and /concepts/data-types#value_type_ordering.
 */

import type { CompositeIndex } from "../documents/indexes.ts";
import { type Fields, type Filter, type Query, type Stored, StoreError, type Value } from "../ports.ts";
import { ownEntry } from "../runtime/entries.ts";
import { admitOperand, checkCollection, fieldProblem } from "./store-rules.ts";

/** A field to sort by. */
export type Order = CompositeIndex["fields"][number];

/** A query that was found good, with everything that Firestore would add to it. */
export interface QueryPlan {
  readonly collection: string;
  readonly where: readonly Filter[];
  /** The order asked for, then the fields compared with `<` or `>`; ties are broken by id, in the direction of the last. */
  readonly orders: readonly Order[];
  readonly limit: number;
}

/** Most alternatives that the `in` filters of one query may stand for, multiplied. */
export const maxAlternatives = 30;

/**
 * Checks a query and completes it.
 * @throws StoreError `invalid` that says what to write instead, or which composite index to declare
 */
export function planQuery(query: Query, indexes: readonly CompositeIndex[]): QueryPlan {
  const { collection, where = [], orderBy, limit = 100 } = query;
  checkCollection(collection);
  const refuse = (problem: string): never => {
    throw new StoreError("invalid", `Query of ${collection}: ${problem}`);
  };
  if (!Number.isInteger(limit) || limit < 1) refuse(`the limit is ${limit}: write a whole number from 1`);
  for (const field of [...where.map(([name]) => name), ...(orderBy === undefined ? [] : [orderBy.field])]) {
    const problem = fieldProblem(field);
    if (problem !== undefined) refuse(`the field name "${field}" ${problem}`);
  }
  const filters = where.map((filter) => admitFilter(filter, refuse));
  const alternatives = filters.reduce((product, [, , value]) => product * (Array.isArray(value) ? value.length : 1), 1);
  if (alternatives > maxAlternatives) {
    refuse(
      `its \`in\` filters stand for ${alternatives} alternatives, at most ${maxAlternatives} are allowed: split it`,
    );
  }
  const plan = { collection, where: filters, orders: completeOrders(filters, orderBy), limit };
  const missing = missingIndex(plan, indexes);
  if (missing !== undefined) {
    refuse(`it needs a composite index: declare ${JSON.stringify(missing)} in shared/documents/indexes.ts`);
  }
  return plan;
}

/** The documents of one collection that a query finds, in its order. */
export function select(documents: Iterable<Stored>, { where, orders, limit }: QueryPlan): Stored[] {
  const found: Stored[] = [];
  for (const document of documents) {
    const { fields } = document;
    const ordered = orders.every(({ field }) => Object.hasOwn(fields, field));
    if (ordered && where.every((filter) => matches(fields, filter))) found.push(document);
  }
  return found.sort((a, b) => comparePlaces(a, b, orders)).slice(0, limit);
}

const rangeOperators: ReadonlySet<string> = new Set(["<", "<=", ">", ">="]);

function admitFilter([field, operator, value]: Filter, refuse: (problem: string) => never): Filter {
  const operand = admitOperand(value, field);
  if (operator === "in") {
    if (!Array.isArray(operand) || operand.length === 0) {
      refuse(`\`in\` compares "${field}" with no values: give a list of at least one`);
    } else if (!operand.every((element) => element !== null && isScalar(element))) {
      refuse(`\`in\` compares "${field}" with a map or null: give texts, numbers, booleans or instants`);
    }
  } else if (operand === null ? operator !== "==" : !isScalar(operand)) {
    refuse(`"${field}" is compared by ${operator} with a list, a map or null: give a text, number, boolean or instant`);
  }
  return [field, operator, operand];
}

function isScalar(value: Value): boolean {
  return value === null || typeof value !== "object" || value instanceof Date;
}

function completeOrders(where: readonly Filter[], orderBy: Query["orderBy"]): Order[] {
  const asked = orderBy === undefined ? [] : [orderBy];
  const direction = orderBy?.direction ?? "asc";
  const ranges = new Set(where.filter(([, operator]) => rangeOperators.has(operator)).map(([field]) => field));
  if (orderBy !== undefined) ranges.delete(orderBy.field);
  return [...asked, ...[...ranges].sort(compareText).map((field) => ({ field, direction }) as const)];
}

/**
 * The index that a query lacks. Indexes of single fields exist by themselves; they serve any number of equalities, or one sorted field.
 * Firestore could also join several composite indexes; one that fits exactly is asked for instead, which is what its own error proposes.
 */
function missingIndex(plan: QueryPlan, indexes: readonly CompositeIndex[]): CompositeIndex | undefined {
  const fixed = new Set(plan.where.filter(([, operator]) => operator === "==").map(([field]) => field));
  const sorted = plan.orders.filter(({ field }) => !fixed.has(field));
  const equal = new Set(
    plan.where
      .filter(([field, operator]) => !rangeOperators.has(operator) && !sorted.some((order) => order.field === field))
      .map(([field]) => field),
  );
  if (sorted.length === 0 || (sorted.length === 1 && equal.size === 0)) return undefined;
  const fits = ({ collection, fields }: CompositeIndex): boolean => {
    const prefix = fields.slice(0, equal.size);
    const tail = fields.slice(equal.size);
    return (
      collection === plan.collection &&
      prefix.length === equal.size &&
      prefix.every(({ field }) => equal.has(field)) &&
      tail.length === sorted.length &&
      tail.every(({ field, direction }, at) => sorted[at]?.field === field && sorted[at].direction === direction)
    );
  };
  if (indexes.some(fits)) return undefined;
  const prefix = [...equal].map((field) => ({ field, direction: "asc" as const }));
  return { collection: plan.collection, fields: [...prefix, ...sorted] };
}

function matches(fields: Fields, [field, operator, operand]: Filter): boolean {
  const value = ownEntry(fields, field);
  if (value === undefined) return false;
  if (operator === "in") {
    return Array.isArray(operand) && operand.some((alternative: Value) => compareValues(value, alternative) === 0);
  }
  const order = compareValues(value, operand);
  if (operator === "==") return order === 0;
  if (typeRank(value) !== typeRank(operand)) return false;
  switch (operator) {
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    case ">=":
      return order >= 0;
  }
}

function comparePlaces(a: Stored, b: Stored, orders: readonly Order[]): number {
  for (const { field, direction } of orders) {
    const order = compareValues(ownEntry(a.fields, field) ?? null, ownEntry(b.fields, field) ?? null);
    if (order !== 0) return direction === "asc" ? order : -order;
  }
  const byId = compareText(a.id, b.id);
  return orders.at(-1)?.direction === "desc" ? -byId : byId;
}

function compareValues(a: Value, b: Value): number {
  if (a instanceof Date && b instanceof Date) return a.getTime() - b.getTime();
  if (typeof a === "string" && typeof b === "string") return compareText(a, b);
  if (typeof a === "number" && typeof b === "number") return a < b ? -1 : Number(a > b);
  if (typeof a === "boolean" && typeof b === "boolean") return Number(a) - Number(b);
  if (isList(a) && isList(b)) return compareLists(a, b);
  if (isMap(a) && isMap(b)) return compareLists(entriesByKey(a), entriesByKey(b));
  return typeRank(a) - typeRank(b);
}

function compareLists(a: readonly Value[], b: readonly Value[]): number {
  for (const [at, element] of a.entries()) {
    const other = b[at];
    if (other === undefined) return 1;
    const order = compareValues(element, other);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function entriesByKey(map: Fields): Value[] {
  return Object.entries(map)
    .sort(([a], [b]) => compareText(a, b))
    .flat();
}

/** By UTF-8 bytes, as Firestore does. For valid Unicode that is the order of code points, and needs no bytes. */
function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const [unit, other] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (unit !== other) return placeOf(unit) - placeOf(other);
  }
  return a.length - b.length;
}

/** The place of a UTF-16 unit in that order: halves of the characters beyond the basic plane come behind all of that plane. */
function placeOf(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x1_0000 : unit;
}

function typeRank(value: Value): number {
  if (value === null) return 0;
  if (value instanceof Date) return 3;
  if (isList(value)) return 5;
  return { boolean: 1, number: 2, string: 4, object: 6 }[typeof value as "boolean" | "number" | "string" | "object"];
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

function isMap(value: Value): value is Fields {
  return value !== null && typeof value === "object" && !(value instanceof Date) && !Array.isArray(value);
}

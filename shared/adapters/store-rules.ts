/**
 * Limits of Firestore, enforced before anything is written, so that a document that would fail in the cloud also fails in a test. Source:
 * https://cloud.google.com/firestore/quotas and /storage-size.
 */

import { type Fields, StoreError, type Value } from "../ports.ts";
import { setEntry } from "../runtime/entries.ts";

/** A document as it may be stored, in a copy that nobody else holds. */
export interface Admitted {
  readonly collection: string;
  readonly id: string;
  readonly fields: Fields;
  /** Bytes that it takes in Firestore. */
  readonly size: number;
}

/** Most bytes of one document, its name included. */
export const maxDocumentBytes = 1_048_576;

/** Most bytes of the value of one field of a document. */
export const maxFieldBytes: number = maxDocumentBytes - 89;

/** Most bytes of the documents written by one commit. */
export const maxCommitBytes: number = 10 * 1_048_576;

/** Most bytes of the name of a collection, document or field. */
export const maxNameBytes = 1_500;

/** Deepest nesting of a value: a field of a document is on level 1, each map or array that it stands in adds one. */
export const maxDepth = 20;

/**
 * Checks a document and copies it. Text that was cut in the middle of a character is repaired rather than refused, because no message of a
 * target may keep an incident from being stored.
 * @throws StoreError `invalid` that names the field and what to write instead
 */
export function admit(collection: string, id: string, fields: Fields): Admitted {
  checkName(collection, id);
  checkName(collection, id);
  const refuse = refusalOf(`${collection}/${id}`);
  const admitted = copyMap(fields, "", 0, refuse);
  for (const [field, value] of Object.entries(admitted)) {
    const bytes = valueBytes(value);
    if (bytes > maxFieldBytes) refuse(`field "${field}" takes ${bytes} bytes, at most ${maxFieldBytes} are allowed`);
  }
  const size = documentBytes(collection, id, admitted);
  if (size > maxDocumentBytes) refuse(`takes ${size} bytes, at most ${maxDocumentBytes} are allowed: store less in it`);
  return { collection, id, fields: admitted, size };
}

/**
 * Checks what a query compares with.
 * @throws StoreError `invalid`
 */
export function admitOperand(value: unknown, where: string): Value {
  return copyValue(value, where, 1, refusalOf("A query"));
}

/**
 * Checks the names of a collection and of a document in it.
 * @throws StoreError `invalid`
 */
export function checkName(collection: string, id: string): void {
  checkCollection(collection);
  const problem = nameProblem(id);
  if (problem !== undefined)
    throw new StoreError("invalid", `The document id ${quote(id)} in ${collection} ${problem}`);
}

/**
 * Checks the name of a collection.
 * @throws StoreError `invalid`
 */
export function checkCollection(collection: string): void {
  const problem = nameProblem(collection);
  if (problem !== undefined) throw new StoreError("invalid", `The collection name ${quote(collection)} ${problem}`);
}

/** Describes the problem with a field name, as the end of a sentence; `undefined` if it is valid. */
export function fieldProblem(name: string): string | undefined {
  if (name === "") return "is empty";
  if (reserved.test(name)) return "is reserved: do not begin and end it with two underscores";
  if (!name.isWellFormed()) return "is not valid Unicode";
  const bytes = Buffer.byteLength(name);
  return bytes > maxNameBytes ? `takes ${bytes} bytes, at most ${maxNameBytes} are allowed` : undefined;
}

/**
 * Bytes of a document by Firestore's formula; a map inside it counts like a document without a name, which is the larger of the two
 * readings of that formula.
 */
export function documentBytes(collection: string, id: string, fields: Fields): number {
  return textBytes(collection) + textBytes(id) + 16 + valueBytes(fields);
}

const reserved = /^__.*__$/s;
const firstInstant = Date.parse("0001-01-01T00:00:00.000Z");
const lastInstant = Date.parse("9999-12-31T23:59:59.999Z");

type Refuse = (problem: string) => never;

function refusalOf(subject: string): Refuse {
  return (problem) => {
    throw new StoreError("invalid", `${subject}: ${problem}`);
  };
}

function nameProblem(name: unknown): string | undefined {
  if (typeof name !== "string") return "is not a string";
  if (name.includes("/")) return "contains a slash: use another separator, such as a colon";
  if (name.includes("\0")) return "contains a NUL character: remove it";
  if (name === "." || name === "..") return "is reserved: use another one";
  return fieldProblem(name);
}

function copyValue(value: unknown, where: string, level: number, refuse: Refuse): Value {
  if (level > maxDepth) refuse(`field "${where}" is nested deeper than ${maxDepth} levels, or holds itself`);
  switch (typeof value) {
    case "boolean":
      return value;
    case "string":
      return value.toWellFormed();
    case "number":
      if (!Number.isFinite(value)) refuse(`field "${where}" is ${value}: write null, or remove the field`);
      return value === 0 ? 0 : value;
    case "undefined":
      return refuse(`field "${where}" is undefined: remove the field`);
    case "object":
      if (value === null) return null;
      if (value instanceof Date) return copyDate(value, where, refuse);
      if (Array.isArray(value)) return copyArray(value, where, level, refuse);
      return copyMap(value, where, level, refuse);
    default:
      return refuse(`field "${where}" is a ${typeof value}, which cannot be stored: write a number or a text`);
  }
}

function copyDate(value: Date, where: string, refuse: Refuse): Date {
  const instant = value.getTime();
  if (!(instant >= firstInstant && instant <= lastInstant)) {
    refuse(`field "${where}" is not an instant in the years 1 to 9999: check how it was computed`);
  }
  return new Date(instant);
}

function copyArray(value: readonly unknown[], where: string, level: number, refuse: Refuse): Value[] {
  return Array.from(value, (element, index) => {
    const place = `${where}[${index}]`;
    if (Array.isArray(element)) refuse(`field "${place}" is an array directly in an array: put a map between them`);
    return copyValue(element, place, level + 1, refuse);
  });
}

function copyMap(value: object, where: string, level: number, refuse: Refuse): Fields {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    refuse(
      `${where === "" ? "it" : `field "${where}"`} is a ${value.constructor.name}, not a plain object: write its fields`,
    );
  }
  const copy: Record<string, Value> = {};
  for (const [field, inner] of Object.entries(value)) {
    const problem = fieldProblem(field);
    const place = where === "" ? field : `${where}.${field}`;
    if (problem !== undefined) refuse(`the field name ${quote(place)} ${problem}`);
    setEntry(copy, field, copyValue(inner, place, level + 1, refuse));
  }
  return copy;
}

function valueBytes(value: Value): number {
  if (value === null || typeof value === "boolean") return 1;
  if (typeof value === "string") return textBytes(value);
  if (typeof value === "number" || value instanceof Date) return 8;
  if (isArray(value)) return value.reduce<number>((sum, element) => sum + valueBytes(element), 0);
  return Object.entries(value).reduce((sum, [field, inner]) => sum + textBytes(field) + valueBytes(inner), 32);
}

function textBytes(text: string): number {
  return Buffer.byteLength(text) + 1;
}

/** `Array.isArray` that also narrows a readonly array. */
function isArray(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

function quote(name: unknown): string {
  return JSON.stringify(typeof name === "string" ? name.slice(0, 80) : name) ?? "undefined";
}

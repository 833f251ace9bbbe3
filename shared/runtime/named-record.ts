/** Schemas of records whose keys are names from outside. Those of zod leave out an entry named `__proto__` without a word. */
import { z } from "zod";
import { ownEntry, setEntry } from "./entries.ts";

/**
 * Returns the schema of a record with entries of any name. What it reads and reports is otherwise what `z.record` does.
 * @see https://zod.dev/api#records
 */
export function namedRecord<Key extends z.ZodType<string, string>, Value extends z.ZodType>(
  keyType: Key,
  valueType: Value,
  params?: z.core.$ZodRecordParams,
): z.ZodRecord<Key, Value> {
  const schema = new NamedRecord({ type: "record", keyType, valueType, ...z.core.util.normalizeParams(params) });
  return schema as z.ZodRecord<Key, Value>;
}

/** Returns the schema of any value of JSON. */
export function anyJson(): z.ZodType<z.core.util.JSONType> {
  const schema: z.ZodType<z.core.util.JSONType> = z.lazy(() =>
    z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(schema), namedRecord(z.string(), schema)]),
  );
  return schema;
}

const prototype = "__proto__";

const NamedRecord = z.core.$constructor<z.ZodRecord>("NamedRecord", (schema, definition) => {
  z.ZodRecord.init(schema, definition);
  const { parse } = schema._zod;
  schema._zod.parse = (payload, context) => {
    const input: unknown = payload.value;
    const parsed = parse(payload, context);
    if (parsed instanceof Promise || typeof input !== "object" || input === null) return parsed;
    if (!Object.hasOwn(input, prototype)) return parsed;
    const run = <Of extends z.core.$ZodType>(type: Of, value: unknown): z.core.ParsePayload => {
      const result = type._zod.run({ value, issues: [] }, context);
      if (result instanceof Promise) throw new z.core.$ZodAsyncError();
      return result;
    };
    const key = run(definition.keyType, prototype);
    if (key.issues.length > 0) {
      const issues = key.issues.map((issue) => z.core.util.finalizeIssue(issue, context, z.config()));
      parsed.issues.push({
        code: "invalid_key",
        origin: "record",
        issues,
        input: prototype,
        path: [prototype],
        inst: schema,
      });
      return parsed;
    }
    const { value, issues } = run(definition.valueType, ownEntry(input as Record<string, unknown>, prototype));
    parsed.issues.push(...z.core.util.prefixIssues(prototype, issues));
    setEntry(parsed.value as Record<string, unknown>, String(key.value), value);
    return parsed;
  };
});

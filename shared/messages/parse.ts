/** Reads messages by their schema. Shared by the wire formats. */
import type { z } from "zod";

/** Reads `data` by `schema`, with one sentence for all that is wrong. Shared by the wire formats. */
export function parseMessage<T>(what: string, schema: z.ZodType<T>, data: unknown): T {
  const parsed = schema.safeParse(data);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.slice(0, 5).map((issue) => `${issue.path.join(".") || "it"}: ${issue.message}`);
  throw new MalformedMessage(`not a ${what}: ${problems.join("; ")}`);
}

/** A message that no redelivery can repair. */
export class MalformedMessage extends Error {
  override readonly name = "MalformedMessage";
}

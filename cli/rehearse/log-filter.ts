/** The part of the query language of Cloud Logging that alarms use, to see which entries they match. */
import { ownEntry } from "../../shared/runtime/entries.ts";

/** An entry of the log, with its fields by their paths. */
export type LogEntry = Readonly<Record<string, string>>;

const severities = ["DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY"];

/** Returns true if a filter matches an entry. @throws Error for unsupported syntax */
export function matchesLog(filter: string, entry: LogEntry): boolean {
  const tokens = filter.match(/"(?:[^"\\]|\\.)*"|[()]|=~|>=|!=|=|:|[\w./%-]+/g) ?? [];
  let next = 0;
  const take = (wanted?: string): string => {
    const token = tokens[next++];
    if (token === undefined || (wanted !== undefined && token !== wanted))
      throw new Error(`expected ${wanted ?? "more"} instead of ${token ?? "the end"} in ${filter}`);
    return token;
  };
  const value = (): string => JSON.parse(take()) as string;
  const compared = (field: string, operator: string, wanted: string): boolean => {
    const found = ownEntry(entry, field) ?? "";
    if (operator === "=") return found === wanted;
    if (operator === "=~") return new RegExp(wanted).test(found);
    if (operator === ":") return found.includes(wanted);
    throw new Error(`unknown operator ${operator}`);
  };
  const comparison = (): boolean => {
    const field = take();
    if (field === "log_id") {
      take("(");
      const id = value();
      take(")");
      return entry["logName"]?.split("/logs/")[1] === encodeURIComponent(id);
    }
    const operator = take();
    if (operator === ">=") return severities.indexOf(ownEntry(entry, field) ?? "DEFAULT") >= severities.indexOf(take());
    if (tokens[next] !== "(") return compared(field, operator, value());
    take("(");
    let isOne = compared(field, operator, value());
    while (tokens[next] === "OR") {
      take("OR");
      const also = compared(field, operator, value());
      isOne ||= also;
    }
    take(")");
    return isOne;
  };
  const unary = (): boolean => {
    if (tokens[next] === "NOT") {
      take("NOT");
      return !unary();
    }
    if (tokens[next] !== "(") return comparison();
    take("(");
    const inner = any();
    take(")");
    return inner;
  };
  const joined = (word: string, part: () => boolean): boolean[] => {
    const parts = [part()];
    while (tokens[next] === word) {
      take(word);
      parts.push(part());
    }
    return parts;
  };
  // OR binds more tightly than AND. https://cloud.google.com/logging/docs/view/logging-query-language#boolean-operators
  const all = (): boolean => joined("OR", unary).some(Boolean);
  const any = (): boolean => joined("AND", all).every(Boolean);
  const matched = any();
  if (next < tokens.length) throw new Error(`unexpected ${tokens[next]} in ${filter}`);
  return matched;
}

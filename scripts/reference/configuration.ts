/** The table of the keys at the top of `monitor.yaml`, from the schema that reads it. */
import { z } from "zod";
import { outline } from "../../shared/config/schema.ts";
import { cell } from "./markdown.ts";

/** Renders the table of settings. @param page the page that contains it: keys with their own section there link to it */
export function topKeysTable(page: string): string {
  const rows = Object.entries(outline.shape).map(([key, field]) => {
    const name = page.includes(`\n### \`${key}\`\n`) ? `[\`${key}\`](#${key})` : `\`${key}\``;
    const { description = "" } = field as z.ZodType;
    const required = (field as z.ZodType).safeParse(undefined).success ? "" : " Required.";
    return `| ${name} | ${formOf(field)} | ${cell(description)}${required} |`;
  });
  return ["| key | form | meaning |", "|---|---|---|", ...rows].join("\n");
}

/** Returns the description of a key's value. */
function formOf(field: unknown): string {
  const schema = z.toJSONSchema(field as z.ZodType, { io: "input", unrepresentable: "any" });
  const { type, properties, anyOf } = schema as { type?: string; properties?: object; anyOf?: { type?: string }[] };
  if (properties !== undefined) {
    const keys = Object.keys(properties).map((key) => `\`${key}\``);
    return `map: ${keys.join(", ")}`;
  }
  if (type === "object") return "map, by name";
  if (type === "array" || anyOf?.some((one) => one.type === "array")) return "list";
  return type === "string" ? "text" : "map";
}

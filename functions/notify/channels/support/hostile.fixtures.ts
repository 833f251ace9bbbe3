/** Notices whose texts are as long and as awkward as a broken or hostile target could make them. */
import type { Notice } from "../../channel.ts";
import { incidentEvent, noticeOf } from "../../fixtures.ts";

const texts: Readonly<Record<string, string>> = {
  "no spaces": "x".repeat(100_000),
  "characters that every markup escapes": "&<>\"'".repeat(20_000),
  "one character that grows fivefold": "&".repeat(100_000),
  "formatting of Markdown": "*_`~|[](\\".repeat(12_000),
  "quotes and backslashes": '"\\'.repeat(50_000),
  emoji: "👩‍🚒🔥".repeat(20_000),
  "emoji that every cut tears": `x${"🔥".repeat(50_000)}`,
  "combining marks": `e${"\u0301\u0323".repeat(50_000)}`,
  "three bytes a character": "障害".repeat(50_000),
};

/** Each kind of text with a notice full of it, including the names of environment, cause and team. */
export const hostileNotices: readonly (readonly [string, Notice])[] = Object.entries(texts).map(([name, text]) => [
  name,
  {
    ...noticeOf(
      incidentEvent({
        incident: `20250916-120000-${"x".repeat(63)}`,
        event: "severity_raised",
        summary: text,
        change: `Now ${text}`,
        title: text,
        impact: text,
        root_cause: "vpc-connector",
        components: Array(100).fill(text),
        alerts: Array(100).fill(text),
        evidence: Array(100).fill(text),
        whys: Array(100).fill(text),
      }),
    ),
    environment: text,
    rootCause: { title: text, team: text },
  },
]);

/** Returns the required parts that a message full of such texts is missing, however little room there is; empty if none. */
export function leftOut(text: string): string[] {
  return requiredParts.filter((part) => !text.includes(part));
}

/** State and severity, impact, start time, number of folded items, and link. */
const requiredParts: readonly string[] = [
  "OPEN, and worse than before",
  "critical P0",
  "Impact",
  ":58",
  "in the incident",
  `document 20250916-120000-${"x".repeat(63)}`,
  `https://console.example.com/incidents/20250916-120000-${"x".repeat(63)}?project=netra`,
];

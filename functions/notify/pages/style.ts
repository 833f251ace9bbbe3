/** Style of a status page: one style sheet, inline, for light and dark, wide and narrow. */
import { createHash } from "node:crypto";
import { swimlaneStyle } from "../../../shared/picture/swimlane-svg.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { refreshScript } from "./refresh.ts";

/** The style sheet. Colours are paired with shapes and words; texts keep a contrast of 4.5 to 1 in both schemes. */
export const style: string = `
:root {
  color-scheme: light dark;
  --ground: #fbfbf9; --card: #ffffff; --line: #e4e3de; --text: #1c1d1f; --soft: #5d5f66;
  --good: #1d7a4a; --fair: #8f5a00; --bad: #b3261e; --calm: #2b5fb3; --none: #6a6c73;
  --bar-good: #3fa873; --bar-fair: #e3a02c; --bar-bad: #d64a3f; --bar-none: #d9d8d2;
  --good-ground: #e9f5ee; --fair-ground: #fdf3e0; --bad-ground: #fceceb; --calm-ground: #eaf1fb; --none-ground: #f1f0ec;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #131417; --card: #1b1d21; --line: #2e3036; --text: #ececee; --soft: #a5a8b0;
    --good: #6fd3a0; --fair: #f0bd62; --bad: #ff9c93; --calm: #9cc2ff; --none: #a5a8b0;
    --bar-good: #3c9a6b; --bar-fair: #d4942a; --bar-bad: #d9534a; --bar-none: #3a3c43;
    --good-ground: #16291f; --fair-ground: #2d2413; --bad-ground: #331b1a; --calm-ground: #182436; --none-ground: #212329;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--ground); color: var(--text);
  font: 400 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  overflow-wrap: anywhere; -webkit-text-size-adjust: 100%;
}
header, main, footer { max-width: 46rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 2.5rem; }
h1 { font-size: 1.125rem; font-weight: 600; margin: 0 0 1.25rem; }
h2 { font-size: 1.125rem; font-weight: 600; margin: 2.75rem 0 0.75rem; }
article h2 { margin-top: 0; }
h3 { font-size: 1rem; font-weight: 600; margin: 0; }
p { margin: 0.5rem 0; }
a { color: inherit; text-decoration-color: var(--soft); text-underline-offset: 0.2em; }
a:hover { text-decoration-color: currentColor; }
a:focus-visible, summary:focus-visible { outline: 2px solid var(--calm); outline-offset: 3px; border-radius: 2px; }
.soft { color: var(--soft); font-size: 0.875rem; }
.banner { border-radius: 12px; padding: 1.1rem 1.25rem; margin: 0; font-size: 1.375rem; font-weight: 600; line-height: 1.35; display: flex; gap: 0.75rem; }
.banner svg, .state svg { flex: none; width: 1em; height: 1em; margin-top: 0.2em; fill: currentColor; }
.operational { color: var(--good); } .degraded { color: var(--fair); } .down { color: var(--bad); } .recovering { color: var(--calm); } .unknown { color: var(--none); }
.banner.operational { background: var(--good-ground); } .banner.degraded { background: var(--fair-ground); } .banner.down { background: var(--bad-ground); }
.banner.recovering { background: var(--calm-ground); } .banner.unknown { background: var(--none-ground); }
.note { background: var(--none-ground); border-radius: 8px; padding: 0.75rem 1rem; margin: 0.75rem 0 0; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 0 1.25rem; }
.card > * { padding: 1rem 0; border-top: 1px solid var(--line); }
.card > :first-child { border-top: 0; }
.row { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1rem; align-items: baseline; }
.state { display: inline-flex; gap: 0.4rem; font-size: 0.875rem; font-weight: 500; }
.bars { display: block; width: 100%; height: 2rem; margin: 0.6rem 0 0.35rem; }
.bars .up { fill: var(--bar-good); } .bars .some { fill: var(--bar-fair); } .bars .much { fill: var(--bar-bad); } .bars .none { fill: var(--bar-none); }
.scale { display: flex; justify-content: space-between; gap: 0.75rem; color: var(--soft); font-size: 0.8125rem; font-variant-numeric: tabular-nums; text-align: center; }
.scale :first-child, .scale :last-child { white-space: nowrap; }
details { font-size: 0.875rem; margin-top: 0.35rem; }
summary { color: var(--soft); cursor: pointer; width: fit-content; }
details ul { margin: 0.35rem 0 0; padding-left: 1.25rem; }
.incident { background: var(--card); border: 1px solid var(--line); border-left: 4px solid currentColor; border-radius: 12px; padding: 1.1rem 1.25rem; margin: 0 0 1rem; }
.incident > * { color: var(--text); }
.updates { list-style: none; margin: 0.9rem 0 0; padding: 0; }
.updates li { border-top: 1px solid var(--line); padding: 0.75rem 0 0; margin: 0 0 0.75rem; }
.updates li:last-child { margin-bottom: 0; }
.updates p { margin: 0 0 0.15rem; }
.past { list-style: none; margin: 0; }
footer { padding-top: 2.5rem; padding-bottom: 3rem; }
@media (max-width: 30rem) {
  header { padding-top: 1.5rem; }
  header, main, footer { padding-left: 1rem; padding-right: 1rem; }
  .banner { font-size: 1.1875rem; padding: 0.9rem 1rem; }
  .card { padding: 0 1rem; }
  .incident { padding: 0.9rem 1rem; }
}
.legend { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; list-style: none; padding: 0; margin: 0.75rem 0 0; color: var(--soft); font-size: 0.8125rem; }
.legend li { display: flex; gap: 0.4rem; align-items: center; margin: 0; }
@media (forced-colors: active) { .bars rect { forced-color-adjust: none; } }
${swimlaneStyle}
.legend .swimlane { width: 18px; }
`;

/**
 * Content security policy: only the page's own style sheet and script, identified by their hashes, inline images, and `status.json` beside
 * the page.
 */
export const contentSecurityPolicy: () => string = lazily(() =>
  [
    "default-src 'none'",
    `style-src '${hashOf(style)}'`,
    `script-src '${hashOf(refreshScript)}'`,
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; "),
);

function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}

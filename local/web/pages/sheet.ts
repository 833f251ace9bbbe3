/** Style sheet of the control room, based on that of the status page. Covers light and dark, wide and narrow screens, and print. */
import { style } from "../../../functions/notify/pages/style.ts";

/** The sheet. */
export const sheet: string = `${style}
header.top, main { max-width: 76rem; }
header.top { padding-top: 0.75rem; padding-bottom: 0.75rem; }
.top nav { display: flex; gap: 1.25rem; align-items: baseline; }
.top .home { font-weight: 600; font-size: 1.0625rem; }
main { padding-bottom: 2rem; }
.hidden { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); }
main > h1 { font-size: 1.375rem; line-height: 1.3; margin: 0.25rem 0 0.5rem; }
h2 { margin: 1.75rem 0 0.6rem; }
h3 { margin: 0.7rem 0 0.2rem; }
ul, ol { margin: 0.35rem 0; padding-left: 1.25rem; }
li { margin: 0.25rem 0; }
code, pre { font: 0.875em/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
code { background: var(--none-ground); border-radius: 4px; padding: 0.1em 0.3em; }
pre { background: var(--none-ground); border-radius: 8px; padding: 0.75rem 1rem; overflow-x: auto; }
pre code { padding: 0; }
main > .banner { margin-bottom: 1rem; } .incident h2 { margin: 0 0 0.25rem; }
.lead { font-size: 1.0625rem; max-width: 60rem; }
.facts { display: flex; flex-wrap: wrap; gap: 0.35rem 1.25rem; margin: 0.5rem 0; padding: 0; list-style: none; }
.facts li { margin: 0; } .facts b { font-weight: 600; }
.badge { border-radius: 999px; padding: 0.1rem 0.6rem; font-size: 0.875rem; font-weight: 600; background: var(--none-ground); }
.badge.down { background: var(--bad-ground); } .badge.degraded { background: var(--fair-ground); } .badge.recovering { background: var(--calm-ground); } .badge.operational { background: var(--good-ground); }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 0 2rem; align-items: start; }
.columns > * { min-width: 0; }
figure { margin: 0.75rem 0 0; padding: 0.75rem 1.25rem; background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
figcaption { margin: 0.5rem 0 0; }
.actions { display: flex; flex-wrap: wrap; gap: 0.6rem; align-items: end; margin: 1rem 0; }
.actions form { display: flex; flex-wrap: wrap; gap: 0.4rem; align-items: end; margin: 0; }
button, select, input, textarea { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--none); border-radius: 8px; padding: 0.4rem 0.75rem; min-height: 2.5rem; max-width: 100%; }
button { cursor: pointer; font-weight: 600; }
button.first { background: var(--calm); border-color: var(--calm); color: var(--card); }
button:focus-visible, select:focus-visible, input:focus-visible, textarea:focus-visible, .scroll:focus-visible, .graph a:focus-visible { outline: 2px solid var(--calm); outline-offset: 2px; }
label { display: inline-flex; flex-direction: column; gap: 0.15rem; font-size: 0.8125rem; color: var(--soft); }
label input, label select { font-size: 1rem; color: var(--text); }
label.check { flex-direction: row; align-items: center; gap: 0.4rem; } label.check input { min-height: 0; }
.filters { display: flex; flex-wrap: wrap; gap: 0.5rem 0.75rem; align-items: end; margin: 0.75rem 0; }
details { margin: 0.5rem 0; font-size: 1rem; } details > summary { font-weight: 600; color: var(--text); padding: 0.35rem 0; }
.folds { display: grid; grid-template-columns: repeat(auto-fit, minmax(14rem, 1fr)); gap: 0 2rem; margin-top: 1rem; }
.folds > details { min-width: 0; margin: 0; } .folds > details[open] { grid-column: 1 / -1; }
.columns { font-size: 0.9375rem; line-height: 1.45; } .columns h2 { margin-top: 1.25rem; }
.task { list-style: none; margin-left: -1.1rem; }
table { border-collapse: collapse; width: 100%; font-size: 0.9375rem; }
th, td { text-align: left; vertical-align: top; padding: 0.45rem 0.75rem 0.45rem 0; border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--soft); font-weight: 500; font-size: 0.8125rem; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.scroll { overflow-x: auto; }
.spark { display: block; width: 9rem; height: 1.75rem; } .spark path { fill: none; stroke: var(--calm); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
.components .bars { width: 12rem; height: 1.5rem; margin: 0; }
.graph { display: block; width: 100%; height: auto; font: 400 13px/1.2 system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif; }
.graph.narrow { display: none; }
.graph .edge { fill: none; stroke: var(--none); stroke-width: 1.25; opacity: 0.55; } .graph .edge.bad { stroke: var(--bad); stroke-width: 2; opacity: 1; }
.graph .node { stroke: var(--line); fill: var(--card); } .graph a:hover .node { stroke: var(--text); }
.graph .node.down { fill: var(--bad-ground); stroke: var(--bad); } .graph .node.degraded { fill: var(--fair-ground); stroke: var(--fair); }
.graph .node.recovering { fill: var(--calm-ground); stroke: var(--calm); } .graph .node.operational { fill: var(--good-ground); stroke: var(--bar-good); } .graph .node.unknown { fill: var(--none-ground); stroke: var(--none); }
.graph .name { fill: var(--text); font-weight: 600; } .graph .says { fill: var(--soft); font-size: 11.5px; }
.graph.narrow .name { font-size: 12px; }
.graph .line { fill: none; stroke: var(--soft); stroke-width: 1.25; }
.graph .sign { fill: currentColor; }
.chart { min-height: 15rem; margin: 0.25rem 0 0; } .chart .u-legend { font-size: 0.8125rem; text-align: left; } .chart .u-legend .u-marker { border-radius: 2px; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(30rem, 100%), 1fr)); gap: 1rem; }
.charts figure { margin: 0; min-width: 0; } .charts h3 { margin: 0; }
.stamp { margin-top: 2rem; }
.flash { border-radius: 8px; padding: 0.6rem 1rem; background: var(--calm-ground); }
@media (max-width: 52rem) {
  .graph.wide { display: none; } .graph.narrow { display: block; }
  header.top, main { padding-left: 1rem; padding-right: 1rem; }
  .components thead { display: none; }
  .components tr { display: grid; grid-template-columns: 1fr auto; gap: 0.1rem 1rem; border-top: 1px solid var(--line); padding: 0.6rem 0; }
  .components td, .components th { border: 0; padding: 0; } .components td.number { text-align: left; white-space: normal; }
  .components td[data-label]::before { content: attr(data-label) " "; color: var(--soft); font-size: 0.8125rem; }
  .components .wide { grid-column: 1 / -1; } .components .bars { width: 100%; }
  figure { padding: 0.75rem; }
}
@media print {
  header.top, .actions, .filters, .stamp { display: none; }
  main { max-width: none; padding: 0; } figure, .incident, .card { break-inside: avoid; border-color: #999; }
  details > summary { list-style: none; }
  details::details-content { content-visibility: visible; display: block; }
  a { text-decoration: none; }
}
@media (prefers-reduced-motion: no-preference) { .graph .node { transition: fill 0.3s; } }
`;

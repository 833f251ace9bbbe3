/** Dependency graph of the components: user-facing components at the top, their dependencies below. Pure: layout and SVG. */
import { type ComponentState, stateWords } from "../../../functions/notify/pages/page-text.ts";
import { shapes } from "../../../functions/notify/pages/parts.ts";
import { type Html, html } from "../../../shared/text/html.ts";

/** One component of the graph. */
export interface GraphNode {
  readonly name: string;
  readonly title: string;
  readonly state: ComponentState;
  /** Names of components; those that the graph has not are left out. */
  readonly dependsOn: readonly string[];
  /** A figure or a word below the title. */
  readonly says: string;
  /** Values of a line, oldest first; `undefined` where nothing was measured. @default none */
  readonly line?: readonly (number | undefined)[] | undefined;
}

/** A component at its place; pixels. */
export interface PlacedNode extends GraphNode {
  readonly x: number;
  readonly y: number;
}

/** Measures of a graph, in pixels. */
export interface GraphSize {
  readonly width: number;
  readonly nodeWidth: number;
  readonly nodeHeight: number;
  readonly gap: number;
  readonly rowGap: number;
  /** Position of the state icon: before the title, or in the lower corner if the title needs the space. */
  readonly sign: "before" | "corner";
}

/** For screens of laptops, and for phones. */
export const graphSizes: Readonly<Record<"wide" | "narrow", GraphSize>> = {
  wide: { width: 1160, nodeWidth: 180, nodeHeight: 74, gap: 16, rowGap: 40, sign: "before" },
  narrow: { width: 358, nodeWidth: 112, nodeHeight: 70, gap: 11, rowGap: 30, sign: "corner" },
};

/** Places the components in rows, each below all that need it, and near them. */
export function placed(nodes: readonly GraphNode[], size: GraphSize): PlacedNode[] {
  const { width, nodeWidth, nodeHeight, gap, rowGap } = size;
  const perRow = Math.max(1, Math.floor((width + gap) / (nodeWidth + gap)));
  const ranks = ranksOf(nodes);
  const middles = new Map<string, number>();
  const found: PlacedNode[] = [];
  let row = 0;
  for (const rank of [...new Set(ranks.values())].sort((a, b) => a - b)) {
    const own = nodes.filter(({ name }) => ranks.get(name) === rank);
    // Under the middle of those that need it.
    const wish = ({ name }: GraphNode): number => {
      const needing = nodes.flatMap((one) => (one.dependsOn.includes(name) ? (middles.get(one.name) ?? []) : []));
      return needing.length === 0 ? width / 2 : needing.reduce((sum, middle) => sum + middle, 0) / needing.length;
    };
    const sorted = own.map((node) => ({ node, at: wish(node) })).sort((a, b) => a.at - b.at);
    for (let first = 0; first < sorted.length; first += perRow, row++) {
      const inRow = sorted.slice(first, first + perRow);
      const left = (width - inRow.length * nodeWidth - (inRow.length - 1) * gap) / 2;
      for (const [index, { node }] of inRow.entries()) {
        const x = left + index * (nodeWidth + gap);
        middles.set(node.name, x + nodeWidth / 2);
        found.push({ ...node, x, y: row * (nodeHeight + rowGap) });
      }
    }
  }
  return found;
}

/** Returns the level of each component: one below all of its dependents. Cycles, which no valid configuration has, do not loop forever. */
function ranksOf(nodes: readonly GraphNode[]): Map<string, number> {
  const ranks = new Map(nodes.map(({ name }) => [name, 0]));
  for (let round = 0, changed = true; changed && round < nodes.length; round++) {
    changed = false;
    for (const { name, dependsOn } of nodes)
      for (const needed of dependsOn) {
        const rank = (ranks.get(name) ?? 0) + 1;
        if (!ranks.has(needed) || (ranks.get(needed) ?? 0) >= rank) continue;
        ranks.set(needed, rank);
        changed = true;
      }
  }
  return ranks;
}

/** Draws it. Each component is a link to its page. */
export function graphSvg(nodes: readonly GraphNode[], kind: keyof typeof graphSizes): Html {
  const size = graphSizes[kind];
  const { width, nodeWidth, nodeHeight } = size;
  const found = placed(nodes, size);
  const places = new Map(found.map((node) => [node.name, node]));
  const height = Math.max(0, ...found.map(({ y }) => y)) + nodeHeight + 2;
  const edges = found.flatMap((from) =>
    from.dependsOn.flatMap((needed) => {
      const to = places.get(needed);
      if (to === undefined) return [];
      const [x1, y1, x2, y2] = [from.x + nodeWidth / 2, from.y + nodeHeight, to.x + nodeWidth / 2, to.y];
      const bend = Math.max(14, (y2 - y1) / 2);
      const isBad = isFailing(from.state) && isFailing(to.state);
      return [
        html`<path class="${isBad ? "edge bad" : "edge"}" d="M${px(x1)} ${px(y1)}C${px(x1)} ${px(y1 + bend)} ${px(x2)} ${px(y2 - bend)} ${px(x2)} ${px(y2)}"/>`,
      ];
    }),
  );
  return html`<svg class="graph ${kind}" viewBox="-1 -1 ${width + 2} ${height + 2}" role="group" aria-label="Components and their dependencies">${edges}${found.map((node) => nodeSvg(node, size))}</svg>`;
}

function isFailing(state: ComponentState): boolean {
  return state === "down" || state === "degraded";
}

function nodeSvg(node: PlacedNode, { nodeWidth, nodeHeight, sign }: GraphSize): Html {
  const { name, title, state, says, line = [], x, y } = node;
  const [left, corner] = sign === "before" ? [30, "9 9"] : [10, `${nodeWidth - 24} ${nodeHeight - 24}`];
  const letters = Math.floor((nodeWidth - left - 4) / 7.2);
  const room = nodeWidth - (sign === "before" ? 20 : 38);
  const lines = wrapped(title, letters);
  return html`<a href="/components/${encodeURIComponent(name)}"><g transform="translate(${px(x)} ${px(y)})"><rect class="node ${state}" width="${nodeWidth}" height="${nodeHeight}" rx="10"/><g class="${state}"><title>${stateWords[state]}</title><path class="sign" fill-rule="evenodd" transform="translate(${corner})" d="${shapes[state]}"/></g>
${lines.map((text, index) => html`<text class="name" x="${left}" y="${21 + index * 15}">${text}</text>`)}
<text class="says" x="10" y="${nodeHeight - 9}">${clipped(says, Math.floor(room / 6.4))}</text>
${lines.length > 1 ? "" : html`<svg x="10" y="28" width="${nodeWidth - 20}" height="${nodeHeight - 50}" viewBox="0 0 100 100" preserveAspectRatio="none"><path class="line" vector-effect="non-scaling-stroke" d="${linePath(line)}"/></svg>`}</g></a>
`;
}

/** The longest row of missing values that a line leads over: what is measured seldom is no gap. */
const minGap = 3;

/** Returns a line of values across a 100 by 100 square. Long intervals without measurements are gaps. The lowest value is at the bottom. */
export function linePath(values: readonly (number | undefined)[]): string {
  const known = values.flatMap((value, index) => (value === undefined ? [] : [{ value, index }]));
  const [least, most] = [
    Math.min(0, ...known.map(({ value }) => value)),
    Math.max(0, ...known.map(({ value }) => value)),
  ];
  const range = most - least || 1;
  const x = (index: number): number => (100 * index) / Math.max(1, values.length - 1);
  return known
    .map(({ value, index }, place) => {
      const isFollowing = index - (known[place - 1]?.index ?? Number.NEGATIVE_INFINITY) <= minGap;
      const isFollowed = (known[place + 1]?.index ?? Number.POSITIVE_INFINITY) - index <= minGap;
      // A single point is a short stroke.
      return `${isFollowing ? "L" : "M"}${px(x(index))} ${px(96 - (92 * (value - least)) / range)}${isFollowing || isFollowed ? "" : "h1"}`;
    })
    .join("");
}

/** A text in at most two lines of so many characters. */
function wrapped(text: string, most: number): string[] {
  if (text.length <= most) return [text];
  const end = text.lastIndexOf(" ", most);
  const first = end > 0 ? text.slice(0, end) : text.slice(0, most);
  return [first, clipped(text.slice(first.length).trim(), most)];
}

function clipped(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, Math.max(0, most - 1)).trimEnd()}…`;
}

function px(value: number): string {
  return String(Math.round(value * 10) / 10);
}

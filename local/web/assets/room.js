/** What a page of the control room does in the browser: it renews itself when something changes, and draws its charts. */

/** Whether somebody is typing, whose words a new page would take away. */
function isTyping() {
  const { activeElement: element } = document;
  const fields = document.querySelectorAll("main input:not([type=hidden]):not([type=checkbox]), main textarea");
  return element?.matches("main input, main select, main textarea") || [...fields].some(({ value }) => value !== "");
}

/** Puts the page as it is now in place of the one that is shown; what is open stays open. */
async function renew() {
  if (isTyping() || document.hidden) return;
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!answer.ok) return;
  const next = new DOMParser().parseFromString(await answer.text(), "text/html");
  const main = next.getElementById("main");
  const shown = document.getElementById("main");
  if (main === null || shown === null || isTyping()) return;
  for (const { id } of shown.querySelectorAll("details[open][id]")) next.getElementById(id)?.setAttribute("open", "");
  const focused = document.activeElement?.closest("a[href], summary, [id]");
  const place =
    focused &&
    (focused.id
      ? `#${CSS.escape(focused.id)}`
      : focused.matches("a")
        ? `a[href="${CSS.escape(focused.getAttribute("href"))}"]`
        : undefined);
  // Charts that are drawn are kept, and given new data.
  for (const chart of shown.querySelectorAll(".chart[data-panel]")) {
    const same = main.querySelector(`.chart[data-panel="${CSS.escape(chart.dataset.panel)}"]`);
    if (chart.dataset.drawn !== undefined) same?.replaceWith(chart);
  }
  shown.replaceChildren(...main.childNodes);
  document.title = next.title;
  const icon = next.querySelector("link[rel=icon]");
  if (icon) document.querySelector("link[rel=icon]")?.setAttribute("href", icon.getAttribute("href"));
  if (place) shown.querySelector(place)?.focus({ preventScroll: true });
  await drawCharts();
}

/** Renews the page with the news of the server. The browser connects again by itself. */
function live() {
  let version;
  let running = Promise.resolve();
  new EventSource("/events").addEventListener("version", ({ data }) => {
    const isNews = version !== undefined && version !== data;
    version = data;
    if (isNews) running = running.then(renew).catch(() => {});
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) running = running.then(renew).catch(() => {});
  });
}

const units = {
  seconds: (value) =>
    value !== 0 && Math.abs(value) < 1 ? `${+(value * 1000).toFixed(1)} ms` : `${+value.toFixed(2)} s`,
  ratio: (value) => `${+(value * 100).toFixed(1)} %`,
  bytes: (value) =>
    value >= 2 ** 30 ? `${+(value / 2 ** 30).toFixed(1)} GiB` : `${+(value / 2 ** 20).toFixed(1)} MiB`,
  count: (value) => `${+value.toFixed(2)}`,
};

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const palette = () => ["--calm", "--bar-good", "--bar-fair", "--bar-bad", "--none", "--good"].map(colour);

let charts = [];

/** Draws every chart of the page anew. */
async function drawCharts() {
  const holder = document.querySelector("#charts[data-source]");
  if (holder === null) return;
  const [{ default: Plot }, answer] = await Promise.all([import("/assets/uplot.js"), fetch(holder.dataset.source)]);
  if (!answer.ok) return;
  const data = await answer.json();
  for (const panel of data.panels) panel.series = panel.series.map(withGaps);
  for (const chart of charts) chart.destroy();
  charts = data.panels.flatMap((panel) => {
    const place = holder.querySelector(`.chart[data-panel="${CSS.escape(panel.id)}"]`);
    if (place === null) return [];
    place.dataset.drawn = "";
    place.replaceChildren();
    return [draw(Plot, place, panel, data)];
  });
}

/** One chart. */
function draw(Plot, place, panel, { from, until, incidents, timezone }) {
  const colours = palette();
  const stacked = panel.stackedBy !== undefined;
  const table = stacked
    ? stackedTable(panel.series)
    : Plot.join(
        panel.series.flatMap(({ at, p50, p95 }) => [
          [at, p50],
          [at, p95],
        ]),
      );
  const [at, ...columns] = table;
  const several = panel.series.length > 1;
  // One line is enough where both are the same.
  const lines = stacked
    ? panel.series.map(({ label }, index) => ({
        label,
        colour: colours[index % colours.length],
        values: columns[index],
        fill: true,
      }))
    : panel.series.flatMap(({ label, p50, p95 }, index) => {
        const own = colours[index % colours.length];
        const first = { label: several ? `${label} p50` : "p50", colour: own, values: columns[2 * index] };
        const same = p50.every((value, place) => value === p95[place]);
        if (same) return [{ ...first, label }];
        return [
          first,
          { label: several ? `${label} p95` : "p95", colour: own, values: columns[2 * index + 1], dash: [5, 4] },
        ];
      });
  const format = units[panel.unit];
  const limits = panel.thresholds.map(({ value }) => value);
  const highest = Math.max(
    ...lines.flatMap(({ values }) => values.filter((value) => value !== null && value !== undefined)),
    0,
  );
  // A limit that is near is seen; one that is far would press everything else to the ground.
  const seen = limits.filter((value) => value <= 4 * highest);
  const isLong = until - from > 86_400_000;
  const day = { day: "numeric", month: "short" };
  const clock = { hour: "2-digit", minute: "2-digit", hour12: false };
  const tick = new Intl.DateTimeFormat("en-GB", { timeZone: timezone, ...(isLong ? day : clock) });
  const instant = new Intl.DateTimeFormat("en-GB", { timeZone: timezone, ...day, ...clock, second: "2-digit" });
  const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
  const chart = new Plot(
    {
      width: Math.max(240, place.clientWidth),
      height: 200,
      ms: 1,
      cursor: { sync: { key: "room" }, points: { size: 6 } },
      scales: {
        x: { time: true, range: [from, until] },
        y: { range: (_, least, most) => [Math.min(0, least ?? 0), Math.max(most ?? 0, ...seen) * 1.08 || 1] },
      },
      tzDate: (at) => Plot.tzDate(new Date(at), timezone),
      axes: [
        { ...axis, values: (_, instants) => instants.map((at) => tick.format(at)) },
        { ...axis, size: 64, values: (_, values) => values.map(format) },
      ],
      series: [
        { value: (_, at) => (at === null ? "–" : instant.format(at)) },
        ...lines.map(({ label, colour: stroke, dash, fill }) => ({
          label,
          stroke,
          width: 1.5,
          spanGaps: false,
          points: { show: at.length < 15 },
          ...(dash ? { dash } : {}),
          ...(fill ? { fill: `${stroke}55` } : {}),
          value: (self, value, series, index) => {
            if (value === null || value === undefined) return "–";
            const below = stacked && series < lines.length ? (self.data[series + 1]?.[index] ?? 0) : 0;
            return format(value - below);
          },
        })),
      ],
      hooks: { drawClear: [(self) => shade(self, incidents)], draw: [(self) => drawLimits(self, panel)] },
    },
    [at, ...lines.map(({ values }) => values)],
    place,
  );
  place.setAttribute("role", "group");
  place.setAttribute("aria-label", `Chart of ${panel.metric}; its numbers stand below`);
  return chart;
}

/** The same with an empty point wherever nothing was measured for much longer than usual, so that no line leads over it. */
function withGaps({ at, p50, p95, ...series }) {
  const steps = at.slice(1).map((instant, index) => instant - at[index]);
  const usual = steps.toSorted((a, b) => a - b)[Math.floor(steps.length / 2)] ?? 0;
  const shown = { ...series, at: [], p50: [], p95: [] };
  for (const [index, instant] of at.entries()) {
    if (index > 0 && instant - at[index - 1] > 3.5 * usual) {
      shown.at.push(at[index - 1] + usual);
      shown.p50.push(null);
      shown.p95.push(null);
    }
    shown.at.push(instant);
    shown.p50.push(p50[index]);
    shown.p95.push(p95[index]);
  }
  return shown;
}

/** Parts on top of each other: the first line is the sum of all, the last the lowest part. */
function stackedTable(series) {
  const instants = [...new Set(series.flatMap(({ at }) => at))].sort((a, b) => a - b);
  const values = series.map(({ at, p50 }) => new Map(at.map((instant, index) => [instant, p50[index]])));
  const columns = series.map((_, first) =>
    instants.map((instant) => values.slice(first).reduce((sum, own) => sum + (own.get(instant) ?? 0), 0)),
  );
  return [instants, ...columns];
}

function shade({ ctx, bbox, valToPos }, incidents) {
  ctx.save();
  for (const { from, until, severity } of incidents) {
    const [left, right] = [from, until].map((at) =>
      Math.min(bbox.left + bbox.width, Math.max(bbox.left, valToPos(at, "x", true))),
    );
    ctx.globalAlpha = 0.16;
    ctx.fillStyle = colour(severity === "critical" ? "--bar-bad" : "--bar-fair");
    ctx.fillRect(left, bbox.top, Math.max(2, right - left), bbox.height);
  }
  ctx.restore();
}

function drawLimits({ ctx, bbox, valToPos }, { thresholds }) {
  ctx.save();
  for (const { value, severity } of thresholds) {
    const y = valToPos(value, "y", true);
    if (y < bbox.top || y > bbox.top + bbox.height) continue;
    ctx.strokeStyle = colour(severity === "critical" ? "--bad" : "--fair");
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
  }
  ctx.restore();
}

// A choice filters at once; the button is for those without script.
document.addEventListener("change", ({ target }) => {
  if (target instanceof HTMLSelectElement) target.closest("form.filters")?.requestSubmit();
});

let resizing;
new ResizeObserver(() => {
  clearTimeout(resizing);
  resizing = setTimeout(() => {
    for (const chart of charts)
      chart.setSize({ width: Math.max(240, chart.root.parentElement?.clientWidth ?? 0), height: 200 });
  }, 150);
}).observe(document.documentElement);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => void drawCharts());

live();
void drawCharts();

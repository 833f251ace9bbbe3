import { afterEach, describe, expect, it, vi } from "vitest";
import type { Fields } from "../../../shared/ports.ts";
import { allPages, shop, sources } from "./page.fixtures.ts";
import { pageState } from "./view.ts";

/** Configuration of a large environment: many components, each with ninety days. */
const manyComponents = {
  ...shop,
  components: Array.from({ length: 40 }, (_, index) => ({
    name: `service-${index}`,
    title: `Service ${index}`,
    layer: "application" as const,
    dependsOn: [],
  })),
};

/** Counts the date formatters that are constructed, including those constructed by `toLocaleString` and similar methods. */
function countingFormatters(): () => number {
  const constructed = vi.spyOn(Intl, "DateTimeFormat");
  const implicit = (["toLocaleString", "toLocaleDateString", "toLocaleTimeString"] as const).map((name) =>
    vi.spyOn(Date.prototype, name),
  );
  return () => [constructed, ...implicit].reduce((sum, { mock }) => sum + mock.calls.length, 0);
}

describe("writing the pages of many components", () => {
  afterEach(() => vi.restoreAllMocks());

  it.each(["Pacific/Apia", "America/St_Johns"])("constructs each formatter once, however often: %s", (timezone) => {
    const at = Date.parse("2025-09-16T12:06:40Z");
    const state = pageState(sources, { ...manyComponents, timezone }, {}, at);
    const count = countingFormatters();
    const first = allPages(state);
    // One for days, one for months, and one for instants in the zone.
    expect(count()).toBeLessThanOrEqual(3);
    const afterFirst = count();
    expect(allPages(pageState(sources, { ...manyComponents, timezone }, {}, at))).toEqual(first);
    expect(count()).toBe(afterFirst);
  });
});

describe("the page of an incident", () => {
  const instant = (clock: string): Date => new Date(`2025-09-16T${clock}:00Z`);
  const affected = (component: string): Fields => ({
    ...{ component, title: `internal title of ${component}`, trouble: "failed", from: instant("11:58"), until: null },
  });
  const [id = ""] = Object.keys(sources.documents);
  const document: Fields = {
    ...sources.documents[id],
    root_cause: "connector",
    affected: [affected("connector"), affected("backend"), affected("secret-store")],
    symptoms: ["connector", "backend", "secret-store"].map((component) => ({
      ...{ check: "internal-check", kind: "probe", component, since: instant("11:58"), until: null },
      showed: "10.1.2.3 refuses the password",
    })),
    first_failure_at: instant("11:58"),
    opened_at: instant("11:59"),
    acknowledged_at: instant("12:01"),
  };
  const state = pageState({ ...sources, documents: { [id]: document } }, shop, {}, Date.parse("2025-09-16T12:06:40Z"));

  it("has a timeline of failures of its components, without cause, checks and internal details", () => {
    const page = allPages(state).find(({ path }) => path === `incidents/${state.open[0]?.id}.html`);
    expect(page?.content).toContain('<svg xmlns="http://www.w3.org/2000/svg" class="swimlane"');
    expect(page?.content).toContain('aria-label="Network: failed for 8 min 40 s; API: failed for 8 min 40 s."');
    const said = allPages(state).flatMap(({ path, content }) =>
      (
        content
          .replace(/<style>.*?<\/style>/s, "")
          .match(/internal|10\.1\.2\.3|secret-store|\bcause\b|acknowledged 1/g) ?? []
      ).map((found) => `${path}: ${found}`),
    );
    expect(said).toEqual([]);
  });

  it("has no timeline if the document has no failure times", () => {
    expect(pageState(sources, shop, {}, Date.parse("2025-09-16T12:06:40Z")).open[0]).not.toHaveProperty("picture");
  });
});

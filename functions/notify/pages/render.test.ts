import { afterEach, describe, expect, it, vi } from "vitest";
import { allPages, shop, sources } from "./page.fixtures.ts";
import { pageState } from "./view.ts";

/** As many components as a large environment has, each with ninety days. */
const manyComponents = {
  ...shop,
  components: Array.from({ length: 40 }, (_, index) => ({
    name: `service-${index}`,
    title: `Service ${index}`,
    layer: "application" as const,
    dependsOn: [],
  })),
};

/** Counts the formatters of dates that are constructed, also those that `toLocaleString` and its kin construct. */
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
    // A day, a month, and an instant of the zone.
    expect(count()).toBeLessThanOrEqual(3);
    const afterFirst = count();
    expect(allPages(pageState(sources, { ...manyComponents, timezone }, {}, at))).toEqual(first);
    expect(count()).toBe(afterFirst);
  });
});

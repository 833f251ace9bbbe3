import { describe, expect, it } from "vitest";
import { type EventEntry, eventsOf } from "./events.ts";

const base: EventEntry = {
  name: "projects/shop-staging/locations/global/events/abc123",
  title: "Elevated connection errors",
  description: "We are investigating.",
  category: "INCIDENT",
  state: "ACTIVE",
  detailedState: "CONFIRMED",
  relevance: "RELATED",
  startTime: "2025-09-16T11:40:00Z",
  eventImpacts: [
    { product: { productName: "Google Cloud SQL" }, location: { locationName: "us-central1" } },
    { product: { productName: "Cloud Run" }, location: { locationName: "europe-west1" } },
  ],
  updates: [],
};
const at = (locationName: string | undefined, productName = "Cloud Run"): EventEntry => ({
  ...base,
  eventImpacts: [{ product: { productName }, location: { locationName } }],
});

describe("incidents that affect a region", () => {
  it.each([
    ["the region", at("us-central1"), true],
    ["a zone of it", at("us-central1-a"), true],
    ["the multi-region around it", at("us"), true],
    ["everywhere", at("global"), true],
    ["a place that is not said", at(undefined), true],
    ["another region", at("europe-west1"), false],
    ["a region whose name begins like it", at("us-central10"), false],
    ["a region whose name it begins like", at("us-central"), false],
    ["what is over", { ...base, state: "CLOSED" }, false],
    ["what is no incident", { ...base, category: "MAINTENANCE" }, false],
    ["what does not strike this project", { ...base, relevance: "NOT_IMPACTED" }, false],
    ["what strikes nothing", { ...base, eventImpacts: [] }, false],
  ])("%s", (_, entry, strikes) => {
    expect(eventsOf([entry], "us-central1", [])).toHaveLength(strikes ? 1 : 0);
  });

  it.each([
    [["Cloud SQL"], 1],
    [["cloud sql", "Pub/Sub"], 1],
    [["Cloud Run"], 0],
    [[], 1],
  ])("are filtered by the products %j and the region", (products, count) => {
    expect(eventsOf([base], "us-central1", products)).toHaveLength(count);
  });

  it("contain the affected products that were requested, and the symptom from the newest update that has one", () => {
    const updates = [
      { updateTime: "2025-09-16T11:50:00Z", symptom: "Connections time out.", workaround: "" },
      { updateTime: "2025-09-16T12:10:00Z", symptom: "", workaround: "Retry." },
      { updateTime: "2025-09-16T11:45:00Z", symptom: "Unknown.", workaround: "Wait." },
    ];
    expect(eventsOf([{ ...base, updates, detailedState: "EMERGING" }], "us-central1", [])).toEqual([
      {
        id: "abc123",
        title: "Elevated connection errors",
        startedAt: Date.UTC(2025, 8, 16, 11, 40),
        confirmed: false,
        relevance: "RELATED",
        symptom: "Connections time out.",
        workaround: "Retry.",
        products: ["Google Cloud SQL"],
        locations: ["us-central1"],
      },
    ]);
    expect(eventsOf([base], "us-central1", [])[0]?.symptom).toBe("We are investigating.");
  });
});

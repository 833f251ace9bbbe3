/**
 * Composite indexes that the queries of the code need. Firestore refuses a query without its index in production, while its emulator
 * answers it; every adapter checks this table instead, so that a missing one is found in a test.
 */

/** A composite index of one collection. */
export interface CompositeIndex {
  readonly collection: string;
  readonly fields: readonly { readonly field: string; readonly direction: "asc" | "desc" }[];
}

/** Every composite index, also the source of the Terraform that creates them. The code needs none: these are for people who filter in the console. */
export const compositeIndexes: readonly CompositeIndex[] = ["status", "severity"].map((field) => ({
  collection: "incidents",
  fields: [
    { field, direction: "asc" },
    { field: "opened_at", direction: "desc" },
  ],
}));

/** Collections whose documents Firestore deletes by itself, with the field that holds the instant; also for Terraform. */
export const expiringCollections: Readonly<Record<string, string>> = {
  state: "expires_at",
  deliveries: "expires_at",
  availability: "expires_at",
};

/** Fields that are only ever read with their whole document: an entry in an index would cost with each write, and long ones count against its limits. */
export const unindexedFields: readonly { readonly collection: string; readonly field: string }[] = [
  { collection: "state", field: "data" },
  { collection: "state", field: "changes" },
  { collection: "pages", field: "data" },
  { collection: "availability", field: "data" },
  { collection: "availability", field: "components" },
  { collection: "availability", field: "journeys" },
  { collection: "availability", field: "incidents" },
  { collection: "deliveries", field: "payload" },
  { collection: "deliveries", field: "attempts" },
  { collection: "incidents", field: "_overview" },
  { collection: "incidents", field: "component_states" },
  { collection: "incidents", field: "affected" },
  { collection: "incidents", field: "symptoms" },
  { collection: "incidents", field: "findings" },
  { collection: "incidents", field: "next_steps" },
  { collection: "incidents", field: "recovery" },
  { collection: "incidents", field: "timeline" },
  { collection: "incidents", field: "evidence" },
  { collection: "incidents", field: "candidates" },
  { collection: "incidents", field: "whys" },
  { collection: "incidents", field: "postmortem" },
  { collection: "incidents", field: "told" },
];

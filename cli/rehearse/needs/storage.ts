/** Requirements of storage: the database with its indexes and expiry, and the status pages. */

import { labelled } from "../../../shared/deployment/labels.ts";
import type { Names } from "../../../shared/deployment/names.ts";
import type { Need, Reference, Requirement } from "../../../shared/deployment/need.ts";
import { oneOf } from "../need.ts";

/** Returns the needs of documents and pages. */
export function storageNeeds(names: Names): Need[] {
  return [...database(names), ...fields(names), ...indexes(names), ...pages(names)];
}

const databaseReference = ({ project, database: name }: Names): Reference => ({
  type: "google_firestore_database",
  key: { project, name },
  attribute: "name",
});

function database(names: Names): Need[] {
  const { inputs, project, region } = names;
  if (!inputs.database.create) return [];
  const { kms_key_name } = inputs.organization;
  return [
    {
      type: "google_firestore_database",
      key: { project, name: names.database },
      why: "for state and incidents",
      values: {
        location_id: { is: inputs.database.location ?? region, why: "it can never be moved" },
        type: {
          is: "FIRESTORE_NATIVE",
          why: "the functions need Firestore in native mode",
          source: "https://cloud.google.com/firestore/docs/firestore-or-datastore",
        },
        concurrency_mode: {
          is: "PESSIMISTIC",
          usual: "PESSIMISTIC",
          why: "the evaluator's transactions then wait for each other instead of failing",
          source: "https://cloud.google.com/firestore/docs/transaction-data-contention",
        },
        point_in_time_recovery_enablement: {
          is: inputs.database.point_in_time_recovery
            ? "POINT_IN_TIME_RECOVERY_ENABLED"
            : "POINT_IN_TIME_RECOVERY_DISABLED",
          usual: "POINT_IN_TIME_RECOVERY_DISABLED",
          why: "database.point_in_time_recovery sets it, and it costs money",
        },
        delete_protection_state: {
          is: "DELETE_PROTECTION_ENABLED",
          why: "terraform destroy would delete all incidents: set deletion_protection = true, except just before you remove everything",
        },
        deletion_policy: {
          is: "ABANDON",
          usual: "ABANDON",
          why: "terraform destroy would delete all incidents: set deletion_protection = true, except just before you remove everything",
        },
        ...(kms_key_name === null
          ? {}
          : {
              "cmek_config.0.kms_key_name": {
                is: kms_key_name,
                why: "the organization encrypts with its own key",
              },
            }),
      },
    },
  ];
}

/** The requirement for the database's name, which is known only after the apply if the plan creates the database. */
function inDatabase(names: Names): Requirement {
  return { is: names.database, why: "the monitor's documents are in this database", from: databaseReference(names) };
}

function fields(names: Names): Need[] {
  const { deployment, project } = names;
  const source = "https://cloud.google.com/firestore/docs/ttl";
  return [
    ...Object.entries(deployment.expiring).map(([collection, field]) => ({
      type: "google_firestore_field",
      key: { project, collection, field },
      why: `so that documents of ${collection} expire`,
      values: {
        database: inDatabase(names),
        "ttl_config.0": { is: {}, why: "documents would be kept forever, at a cost", source },
        "index_config.0": { is: {}, why: "an index on increasing times becomes a hot spot", source },
      },
    })),
    ...deployment.unindexed.map(({ collection, field }) => ({
      type: "google_firestore_field",
      key: { project, collection, field },
      why: `so that ${collection}.${field} is not indexed`,
      values: {
        database: inDatabase(names),
        "index_config.0": {
          is: {},
          why: "entries of a long field count against the limits of an index",
          source: "https://cloud.google.com/firestore/quotas",
        },
      },
    })),
  ];
}

function indexes(names: Names): Need[] {
  const { deployment, project } = names;
  return deployment.indexes.map(({ collection, fields: own }) => ({
    type: "google_firestore_index",
    key: {
      project,
      collection,
      ...Object.fromEntries(
        own.flatMap(({ field, direction }, at) => [
          [`fields.${at}.field_path`, field],
          [`fields.${at}.order`, direction === "desc" ? "DESCENDING" : "ASCENDING"],
        ]),
      ),
    },
    why: `so that the console can filter ${collection} by ${own.map(({ field }) => field).join(", ")}`,
    values: { database: inDatabase(names) },
  }));
}

function pages(names: Names): Need[] {
  const { deployment, inputs, project, region } = names;
  const { kms_key_name } = inputs.organization;
  return deployment.status_pages.map((bucket) => ({
    type: "google_storage_bucket",
    key: { project, name: bucket },
    why: "for the status page",
    values: {
      location: { is: region, why: "the notifier, which writes the page, runs in this region" },
      uniform_bucket_level_access: {
        is: true,
        why: "permissions on individual objects are easily overlooked",
        source: "https://cloud.google.com/storage/docs/uniform-bucket-level-access",
      },
      public_access_prevention: inputs.status_page_readers.includes("allUsers")
        ? { is: oneOf("inherited"), why: "allUsers may read it" }
        : { is: "enforced", why: "status_page_readers does not contain allUsers" },
      force_destroy: { is: false, usual: false, why: "the pages of past incidents are stored nowhere else" },
      "soft_delete_policy.0.retention_duration_seconds": {
        is: 0,
        why: "every replaced page would be kept for another week, at a cost",
        source: "https://cloud.google.com/storage/docs/soft-delete",
      },
      "website.0.main_page_suffix": { is: "index.html", why: "the page is called index.html" },
      ...(kms_key_name === null
        ? {}
        : {
            "encryption.0.default_kms_key_name": {
              is: kms_key_name,
              why: "the organization encrypts with its own key",
            },
          }),
      ...labelled("labels", names),
    },
    free: ["labels"],
  }));
}

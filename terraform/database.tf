# State, incidents and the ledger. The monitor has a database of its own: nobody else's rules, indexes or quota touch it.
locals {
  database_name = coalesce(var.database.name, var.name_prefix)
  database      = var.database.create ? google_firestore_database.main[0].name : local.database_name
}

resource "google_firestore_database" "main" {
  count = var.database.create ? 1 : 0

  project                           = var.project_id
  name                              = local.database_name
  location_id                       = coalesce(var.database.location, var.region)
  type                              = "FIRESTORE_NATIVE"
  concurrency_mode                  = "PESSIMISTIC"
  point_in_time_recovery_enablement = var.database.point_in_time_recovery ? "POINT_IN_TIME_RECOVERY_ENABLED" : "POINT_IN_TIME_RECOVERY_DISABLED"
  delete_protection_state           = var.deletion_protection ? "DELETE_PROTECTION_ENABLED" : "DELETE_PROTECTION_DISABLED"
  # By default it would only be forgotten, and stand in the way of the next apply.
  deletion_policy = var.deletion_protection ? "ABANDON" : "DELETE"

  dynamic "cmek_config" {
    for_each = var.organization.kms_key_name == null ? [] : [var.organization.kms_key_name]

    content {
      kms_key_name = cmek_config.value
    }
  }

  depends_on = [google_project_service.main]
}

# Documents that go by themselves. The instant is not indexed: it grows with every write, and an index of it would be a hot spot.
resource "google_firestore_field" "expiry" {
  for_each = local.deployment.expiring

  project    = var.project_id
  database   = local.database
  collection = each.key
  field      = each.value

  ttl_config {}
  index_config {}

  depends_on = [google_project_service.main]
}

# What is only ever read whole. A state is long, and every entry of an index costs with each write.
resource "google_firestore_field" "unindexed" {
  for_each = { for each in local.deployment.unindexed : "${each.collection}/${each.field}" => each }

  project    = var.project_id
  database   = local.database
  collection = each.value.collection
  field      = each.value.field

  index_config {}

  depends_on = [google_project_service.main]
}

resource "google_firestore_index" "main" {
  for_each = { for each in local.deployment.indexes : join("-", concat([each.collection], [for field in each.fields : "${field.field}-${field.direction}"])) => each }

  project    = var.project_id
  database   = local.database
  collection = each.value.collection

  dynamic "fields" {
    for_each = each.value.fields

    content {
      field_path = fields.value.field
      order      = fields.value.direction == "desc" ? "DESCENDING" : "ASCENDING"
    }
  }

  depends_on = [google_project_service.main]
}

# Firestore knows no rights below a database, but a grant can be bound to one. Those who write may read; the others only read.
resource "google_project_iam_member" "database" {
  for_each = merge(
    { for name in local.deployment.stores : name => "roles/datastore.user" },
    { for name in local.deployment.readers : name => "roles/datastore.viewer" },
  )

  project = var.project_id
  role    = each.value
  member  = google_service_account.function[each.key].member

  condition {
    title       = "${var.name_prefix} database only"
    description = "Documents of the monitor, and of nobody else."
    expression  = "resource.name == \"projects/${var.project_id}/databases/${local.database_name}\""
  }
}

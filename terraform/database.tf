# State, incidents and the ledger. The monitor has its own database, so that it shares no rules, indexes or quota.
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
  # The default would only remove it from the state, and the next apply would fail.
  deletion_policy = var.deletion_protection ? "ABANDON" : "DELETE"

  dynamic "cmek_config" {
    for_each = var.organization.kms_key_name == null ? [] : [var.organization.kms_key_name]

    content {
      kms_key_name = cmek_config.value
    }
  }

  depends_on = [google_project_service.main]
}

# Documents that expire. The expiry time is not indexed: it increases with every write, and its index would be a hot spot.
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

# Documents that are only read whole. States are long, and every index entry costs with each write.
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

# Firestore has no permissions below a database, but a grant can be restricted to one. Writers may also read; the others may only read.
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

# The secrets that monitor.yaml refers to, and their readers. A person adds the values with gcloud, so they are never in Terraform's state. The
# functions read the newest version, so a new value needs no deployment.
locals {
  # A policy on locations forbids automatic replication, and a regional key cannot encrypt in other regions.
  secret_locations = var.organization.kms_key_name == null ? var.organization.secret_locations : [var.region]

  secrets = toset(flatten(concat(values(local.deployment.secrets), [for function in values(local.functions) : function.secrets])))
  readers = flatten([
    for name, function in local.functions : [for secret in function.secrets : { function = name, secret = secret }]
  ])
}

resource "google_secret_manager_secret" "main" {
  for_each = local.secrets

  project   = var.project_id
  secret_id = "${var.name_prefix}-${each.value}"
  labels    = local.labels

  replication {
    dynamic "auto" {
      for_each = length(local.secret_locations) == 0 ? [1] : []
      content {}
    }

    dynamic "user_managed" {
      for_each = length(local.secret_locations) == 0 ? [] : [local.secret_locations]

      content {
        dynamic "replicas" {
          for_each = user_managed.value

          content {
            location = replicas.value

            dynamic "customer_managed_encryption" {
              for_each = var.organization.kms_key_name == null ? [] : [var.organization.kms_key_name]

              content {
                kms_key_name = customer_managed_encryption.value
              }
            }
          }
        }
      }
    }
  }

  depends_on = [google_project_service.main]
}

resource "google_secret_manager_secret_iam_member" "reader" {
  for_each = { for each in local.readers : "${each.function}/${each.secret}" => each }

  project   = var.project_id
  secret_id = google_secret_manager_secret.main[each.value.secret].secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.function[each.value.function].member
}

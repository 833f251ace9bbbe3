# What the probes may read of the watched project: one custom role for each vantage point, with the permissions of its probes and no more.
locals {
  readers_of_watched = { for vantage in local.deployment.vantages : "probe-${vantage}" => local.deployment.permissions["probe-${vantage}"] if length(local.deployment.permissions["probe-${vantage}"]) > 0 }
}

resource "google_project_iam_custom_role" "probe" {
  for_each = local.readers_of_watched

  project     = local.watched_project_id
  role_id     = replace("${var.name_prefix}_${each.key}", "-", "_")
  title       = "Pathkeeper: ${each.key}"
  description = "What the probes of this vantage point read, and nothing that changes anything."
  permissions = each.value
}

resource "google_project_iam_member" "probe" {
  for_each = local.readers_of_watched

  project = local.watched_project_id
  role    = google_project_iam_custom_role.probe[each.key].id
  member  = google_service_account.function[each.key].member
}

# Permissions of the probes in the watched project: one custom role for each vantage, with only the permissions of its probes.
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

  depends_on = [google_project_service.main, google_project_service.watched]
}

resource "google_project_iam_member" "probe" {
  for_each = local.readers_of_watched

  project = local.watched_project_id
  role    = google_project_iam_custom_role.probe[each.key].id
  member  = google_service_account.function[each.key].member
}

# Roles for connections to Cloud SQL through Google's connectors, and for IAM logins. A probe of a private address needs neither.
resource "google_project_iam_member" "cloud_sql" {
  for_each = { for each in local.deployment.cloud_sql : join("/", compact([each.function, each.project, each.role])) => each }

  project = coalesce(each.value.project, local.watched_project_id)
  role    = each.value.role
  member  = google_service_account.function[each.value.function].member
}

# Lets charts and alarms of this project use metrics of the watched project.
resource "google_monitoring_monitored_project" "watched" {
  count = var.create_metrics_scope && local.watched_project_id != var.project_id ? 1 : 0

  metrics_scope = var.project_id
  name          = local.watched_project_id

  depends_on = [google_project_service.main]
}

# Answers to notifications: a second deployment of the notify bundle, with a URL for browsers, Slack, PagerDuty and Opsgenie, and permission only to
# edit existing documents. Off by default.
locals {
  # Known before the function exists, as an input of the notifier: https://cloud.google.com/run/docs/triggering/https-request#deterministic
  answers_url     = var.answers.enabled ? coalesce(var.answers.url, "https://${var.name_prefix}-answers-${data.google_project.main.number}.${var.region}.run.app") : null
  answers_ingress = var.answers.iap ? "ALLOW_INTERNAL_AND_GCLB" : "ALLOW_ALL"
  # The signing key of links: the notifier signs with it, and this function verifies.
  answers_keys = var.answers.enabled ? [local.deployment.answers.key] : []
}

resource "google_project_iam_custom_role" "answers" {
  count = var.answers.enabled ? 1 : 0

  project     = var.project_id
  role_id     = replace("${var.name_prefix}_answers", "-", "_")
  title       = "Pathkeeper: answers"
  description = "Reads a document by its name, and changes one that exists."
  permissions = ["datastore.databases.get", "datastore.entities.get", "datastore.entities.update"]

  depends_on = [google_project_service.main]
}

resource "google_project_iam_member" "answers" {
  count = var.answers.enabled ? 1 : 0

  project = var.project_id
  role    = google_project_iam_custom_role.answers[0].id
  member  = google_service_account.function["answers"].member

  condition {
    title       = "${var.name_prefix} database only"
    description = "Documents of the monitor, and of nobody else."
    expression  = "resource.name == \"projects/${var.project_id}/databases/${local.database_name}\""
  }
}

# Callers: everyone, because every request must be signed; or only Identity-Aware Proxy, for users who have logged in.
resource "google_cloud_run_v2_service_iam_member" "answers" {
  count = var.answers.enabled ? 1 : 0

  project  = var.project_id
  location = var.region
  name     = google_cloudfunctions2_function.main["answers"].name
  role     = "roles/run.invoker"
  member   = var.answers.iap ? "serviceAccount:service-${data.google_project.main.number}@gcp-sa-iap.iam.gserviceaccount.com" : "allUsers"

  lifecycle {
    replace_triggered_by = [google_cloudfunctions2_function.main["answers"].id]
  }
}

check "answers_are_taken" {
  assert {
    condition     = var.answers.enabled || length(local.deployment.answers.channels) == 0
    error_message = "monitor.yaml has channels that take answers (${join(", ", local.deployment.answers.channels)}), and nothing answers them: set answers = { enabled = true }, or remove their signing_secret, webhook_secret or webhook_token."
  }
}

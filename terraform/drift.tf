# Drift of the deployment: once a day the evaluator compares the deployment with the configuration through Google's APIs, and opens an incident of the
# monitor if they differ. It reads settings and policies, and neither messages nor secret values. Off by default.
resource "google_project_iam_custom_role" "drift" {
  count = var.drift_check.enabled ? 1 : 0

  project     = var.project_id
  role_id     = replace("${var.name_prefix}_drift", "-", "_")
  title       = "Pathkeeper: drift"
  description = "Reads how the monitor is deployed, and changes nothing."
  permissions = concat([
    "cloudfunctions.functions.get",
    "cloudscheduler.jobs.get",
    "datastore.databases.getMetadata",
    "datastore.indexes.get",
    "datastore.indexes.list",
    "iam.roles.get",
    "iam.serviceAccounts.getIamPolicy",
    "monitoring.alertPolicies.list",
    "monitoring.notificationChannels.list",
    "pubsub.subscriptions.get",
    "pubsub.subscriptions.getIamPolicy",
    "pubsub.topics.getIamPolicy",
    "resourcemanager.projects.get",
    "resourcemanager.projects.getIamPolicy",
    "run.services.getIamPolicy",
    "secretmanager.secrets.getIamPolicy",
    "secretmanager.versions.get",
    ],
    length(local.deployment.status_pages) > 0 ? ["storage.buckets.getIamPolicy"] : [],
  )

  depends_on = [google_project_service.main]
}

resource "google_project_iam_member" "drift" {
  count = var.drift_check.enabled ? 1 : 0

  project = var.project_id
  # From names that are known during planning: the account has other roles here, and `rehearse` distinguishes them.
  role   = "projects/${google_project_iam_custom_role.drift[0].project}/roles/${google_project_iam_custom_role.drift[0].role_id}"
  member = google_service_account.function["evaluate"].member
}

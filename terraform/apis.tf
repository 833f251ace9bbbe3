# APIs that the monitor itself needs, and those that its probes read. They stay enabled when the monitor goes: others may use them by then.
locals {
  apis = toset(concat([
    "artifactregistry.googleapis.com",
    "cloudbuild.googleapis.com",
    "cloudfunctions.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "cloudscheduler.googleapis.com",
    "firestore.googleapis.com",
    "iam.googleapis.com",
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "pubsub.googleapis.com",
    "run.googleapis.com",
    "secretmanager.googleapis.com",
    "serviceusage.googleapis.com",
    "storage.googleapis.com",
    ],
    local.has_inside ? ["vpcaccess.googleapis.com"] : [],
    var.budget != null ? ["billingbudgets.googleapis.com"] : [],
    var.watched_project_id == null ? local.deployment.apis : [],
  ))
}

resource "google_project_service" "main" {
  for_each = local.apis

  project            = var.project_id
  service            = each.value
  disable_on_destroy = false
}

# In a watched project of its own, what the probes read must be enabled as well.
resource "google_project_service" "watched" {
  for_each = var.watched_project_id == null ? toset([]) : toset(local.deployment.apis)

  project            = local.watched_project_id
  service            = each.value
  disable_on_destroy = false
}

# Read while planning: if it waited for the APIs, every new API would leave the number unknown, and replace each grant that names an agent.
data "google_project" "main" {
  project_id = var.project_id
}

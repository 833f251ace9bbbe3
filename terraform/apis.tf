# APIs that the monitor needs, and those that its probes read. They stay enabled after the monitor is removed, because others may use them.
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

# If the watched project is another one, the APIs that the probes read must be enabled there too.
resource "google_project_service" "watched" {
  for_each = var.watched_project_id == null ? toset([]) : toset(local.deployment.apis)

  project            = local.watched_project_id
  service            = each.value
  disable_on_destroy = false
}

# Read during planning: with a dependency on the APIs, every new API would make the number unknown and replace each grant that names an agent.
data "google_project" "main" {
  project_id = var.project_id
}

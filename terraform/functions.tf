# The functions: their code, service accounts and settings. They are internal, and only Pub/Sub and Cloud Monitoring call them, except the one that
# accepts answers, if enabled.

resource "google_storage_bucket" "code" {
  name                        = "${var.project_id}-${var.name_prefix}-code"
  project                     = var.project_id
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  # `npm run build` can rebuild all of its contents.
  force_destroy = true
  labels        = local.labels

  soft_delete_policy {
    retention_duration_seconds = 0
  }

  dynamic "encryption" {
    for_each = var.organization.kms_key_name == null ? [] : [var.organization.kms_key_name]

    content {
      default_kms_key_name = encryption.value
    }
  }

  depends_on = [google_project_service.main]
}

# The images of the functions. The repository that Cloud Functions creates by default keeps every image forever, at a cost.
resource "google_artifact_registry_repository" "images" {
  project       = var.project_id
  location      = var.region
  repository_id = "${var.name_prefix}-images"
  description   = "Images of Pathkeeper's functions: the two newest of each."
  format        = "DOCKER"
  kms_key_name  = var.organization.kms_key_name
  labels        = local.labels

  cleanup_policies {
    id     = "keep-the-newest"
    action = "KEEP"

    most_recent_versions {
      keep_count = 2
    }
  }

  cleanup_policies {
    id     = "delete-the-rest"
    action = "DELETE"

    condition {
      tag_state  = "ANY"
      older_than = "86400s"
    }
  }

  depends_on = [google_project_service.main]
}

resource "google_storage_bucket_object" "code" {
  for_each = toset(["probe", "evaluate", "notify"])

  # A function is redeployed only if the object name changes, so the name contains the hash of the content.
  name           = "${each.value}-${filemd5("${local.bundles}/${each.value}.zip")}.zip"
  bucket         = google_storage_bucket.code.name
  source         = "${local.bundles}/${each.value}.zip"
  source_md5hash = filemd5("${local.bundles}/${each.value}.zip")
}

# The account of builds: the default account has no permissions in new projects, and too many in old ones.
resource "google_service_account" "build" {
  project      = var.project_id
  account_id   = "${var.name_prefix}-build"
  display_name = "Pathkeeper: builds the functions"

  depends_on = [google_project_service.main]
}

resource "google_project_iam_member" "build" {
  for_each = toset(["roles/artifactregistry.writer", "roles/logging.logWriter"])

  project = var.project_id
  role    = each.value
  member  = google_service_account.build.member
}

# Before a build, Cloud Functions copies the code into its own bucket, whose name is not known here.
resource "google_project_iam_member" "build_sources" {
  project = var.project_id
  role    = "roles/storage.objectViewer"
  member  = google_service_account.build.member
}

# Grants take about a minute to reach the builders, and an earlier build fails. This waits once, and again if the account changes.
resource "terraform_data" "build_grants" {
  triggers_replace = [google_service_account.build.email]

  provisioner "local-exec" {
    command = "sleep 60"
  }

  depends_on = [
    google_project_iam_member.build,
    google_project_iam_member.build_sources,
  ]
}

# Service accounts of the functions: one for each, with only the permissions that it needs.
resource "google_service_account" "function" {
  for_each = local.functions

  project      = var.project_id
  account_id   = "${var.name_prefix}-${each.key}"
  display_name = "Pathkeeper: runs the function ${each.key}"

  depends_on = [google_project_service.main]
}

resource "google_cloudfunctions2_function" "main" {
  for_each = local.functions

  project      = var.project_id
  location     = var.region
  name         = "${var.name_prefix}-${each.key}"
  description  = lookup(local.descriptions, each.key, local.descriptions[each.value.target])
  labels       = local.labels
  kms_key_name = var.organization.kms_key_name

  build_config {
    runtime         = "nodejs24"
    entry_point     = each.value.target
    service_account = google_service_account.build.id
    # From names that are known during planning.
    docker_repository = "projects/${google_artifact_registry_repository.images.project}/locations/${google_artifact_registry_repository.images.location}/repositories/${google_artifact_registry_repository.images.repository_id}"
    worker_pool       = var.organization.build_worker_pool

    source {
      storage_source {
        bucket = google_storage_bucket.code.name
        object = google_storage_bucket_object.code[each.value.target].name
      }
    }
  }

  service_config {
    service_account_email = google_service_account.function[each.key].email
    ingress_settings      = each.key == "answers" ? local.answers_ingress : "ALLOW_INTERNAL_ONLY"
    timeout_seconds       = each.value.timeout_seconds

    # Below one CPU, an instance handles one request at a time, and measurements would include its own waiting for the CPU.
    available_cpu                    = "1"
    available_memory                 = each.value.size.memory
    max_instance_request_concurrency = each.value.size.concurrency
    max_instance_count               = each.value.size.max_instances
    min_instance_count               = 0

    binary_authorization_policy = var.organization.binary_authorization

    environment_variables = merge(
      {
        PATHKEEPER_PROJECT       = var.project_id
        PATHKEEPER_DATABASE      = local.database
        PATHKEEPER_TOPIC_PREFIX  = "${var.name_prefix}-"
        PATHKEEPER_SECRET_PREFIX = var.name_prefix
      },
      each.value.target == "probe" ? { PATHKEEPER_VANTAGE = each.value.vantage } : {},
      # These threads decompress bodies and derive passwords: with the default four, targets would wait for each other.
      each.value.target == "probe" ? { UV_THREADPOOL_SIZE = "16" } : {},
      # Every report and every page allocates much memory. A small nursery is collected more often, and saves 100 MB.
      contains(["evaluate", "notify"], each.value.target) ? { NODE_OPTIONS = "--max-semi-space-size=8" } : {},
      each.key == "synthetic" ? { PATHKEEPER_SYNTHETIC = var.second_opinion.journey } : {},
      contains(["notify", "answers"], each.key) && var.answers.enabled ? { PATHKEEPER_ANSWERS_URL = local.answers_url } : {},
      each.key == "answers" ? { PATHKEEPER_ANSWERS = "true" } : {},
      each.key == "evaluate" && var.drift_check.enabled ? { PATHKEEPER_DRIFT_CHECK = var.region } : {},
      # For the front page, as estimated by `npm run build`.
      each.key == "evaluate" && can(local.deployment.monthly_cost) ? { PATHKEEPER_MONTHLY_COST = tostring(local.deployment.monthly_cost) } : {},
    )

    vpc_connector                 = each.key == "probe-inside" ? local.connector_path : null
    vpc_connector_egress_settings = each.key == "probe-inside" && local.connector_path != null ? (var.inside.all_traffic ? "ALL_TRAFFIC" : "PRIVATE_RANGES_ONLY") : null
    direct_vpc_egress             = each.key == "probe-inside" && var.inside.direct != null ? (var.inside.all_traffic ? "VPC_EGRESS_ALL_TRAFFIC" : "VPC_EGRESS_PRIVATE_RANGES_ONLY") : null

    dynamic "direct_vpc_network_interface" {
      for_each = each.key == "probe-inside" && var.inside.direct != null ? [var.inside.direct] : []

      content {
        network    = direct_vpc_network_interface.value.network
        subnetwork = direct_vpc_network_interface.value.subnetwork
        tags       = direct_vpc_network_interface.value.tags
      }
    }
  }

  depends_on = [
    terraform_data.configuration,
    terraform_data.build_grants,
    google_project_iam_member.connector,
    google_vpc_access_connector.main,
  ]
}

locals {
  descriptions = {
    probe    = "Measures what is watched, and publishes what it saw."
    evaluate = "Applies the rules, keeps the incidents and finds their causes."
    notify   = "Tells people, and keeps the ledger of what they were told."
    answers  = "Takes what people answer to notices: signed links, and what Slack, PagerDuty and Opsgenie send."
  }
}

# Topics and push subscriptions, with their publishers and callers. Messages that cannot be processed go to the dead-letter topic; the notifier
# announces them, and a copy is kept.
locals {
  subscriptions = { for each in local.deployment.subscriptions : each.name => each }
  # Dead letters have no dead-letter topic of their own.
  dying = { for name, each in local.subscriptions : name => each if each.topic != "dead-letters" }

  pubsub_agent = "serviceAccount:service-${data.google_project.main.number}@gcp-sa-pubsub.iam.gserviceaccount.com"

  # Publishers of each topic.
  publishes = flatten([
    for name in local.pushed : [
      for topic in local.deployment.publishes[local.functions[name].target] : { function = name, topic = topic }
    ]
  ])
}

resource "google_pubsub_topic" "main" {
  for_each = toset(local.deployment.topics)

  project      = var.project_id
  name         = "${var.name_prefix}-${each.value}"
  labels       = local.labels
  kms_key_name = var.organization.kms_key_name

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }

  depends_on = [google_project_service.main]
}

resource "google_pubsub_topic_iam_member" "publisher" {
  for_each = { for each in local.publishes : "${each.function}/${each.topic}" => each }

  project = var.project_id
  topic   = google_pubsub_topic.main[each.value.topic].name
  role    = "roles/pubsub.publisher"
  member  = google_service_account.function[each.value.function].member
}

# Publishers of heartbeats: jobs and backups.
resource "google_pubsub_topic_iam_member" "heartbeats" {
  for_each = toset(var.heartbeat_publishers)

  project = var.project_id
  topic   = google_pubsub_topic.main["heartbeats"].name
  role    = "roles/pubsub.publisher"
  member  = each.value
}

# Publishers of changes: deploy pipelines.
resource "google_pubsub_topic_iam_member" "changes" {
  for_each = toset(var.change_publishers)

  project = var.project_id
  topic   = google_pubsub_topic.main["changes"].name
  role    = "roles/pubsub.publisher"
  member  = each.value
}

# The account of pushes, which may only call the functions.
resource "google_service_account" "push" {
  project      = var.project_id
  account_id   = "${var.name_prefix}-push"
  display_name = "Pathkeeper: pushes messages to the functions"

  depends_on = [google_project_service.main]
}

# Pub/Sub creates the tokens of that account. Newer projects allow this by default; older and stricter ones do not.
resource "google_service_account_iam_member" "push_tokens" {
  service_account_id = google_service_account.push.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.pubsub_agent

  # The agent exists only after the first topic.
  depends_on = [google_pubsub_topic.main]
}

# The permission to call belongs to the Cloud Run service behind the function, and is lost when the service is replaced.
resource "google_cloud_run_v2_service_iam_member" "push" {
  for_each = toset(local.pushed)

  project  = var.project_id
  location = var.region
  name     = google_cloudfunctions2_function.main[each.key].name
  role     = "roles/run.invoker"
  member   = google_service_account.push.member

  lifecycle {
    replace_triggered_by = [google_cloudfunctions2_function.main[each.key].id]
  }
}

resource "google_pubsub_subscription" "push" {
  for_each = local.subscriptions

  project              = var.project_id
  name                 = "${var.name_prefix}-${each.key}"
  topic                = google_pubsub_topic.main[each.value.topic].id
  filter               = try(each.value.filter, null)
  ack_deadline_seconds = each.value.ackDeadlineSeconds
  labels               = local.labels

  push_config {
    push_endpoint = "${google_cloudfunctions2_function.main[each.value.function].service_config[0].uri}${each.value.path}"

    oidc_token {
      service_account_email = google_service_account.push.email
      # The base URL of the function. The default would be the endpoint with its path, which the function does not accept.
      audience = google_cloudfunctions2_function.main[each.value.function].service_config[0].uri
    }
  }

  retry_policy {
    minimum_backoff = "${each.value.minimumBackoffSeconds}s"
    maximum_backoff = "${each.value.maximumBackoffSeconds}s"
  }

  dynamic "dead_letter_policy" {
    for_each = contains(keys(local.dying), each.key) ? [each.value] : []

    content {
      # From a name that is known during planning.
      dead_letter_topic     = "projects/${google_pubsub_topic.main["dead-letters"].project}/topics/${google_pubsub_topic.main["dead-letters"].name}"
      max_delivery_attempts = dead_letter_policy.value.maxDeliveryAttempts
    }
  }

  # Never expires, even without messages for a month.
  expiration_policy {
    ttl = ""
  }

  # Without these, the first messages would use up their attempts on rejections.
  depends_on = [
    google_cloud_run_v2_service_iam_member.push,
    google_pubsub_topic_iam_member.dead_letters,
    google_service_account_iam_member.push_tokens,
  ]
}

# Pub/Sub itself moves messages to the dead-letter topic: it needs permission to acknowledge here and to publish there.
resource "google_pubsub_subscription_iam_member" "dead_letters" {
  for_each = local.dying

  project      = var.project_id
  subscription = google_pubsub_subscription.push[each.key].name
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent

  lifecycle {
    replace_triggered_by = [google_pubsub_subscription.push[each.key].id]
  }
}

resource "google_pubsub_topic_iam_member" "dead_letters" {
  project = var.project_id
  topic   = google_pubsub_topic.main["dead-letters"].name
  role    = "roles/pubsub.publisher"
  member  = local.pubsub_agent
}

# Keeps dead letters for inspection and replay: the push subscription only announces them.
resource "google_pubsub_subscription" "dead_letters_kept" {
  project                    = var.project_id
  name                       = "${var.name_prefix}-dead-letters-kept"
  labels                     = local.labels
  topic                      = google_pubsub_topic.main["dead-letters"].id
  ack_deadline_seconds       = 60
  message_retention_duration = "1209600s"

  expiration_policy {
    ttl = ""
  }
}

# One job for each vantage and interval, and one for the tick. Intervals below a minute use one job per minute, which runs in rounds.
resource "google_cloud_scheduler_job" "main" {
  for_each = { for each in local.deployment.schedules : each.name => each }

  project     = var.project_id
  region      = var.region
  name        = "${var.name_prefix}-${each.key}"
  description = each.key == "tick" ? "Lets time pass for the evaluator." : "Asks for the probes of the group ${each.key}."
  schedule    = each.value.cron
  # Where clocks change, a schedule in local time runs twice or never on two days of the year.
  time_zone = "Etc/UTC"

  pubsub_target {
    topic_name = google_pubsub_topic.main[each.value.topic].id
    data       = base64encode(jsonencode(each.value.message.data))
    attributes = try(each.value.message.attributes, null)
  }

  retry_config {
    retry_count          = 3
    min_backoff_duration = "2s"
    max_backoff_duration = "10s"
  }

  # The first runs need all resources and permissions.
  depends_on = [
    google_pubsub_subscription.push,
    google_pubsub_topic_iam_member.publisher,
    google_project_iam_member.cloud_sql,
    google_project_iam_member.database,
    google_project_iam_member.drift,
    google_project_iam_member.exporter,
    google_project_iam_member.probe,
    google_secret_manager_secret_iam_member.reader,
    google_storage_bucket_iam_member.status_page_writer,
  ]
}

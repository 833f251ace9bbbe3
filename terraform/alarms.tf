# Alarms on the monitor itself, from Cloud Monitoring: a monitor that is down cannot report it. None of them depends on the watched environment. A
# metrics scope can contain several projects with the same names: each filter on a metric also names the project.
locals {
  alarm_channels = concat([for channel in google_monitoring_notification_channel.email : channel.id], var.alarms.channel_ids)
  services       = [for function in google_cloudfunctions2_function.main : function.name]

  # `npm run build` derives the waiting times from the schedules.
  waits = local.deployment.alarms
  blind = local.waits.no_measurements

  # Entries that a function writes, and those of Cloud Run when an instance crashes or runs out of memory. The request log is excluded: there each 503
  # is an error, even one that only requests a redelivery.
  own_logs = join(" OR ", [for name in ["stdout", "stderr", "varlog/system"] : "log_id(\"run.googleapis.com/${name}\")"])
}

resource "google_monitoring_notification_channel" "email" {
  for_each = toset(var.alarms.emails)

  project      = var.project_id
  type         = "email"
  display_name = "Pathkeeper's own alarms: ${each.value}"
  labels       = { email_address = each.value }
  user_labels  = local.labels

  depends_on = [google_project_service.main]

  lifecycle {
    # A channel can be deleted only after policies no longer refer to it.
    create_before_destroy = true
  }
}

# Pub/Sub counts the messages, and missing data counts as zero, so a monitor that never started is detected too. Cloud Monitoring looks back less than a
# day. If the schedules pause for longer, the evaluator exports the age of the newest report, and the alarm below watches the evaluator.
resource "google_monitoring_alert_policy" "no_measurements" {
  count = local.blind == null ? 0 : 1

  project               = var.project_id
  display_name          = "${var.name_prefix}: no measurements"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = local.alarm_channels
  user_labels           = local.labels

  conditions {
    display_name = "No report for ${local.blind.silence}"

    dynamic "condition_threshold" {
      for_each = local.blind.watched_by == "pubsub" ? [local.blind] : []

      content {
        filter                  = "resource.type = \"pubsub_topic\" AND resource.labels.project_id = \"${var.project_id}\" AND resource.labels.topic_id = \"${google_pubsub_topic.main["measurements"].name}\" AND metric.type = \"pubsub.googleapis.com/topic/send_message_operation_count\""
        comparison              = "COMPARISON_LT"
        threshold_value         = 1
        duration                = "${condition_threshold.value.duration_seconds}s"
        evaluation_missing_data = "EVALUATION_MISSING_DATA_ACTIVE"

        aggregations {
          alignment_period     = "${condition_threshold.value.alignment_seconds}s"
          per_series_aligner   = "ALIGN_DELTA"
          cross_series_reducer = "REDUCE_SUM"
        }
      }
    }

    dynamic "condition_prometheus_query_language" {
      for_each = local.blind.watched_by == "evaluator" ? [local.blind] : []

      content {
        query                     = "min(custom_googleapis_com:pathkeeper_report_age{project_id=\"${var.project_id}\",node_id=\"${local.deployment.environment}\"}) > ${condition_prometheus_query_language.value.age_seconds}"
        duration                  = "60s"
        evaluation_interval       = "60s"
        disable_metric_validation = true
      }
    }
  }

  documentation {
    subject   = "Pathkeeper is blind: nothing is being measured"
    mime_type = "text/markdown"
    content   = <<-EOT
      No probe function has published a report for ${local.blind.silence}, so nobody would notice an outage of ${local.deployment.title}.

      1. Do the jobs run? `gcloud scheduler jobs list --location ${var.region} --project ${var.project_id}`
      2. Does the function answer? `gcloud functions logs read ${var.name_prefix}-probe-outside --gen2 --region ${var.region} --project ${var.project_id}`
      3. Do messages wait? See the subscriptions `${var.name_prefix}-probe-*` in the Pub/Sub console.
    EOT

    dynamic "links" {
      for_each = merge({ "Scheduler jobs" = "https://console.cloud.google.com/cloudscheduler?project=${var.project_id}" }, var.runbook_url == null ? {} : { Runbook = "${var.runbook_url}#no-measurements" })

      content {
        display_name = links.key
        url          = links.value
      }
    }
  }

  # Silence is measured from the moment the schedules exist.
  depends_on = [google_cloud_scheduler_job.main]
}

resource "google_monitoring_alert_policy" "backlog" {
  project               = var.project_id
  display_name          = "${var.name_prefix}: messages wait"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.alarm_channels
  user_labels           = local.labels

  # A subscription that waits minutes between attempts has older messages in normal operation.
  dynamic "conditions" {
    for_each = local.waits.waiting

    content {
      display_name = "The oldest message has waited for ${conditions.value.age_seconds / 60} minutes"

      condition_threshold {
        filter          = "resource.type = \"pubsub_subscription\" AND resource.labels.project_id = \"${var.project_id}\" AND resource.labels.subscription_id = one_of(${join(", ", [for name in conditions.value.subscriptions : "\"${google_pubsub_subscription.push[name].name}\""])}) AND metric.type = \"pubsub.googleapis.com/subscription/oldest_unacked_message_age\""
        comparison      = "COMPARISON_GT"
        threshold_value = conditions.value.age_seconds
        duration        = "300s"

        aggregations {
          alignment_period     = "60s"
          per_series_aligner   = "ALIGN_MAX"
          cross_series_reducer = "REDUCE_MAX"
          group_by_fields      = ["resource.label.subscription_id"]
        }

        trigger {
          count = 1
        }
      }
    }
  }

  documentation {
    subject   = "Pathkeeper is behind: messages wait"
    mime_type = "text/markdown"
    content   = <<-EOT
      A function does not keep up, or refuses its messages. The subscription's name says which: `probe-*` measures, `evaluate-*` judges, `notify-*` tells.
      A channel that cannot be reached holds `notify-retries` back; the ledger (collection `deliveries`) says which one, and why.
    EOT

    dynamic "links" {
      for_each = merge({ "Subscriptions" = "https://console.cloud.google.com/cloudpubsub/subscription/list?project=${var.project_id}" }, var.runbook_url == null ? {} : { Runbook = "${var.runbook_url}#messages-wait" })

      content {
        display_name = links.key
        url          = links.value
      }
    }
  }

  depends_on = [google_project_service.main]
}

resource "google_monitoring_alert_policy" "dead_letters" {
  project               = var.project_id
  display_name          = "${var.name_prefix}: dead letters"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.alarm_channels
  user_labels           = local.labels

  conditions {
    display_name = "A message could not be processed"

    condition_threshold {
      filter          = "resource.type = \"pubsub_subscription\" AND resource.labels.project_id = \"${var.project_id}\" AND resource.labels.subscription_id = \"${google_pubsub_subscription.dead_letters_kept.name}\" AND metric.type = \"pubsub.googleapis.com/subscription/num_undelivered_messages\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"

      aggregations {
        alignment_period   = "60s"
        per_series_aligner = "ALIGN_MAX"
      }

      trigger {
        count = 1
      }
    }
  }

  documentation {
    subject   = "Pathkeeper has dead letters"
    mime_type = "text/markdown"
    content   = <<-EOT
      A message was given up. It is kept for two weeks: `gcloud pubsub subscriptions pull ${var.name_prefix}-dead-letters-kept --project ${var.project_id} --limit 10` shows it without taking it away.
      The notifier has announced it as an incident of the monitor, unless the notifier is what fails. When its cause is mended, publish its data to the topic that it came from, and pull it with `--auto-ack`.
    EOT

    dynamic "links" {
      for_each = merge({ "Dead letters" = "https://console.cloud.google.com/cloudpubsub/subscription/detail/${google_pubsub_subscription.dead_letters_kept.name}?project=${var.project_id}" }, var.runbook_url == null ? {} : { Runbook = "${var.runbook_url}#dead-letters" })

      content {
        display_name = links.key
        url          = links.value
      }
    }
  }
}

# A function answers 503 if work is not complete yet, which is no error: errors are recognized by its log entries, not by the status.
resource "google_monitoring_alert_policy" "errors" {
  project               = var.project_id
  display_name          = "${var.name_prefix}: a function fails"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.alarm_channels
  user_labels           = local.labels

  conditions {
    display_name = "A function logged an error, or crashed"

    condition_matched_log {
      filter = "resource.type = \"cloud_run_revision\" AND resource.labels.service_name = (${join(" OR ", [for service in local.services : "\"${service}\""])}) AND severity >= ERROR AND (${local.own_logs})"
    }
  }

  alert_strategy {
    notification_rate_limit {
      period = "3600s"
    }
    auto_close = "3600s"
  }

  documentation {
    subject   = "A function of Pathkeeper fails"
    mime_type = "text/markdown"
    content   = "The log says which and why: https://console.cloud.google.com/logs/query;query=${replace(urlencode("resource.type=\"cloud_run_revision\" severity>=ERROR (${local.own_logs})"), "+", "%20")}?project=${var.project_id}"

    dynamic "links" {
      for_each = merge({ "Functions" = "https://console.cloud.google.com/run?project=${var.project_id}" }, var.runbook_url == null ? {} : { Runbook = "${var.runbook_url}#a-function-fails" })

      content {
        display_name = links.key
        url          = links.value
      }
    }
  }

  depends_on = [google_project_service.main]
}

# Cloud Scheduler has no metrics in Cloud Monitoring: its failures are only in the log, one entry for each attempt. Transient failures are retried three
# times; persistent ones also show as missing measurements.
resource "google_monitoring_alert_policy" "schedules" {
  project               = var.project_id
  display_name          = "${var.name_prefix}: a schedule fails"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.alarm_channels
  user_labels           = local.labels

  conditions {
    display_name = "Cloud Scheduler could not publish"

    condition_matched_log {
      filter = "resource.type = \"cloud_scheduler_job\" AND resource.labels.job_id =~ \"^${var.name_prefix}-(tick|(inside|outside)-(cron-[a-z0-9_-]+|[0-9]+(ms|s|m|h|d)))$\" AND severity >= ERROR AND NOT jsonPayload.status = (\"ABORTED\" OR \"DEADLINE_EXCEEDED\" OR \"INTERNAL\" OR \"UNAVAILABLE\")"
    }
  }

  alert_strategy {
    notification_rate_limit {
      period = "3600s"
    }
    auto_close = "3600s"
  }

  documentation {
    subject   = "A schedule of Pathkeeper fails"
    mime_type = "text/markdown"
    content   = "`gcloud scheduler jobs list --location ${var.region} --project ${var.project_id}` shows the state of each. Most often the topic is gone, or the service agent of Cloud Scheduler has lost `roles/cloudscheduler.serviceAgent`."

    dynamic "links" {
      for_each = merge({ "Scheduler jobs" = "https://console.cloud.google.com/cloudscheduler?project=${var.project_id}" }, var.runbook_url == null ? {} : { Runbook = "${var.runbook_url}#a-schedule-fails" })

      content {
        display_name = links.key
        url          = links.value
      }
    }
  }

  depends_on = [google_project_service.main]
}

# The evaluator exports the number of reports with each tick. The metric does not exist before the first, so the filter contains only its name.
resource "google_monitoring_alert_policy" "evaluator_silent" {
  count = local.deployment.exports == null ? 0 : 1

  project               = var.project_id
  display_name          = "${var.name_prefix}: the evaluator is silent"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = local.alarm_channels
  user_labels           = local.labels

  conditions {
    display_name = "No sign of the evaluator for ${local.waits.evaluator_silent.silence}"

    condition_prometheus_query_language {
      query                     = "absent_over_time(custom_googleapis_com:pathkeeper_reports{project_id=\"${var.project_id}\",node_id=\"${local.deployment.environment}\"}[${local.waits.evaluator_silent.alignment_seconds}s])"
      duration                  = "${local.waits.evaluator_silent.duration_seconds}s"
      evaluation_interval       = "60s"
      disable_metric_validation = true
    }
  }

  documentation {
    subject   = "Pathkeeper measures, and nobody judges"
    mime_type = "text/markdown"
    content   = <<-EOT
      The evaluator has exported nothing for ${local.waits.evaluator_silent.silence}: it does not run, cannot reach Firestore, or no tick comes.

      1. What does it say? `gcloud functions logs read ${var.name_prefix}-evaluate --gen2 --region ${var.region} --project ${var.project_id}`
      2. Does the tick come? The job `${var.name_prefix}-tick` of Cloud Scheduler runs every minute.
    EOT

    dynamic "links" {
      for_each = merge({ "Log of the evaluator" = "https://console.cloud.google.com/run/detail/${var.region}/${google_cloudfunctions2_function.main["evaluate"].name}/logs?project=${var.project_id}" }, var.runbook_url == null ? {} : { Runbook = "${var.runbook_url}#the-evaluator-is-silent" })

      content {
        display_name = links.key
        url          = links.value
      }
    }
  }

  depends_on = [google_cloud_scheduler_job.main]
}

resource "google_project_iam_member" "exporter" {
  count = local.deployment.exports == null ? 0 : 1

  project = var.project_id
  role    = "roles/monitoring.metricWriter"
  member  = google_service_account.function["evaluate"].member
}

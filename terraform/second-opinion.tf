# Checks by Google beside those of the monitor. If they disagree, one of them is wrong.
locals {
  uptime = var.second_opinion.uptime_url == null ? null : regex("^https://(?P<host>[^/:]+)(?::(?P<port>[0-9]+))?(?P<path>/.*)?$", var.second_opinion.uptime_url)
}

resource "google_monitoring_uptime_check_config" "edge" {
  count = var.second_opinion.uptime_url == null ? 0 : 1

  project      = var.project_id
  display_name = "${var.name_prefix}: ${var.second_opinion.uptime_url}"
  period       = var.second_opinion.uptime_period
  timeout      = "10s"
  user_labels  = local.labels

  http_check {
    path         = coalesce(local.uptime.path, "/")
    port         = coalesce(local.uptime.port, "443")
    use_ssl      = true
    validate_ssl = true
  }

  monitored_resource {
    type   = "uptime_url"
    labels = { project_id = var.project_id, host = local.uptime.host }
  }

  depends_on = [google_project_service.main]
}

resource "google_monitoring_alert_policy" "edge" {
  count = var.second_opinion.uptime_url == null ? 0 : 1

  project               = var.project_id
  display_name          = "${var.name_prefix}: Google cannot reach it either"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.alarm_channels
  user_labels           = local.labels

  conditions {
    display_name = "Two regions of Google's fail"

    condition_threshold {
      filter          = "resource.type = \"uptime_url\" AND metric.type = \"monitoring.googleapis.com/uptime_check/check_passed\" AND metric.labels.check_id = \"${google_monitoring_uptime_check_config.edge[0].uptime_check_id}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 1
      # Two checks in a row, because a single one may fail at random.
      duration = "${max(300, tonumber(trimsuffix(var.second_opinion.uptime_period, "s")))}s"

      aggregations {
        alignment_period     = "1200s"
        per_series_aligner   = "ALIGN_NEXT_OLDER"
        cross_series_reducer = "REDUCE_COUNT_FALSE"
        group_by_fields      = ["resource.label.host"]
      }

      trigger {
        count = 1
      }
    }
  }

  documentation {
    subject   = "${var.second_opinion.uptime_url} fails from Google's own checkers"
    mime_type = "text/markdown"
    content   = "If Pathkeeper has an incident for it, both agree. If it has none, look at the monitor itself first: its alarms and the dashboard \"${var.name_prefix}: the monitor itself\"."

    dynamic "links" {
      for_each = merge({ "Uptime checks" = "https://console.cloud.google.com/monitoring/uptime?project=${var.project_id}" }, var.runbook_url == null ? {} : { Runbook = "${var.runbook_url}#google-cannot-reach-it-either" })

      content {
        display_name = links.key
        url          = links.value
      }
    }
  }
}

# The journey as a synthetic monitor: the same probe, run and judged by Cloud Monitoring. Cloud Monitoring creates the account that calls it with the
# first such monitor of a project, so the grant follows the monitor; runs before it fail, and the alarm is created last.
resource "google_monitoring_uptime_check_config" "journey" {
  count = local.has_journey ? 1 : 0

  project      = var.project_id
  display_name = "${var.name_prefix}: ${var.second_opinion.journey}"
  period       = var.second_opinion.journey_period
  timeout      = "60s"
  user_labels  = local.labels

  synthetic_monitor {
    cloud_function_v2 {
      name = google_cloudfunctions2_function.main["synthetic"].id
    }
  }

  depends_on = [google_project_service.main]
}

resource "google_cloud_run_v2_service_iam_member" "synthetic" {
  count = local.has_journey ? 1 : 0

  project  = var.project_id
  location = var.region
  name     = google_cloudfunctions2_function.main["synthetic"].name
  role     = "roles/run.invoker"
  member   = "serviceAccount:service-${data.google_project.main.number}@gcp-sa-monitoring-notification.iam.gserviceaccount.com"

  depends_on = [google_monitoring_uptime_check_config.journey]

  lifecycle {
    replace_triggered_by = [google_cloudfunctions2_function.main["synthetic"].id]
  }
}

resource "google_monitoring_alert_policy" "journey" {
  count = local.has_journey ? 1 : 0

  project               = var.project_id
  display_name          = "${var.name_prefix}: ${var.second_opinion.journey} fails for Google as well"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.alarm_channels
  user_labels           = local.labels

  conditions {
    display_name = "The synthetic monitor fails"

    condition_threshold {
      filter          = "resource.type = \"cloud_run_revision\" AND metric.type = \"monitoring.googleapis.com/uptime_check/check_passed\" AND metric.labels.check_id = \"${google_monitoring_uptime_check_config.journey[0].uptime_check_id}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"

      aggregations {
        alignment_period     = "1200s"
        per_series_aligner   = "ALIGN_NEXT_OLDER"
        cross_series_reducer = "REDUCE_COUNT_FALSE"
        group_by_fields      = ["resource.label.service_name"]
      }

      trigger {
        count = 1
      }
    }
  }

  documentation {
    subject   = "${var.second_opinion.journey} fails when Google's scheduler starts it"
    mime_type = "text/markdown"
    content   = "If Pathkeeper has an incident for it, both agree. If it has none, its schedule, its evaluator or its store is in trouble: see the dashboard \"${var.name_prefix}: the monitor itself\"."

    dynamic "links" {
      for_each = merge({ "Synthetic monitors" = "https://console.cloud.google.com/monitoring/synthetic-monitoring?project=${var.project_id}" }, var.runbook_url == null ? {} : { Runbook = "${var.runbook_url}#a-journey-fails-for-google-as-well" })

      content {
        display_name = links.key
        url          = links.value
      }
    }
  }
}

# Two dashboards: one for the watched environment, one for the monitor itself. To add a chart, add a row to one of the lists below.
locals {
  exported = "custom.googleapis.com/pathkeeper/"

  # `by` splits a chart by a label, `limits` draws lines, `unit` labels the axis. Without `by`, the series of several probes are averaged.
  charts_of_environment = [
    { title = "VPC connector: utilization", metric = "vpc_connector_utilization", limits = [0.7] },
    { title = "VPC connector: instances, as Google counts them", google = "vpcaccess.googleapis.com/connector/instances", resource = "vpc_access_connector", align = "ALIGN_MAX", reduce = "REDUCE_MAX", by = ["resource.label.connector_name"] },
    { title = "Cloud SQL: the application's pool", metric = "cloud_sql_pool_utilization", limits = [0.8, 0.85] },
    { title = "Cloud SQL: connections in use", metric = "database_connections", by = ["metric.label.probe"] },
    { title = "Database: time of a fresh connection", metric = "database_connection_time", unit = "seconds", limits = [5, 25], by = ["metric.label.probe"] },
    { title = "Database: share of new connections that succeed", metric = "database_connect_burst_success", by = ["metric.label.probe"], reduce = "REDUCE_MIN" },
    { title = "Start-up: the 7 phases", metric = "smd_phase_duration", unit = "seconds", limits = [20, 45], by = ["metric.label.phase"], reduce = "REDUCE_MAX" },
    { title = "Golden path: availability", metric = "golden_path_success", by = ["metric.label.probe"] },
    { title = "Golden path: end to end", metric = "golden_path_e2e_time", unit = "seconds", limits = [30], by = ["metric.label.probe"] },
    { title = "Golden path: by step", metric = "golden_path_step_time", unit = "seconds", by = ["metric.label.step"] },
    { title = "WebSocket: availability", metric = "websocket_connection_success", by = ["metric.label.probe"], reduce = "REDUCE_MIN" },
    { title = "WebSocket: handshake", metric = "websocket_handshake_time", unit = "seconds", by = ["metric.label.probe"] },
    { title = "HTTP: response time", metric = "http_response_time", unit = "seconds", by = ["metric.label.probe"] },
    { title = "Probes that succeed, by component", metric = "probe_success", by = ["metric.label.component"] },
    { title = "Incidents that are open", metric = "incidents_open", by = ["metric.label.severity", "metric.label.verdict"], reduce = "REDUCE_MAX" },
    { title = "Availability of this month", metric = "availability", by = ["metric.label.component"], limits = [0.99] },
    { title = "Error budget that is left", metric = "error_budget_left", by = ["metric.label.component"] },
  ]

  # By full name, because the names of another monitor may begin with this prefix.
  subscription_names = concat([for each in google_pubsub_subscription.push : each.name], [google_pubsub_subscription.dead_letters_kept.name])

  ours_run    = { resource = "cloud_run_revision", filter = "resource.labels.project_id = \"${var.project_id}\" AND resource.labels.service_name = one_of(${join(", ", [for name in local.services : "\"${name}\""])})" }
  ours_pubsub = { resource = "pubsub_subscription", filter = "resource.labels.project_id = \"${var.project_id}\" AND resource.labels.subscription_id = one_of(${join(", ", [for name in local.subscription_names : "\"${name}\""])})" }

  charts_of_monitor = [
    { title = "Reports between two ticks", metric = "reports" },
    { title = "Time since the last report, by group", metric = "report_age", unit = "seconds", by = ["metric.label.group"], reduce = "REDUCE_MAX" },
    { title = "What of the monitor is not as it should be", metric = "checks_failing", reduce = "REDUCE_MAX" },
    { title = "Time from a tick to its handling", metric = "tick_delay", unit = "seconds", reduce = "REDUCE_MAX" },
    { title = "Time since the last watchdog signal left", metric = "heartbeat_age", unit = "seconds", reduce = "REDUCE_MAX" },
    { title = "Points that the export lost", metric = "export_refused", reduce = "REDUCE_MAX" },
    merge(local.ours_run, { title = "Requests to the functions", google = "run.googleapis.com/request_count", align = "ALIGN_DELTA", reduce = "REDUCE_SUM", by = ["resource.label.service_name", "metric.label.response_code_class"] }),
    merge(local.ours_run, { title = "Latency of the functions, 95th percentile", google = "run.googleapis.com/request_latencies", align = "ALIGN_PERCENTILE_95", reduce = "REDUCE_MAX", by = ["resource.label.service_name"], unit = "ms" }),
    merge(local.ours_run, { title = "Instances", google = "run.googleapis.com/container/instance_count", align = "ALIGN_MAX", reduce = "REDUCE_SUM", by = ["resource.label.service_name"] }),
    merge(local.ours_pubsub, { title = "Age of the oldest message", google = "pubsub.googleapis.com/subscription/oldest_unacked_message_age", align = "ALIGN_MAX", reduce = "REDUCE_MAX", by = ["resource.label.subscription_id"], unit = "seconds", limits = [600] }),
    merge(local.ours_pubsub, { title = "Messages that wait", google = "pubsub.googleapis.com/subscription/num_undelivered_messages", align = "ALIGN_MAX", reduce = "REDUCE_MAX", by = ["resource.label.subscription_id"] }),
    merge(local.ours_pubsub, { title = "Dead letters", google = "pubsub.googleapis.com/subscription/dead_letter_message_count", align = "ALIGN_DELTA", reduce = "REDUCE_SUM", by = ["resource.label.subscription_id"] }),
  ]

  dashboards = {
    environment = { title = "${var.name_prefix}: ${local.deployment.title}", charts = local.charts_of_environment }
    monitor     = { title = "${var.name_prefix}: the monitor itself", charts = local.charts_of_monitor }
  }
}

resource "google_monitoring_dashboard" "main" {
  for_each = local.dashboards

  project = var.project_id

  # Values equal to a default of the API are omitted: the API omits them too, and every plan would show a difference.
  dashboard_json = jsonencode({
    displayName = each.value.title
    mosaicLayout = {
      columns = 48
      tiles = [
        for index, chart in each.value.charts : merge(
          { width = 24, height = 16 },
          index % 2 == 0 ? {} : { xPos = 24 },
          index < 2 ? {} : { yPos = floor(index / 2) * 16 },
          {
            widget = {
              title = chart.title
              xyChart = merge(
                {
                  dataSets = [{
                    plotType   = "LINE"
                    targetAxis = "Y1"
                    timeSeriesQuery = {
                      timeSeriesFilter = {
                        filter = join(" AND ", compact([
                          try("metric.type = \"${chart.google}\"", "metric.type = \"${local.exported}${chart.metric}\""),
                          try("resource.type = \"${chart.resource}\"", "resource.type = \"generic_node\" AND resource.labels.node_id = \"${local.deployment.environment}\""),
                          try(chart.filter, ""),
                        ]))
                        aggregation = merge(
                          {
                            alignmentPeriod    = "60s"
                            perSeriesAligner   = try(chart.align, "ALIGN_MEAN")
                            crossSeriesReducer = try(chart.reduce, "REDUCE_MEAN")
                          },
                          try({ groupByFields = chart.by }, {}),
                        )
                      }
                    }
                  }]
                },
                try({ yAxis = { label = chart.unit, scale = "LINEAR" } }, {}),
                try({ thresholds = [for limit in chart.limits : { value = limit }] }, {}),
              )
            }
          },
        )
      ]
    }
  })

  depends_on = [google_project_service.main]
}

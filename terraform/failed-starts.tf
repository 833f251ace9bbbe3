# Cloud Run has no metric for failed instance starts, so a log-based one counts them. One for each name that `cloud_run` probes read.
resource "google_logging_metric" "failed_starts" {
  for_each = var.create_log_metrics ? toset(local.deployment.log_metrics) : toset([])

  project     = local.watched_project_id
  name        = each.value
  description = "Instances that failed to start; read by Pathkeeper."
  filter      = "resource.type = \"cloud_run_revision\" AND (textPayload : \"could not start successfully\" OR textPayload : \"failed the readiness check\" OR textPayload : \"failed to start and listen on the port\" OR textPayload : \"STARTUP TCP probe failed\" OR textPayload : \"STARTUP HTTP probe failed\" OR (textPayload : \"Container called exit\" AND NOT textPayload : \"exit(0)\"))"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
  }

  depends_on = [google_project_service.main, google_project_service.watched]
}

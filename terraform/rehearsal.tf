# Stores the inputs in the plan: `npx --no pathkeeper rehearse` compares every resource with what the configuration and these inputs require.
resource "terraform_data" "rehearsal" {
  input = {
    deployment = local.deployment
    inputs = {
      alarms               = var.alarms
      answers              = var.answers
      archives             = { for name in ["probe", "evaluate", "notify"] : name => filemd5("${local.bundles}/${name}.zip") }
      budget               = var.budget
      create_log_metrics   = var.create_log_metrics
      create_metrics_scope = var.create_metrics_scope
      database             = var.database
      drift_check          = var.drift_check
      functions            = var.functions
      heartbeat_publishers = var.heartbeat_publishers
      change_publishers    = var.change_publishers
      inside               = var.inside
      labels               = var.labels
      name_prefix          = var.name_prefix
      organization         = var.organization
      project_id           = var.project_id
      project_number       = data.google_project.main.number
      region               = var.region
      runbook_url          = var.runbook_url
      second_opinion       = var.second_opinion
      status_page_readers  = var.status_page_readers
      watched_project_id   = local.watched_project_id
    }
  }
}

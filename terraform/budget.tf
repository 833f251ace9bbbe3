# A watch on what the watch costs. It never stops anything: it tells the billing administrators, and those who hear the alarms.
resource "google_billing_budget" "main" {
  count = var.budget == null ? 0 : 1

  billing_account = var.budget.billing_account
  display_name    = "${var.name_prefix}: ${local.deployment.title}"

  budget_filter {
    projects               = ["projects/${data.google_project.main.number}"]
    labels                 = { app = "pathkeeper" }
    credit_types_treatment = "INCLUDE_ALL_CREDITS"
  }

  amount {
    specified_amount {
      units = tostring(var.budget.monthly_amount)
    }
  }

  dynamic "threshold_rules" {
    for_each = var.budget.thresholds

    content {
      threshold_percent = threshold_rules.value
    }
  }

  all_updates_rule {
    monitoring_notification_channels = local.alarm_channels
  }
}

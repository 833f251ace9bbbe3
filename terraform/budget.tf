# A budget for the whole project: it notifies the billing administrators and the recipients of the alarms, and never stops anything. It has no label
# filter, because usage of Firestore, Cloud Monitoring and Cloud Scheduler has no labels.
resource "google_billing_budget" "main" {
  count = var.budget == null ? 0 : 1

  billing_account = var.budget.billing_account
  # The API accepts 60 characters.
  display_name = substr("${var.name_prefix}: ${local.deployment.title}", 0, 60)

  budget_filter {
    projects               = ["projects/${data.google_project.main.number}"]
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

  depends_on = [google_project_service.main]
}

/** Mistakes in the files of the module that a first plan shows: each replaces one text by another. */

/** One mistake, and the finding of the rehearsal. */
export interface PlanMutation {
  readonly what: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly found: RegExp;
}

export const planMutations: readonly PlanMutation[] = [
  {
    what: "halved thresholds of the budget",
    file: "budget.tf",
    from: "threshold_percent = threshold_rules.value",
    to: "threshold_percent = threshold_rules.value / 2",
    found: /threshold_percent is 0\.25/,
  },
  {
    what: "a budget that tells somebody else",
    file: "budget.tf",
    from: "monitoring_notification_channels = local.alarm_channels",
    to: 'monitoring_notification_channels = ["projects/watch-project/notificationChannels/1"]',
    found: /monitoring_notification_channels/,
  },
  {
    what: "a notification channel that is switched off",
    file: "alarms.tf",
    from: '  type         = "email"\n',
    to: '  type         = "email"\n  enabled      = false\n',
    found: /sets enabled to false/,
  },
  {
    what: "a line of a chart at a tenth",
    file: "dashboards.tf",
    from: "limits = [0.7]",
    to: "limits = [0.07]",
    found: /dashboard_json/,
  },
  {
    what: "a chart of another metric than its title says",
    file: "dashboards.tf",
    from: "subscription/oldest_unacked_message_age",
    to: "subscription/num_undelivered_messages",
    found: /dashboard_json/,
  },
  {
    what: "pushes without their path",
    file: "messaging.tf",
    from: ".service_config[0].uri}${each.value.path}",
    to: ".service_config[0].uri}",
    found: /push_endpoint refers to/,
  },
  {
    what: "an audience with a path",
    file: "messaging.tf",
    from: "audience = google_cloudfunctions2_function.main[each.value.function].service_config[0].uri",
    to: 'audience = "${google_cloudfunctions2_function.main[each.value.function].service_config[0].uri}${each.value.path}"',
    found: /audience refers to/,
  },
  {
    what: "a grant to an agent that does not exist yet",
    file: "messaging.tf",
    from: "  depends_on = [google_pubsub_topic.main]\n",
    to: "",
    found: /does not wait for google_pubsub_topic/,
  },
  {
    what: "builds that do not wait for their grants",
    file: "functions.tf",
    from: 'command = "sleep 60"',
    to: 'command = "sleep 1"',
    found: /waits for 1 s/,
  },
  {
    what: "a wait with every apply",
    file: "functions.tf",
    from: "triggers_replace = [google_service_account.build.email]",
    to: "triggers_replace = [timestamp()]",
    found: /waits with every apply/,
  },
  {
    what: "failed starts that are not counted",
    file: "failed-starts.tf",
    from: 'textPayload : \\"failed the readiness check\\" OR ',
    to: "",
    found: /filter is/,
  },
  {
    what: "a role that is disabled",
    file: "watched.tf",
    from: "  permissions = each.value\n",
    to: '  permissions = each.value\n  stage       = "DISABLED"\n',
    found: /stage is "DISABLED"/,
  },
  {
    what: "pauses of retries that shrink",
    file: "schedules.tf",
    from: 'min_backoff_duration = "2s"\n    max_backoff_duration = "10s"',
    to: 'min_backoff_duration = "10s"\n    max_backoff_duration = "2s"',
    found: /backoff_duration is/,
  },
  {
    what: "the number of another project",
    file: "apis.tf",
    from: "  project_id = var.project_id\n}",
    to: '  project_id = "other-project"\n}',
    found: /reads the project other-project/,
  },
  {
    what: "commands for another project",
    file: "alarms.tf",
    from: "--gen2 --region ${var.region} --project ${var.project_id}`\n      3.",
    to: "--gen2 --region ${var.region} --project elsewhere`\n      3.",
    found: /documentation\.0\.content/,
  },
  {
    what: "a link to the explanation of another alarm",
    file: "alarms.tf",
    from: "${var.runbook_url}#messages-wait",
    to: "${var.runbook_url}#no-measurements",
    found: /links\.\d\.url/,
  },
  {
    what: "labels of another environment",
    file: "deployment.tf",
    from: "environment = local.deployment.environment }",
    to: 'environment = "another" }',
    found: /labels is/,
  },
  {
    what: "dead letters that are kept for a week",
    file: "messaging.tf",
    from: '"1209600s"',
    to: '"604800s"',
    found: /message_retention_duration/,
  },
  {
    what: "a command that drills another monitor",
    file: "outputs.tf",
    from: "PATHKEEPER_TOPIC_PREFIX=${var.name_prefix}-",
    to: "PATHKEEPER_TOPIC_PREFIX=${var.name_prefix}",
    found: /output\.drill/,
  },
  {
    what: "secrets under names that are not theirs",
    file: "outputs.tf",
    from: "versions add ${secret.secret_id}",
    to: "versions add ${name}",
    found: /output\.missing_secrets/,
  },
  {
    what: "versions of the provider that are too old",
    file: "versions.tf",
    from: '">= 7.33.0, < 9.0.0"',
    to: '">= 6.0.0"',
    found: /allows >= 6\.0\.0/,
  },
];

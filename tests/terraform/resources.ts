/** The resources and data sources of hashicorp/google that the module uses, or may use later. */

/** Resources whose schema is stored. */
export const resourcesInUse: readonly string[] = [
  "google_artifact_registry_repository",
  "google_billing_budget",
  "google_cloud_run_service_iam_member",
  "google_cloud_run_v2_service_iam_member",
  "google_cloud_scheduler_job",
  "google_cloudfunctions2_function",
  "google_firestore_database",
  "google_firestore_field",
  "google_firestore_index",
  "google_logging_metric",
  "google_monitoring_alert_policy",
  "google_monitoring_custom_service",
  "google_monitoring_dashboard",
  "google_monitoring_monitored_project",
  "google_monitoring_notification_channel",
  "google_monitoring_slo",
  "google_monitoring_uptime_check_config",
  "google_project_iam_custom_role",
  "google_project_iam_member",
  "google_project_service",
  "google_pubsub_subscription",
  "google_pubsub_subscription_iam_member",
  "google_pubsub_topic",
  "google_pubsub_topic_iam_member",
  "google_secret_manager_secret",
  "google_secret_manager_secret_iam_member",
  "google_secret_manager_secret_version",
  "google_service_account",
  "google_service_account_iam_member",
  "google_storage_bucket",
  "google_storage_bucket_iam_member",
  "google_storage_bucket_object",
  "google_vpc_access_connector",
];

/** Data sources whose schema is stored. */
export const dataInUse: readonly string[] = [
  "google_client_config",
  "google_monitoring_notification_channel",
  "google_project",
  "google_secret_manager_secret_version",
  "google_storage_project_service_account",
  "google_vpc_access_connector",
];

output "answers" {
  description = "Where people act on incidents, and the address that Slack, PagerDuty and Opsgenie are given for each channel; null where answers are off."
  value = var.answers.enabled ? {
    url      = local.answers_url
    channels = { for channel in local.deployment.answers.channels : channel => "${local.answers_url}/channels/${urlencode(channel)}" }
  } : null
}

output "console" {
  description = "Where incidents are read: the collection `incidents` in the Firestore console."
  value       = "https://console.cloud.google.com/firestore/databases/${local.database == "(default)" ? "-default-" : local.database}/data/panel/incidents?project=${var.project_id}"
}

output "database" {
  description = "Name of the Firestore database."
  value       = local.database
}

output "drill" {
  description = "The command of a fire drill, to run in a checkout of Pathkeeper: every channel is told that it is one, through everything that a real incident goes through."
  value       = "PATHKEEPER_TOPIC_PREFIX=${var.name_prefix}- PATHKEEPER_DATABASE='${local.database}' npx --no pathkeeper drill --project ${var.project_id} --config ${abspath(var.config_file)}"
}

output "functions" {
  description = "The functions, by vantage point or task, with their addresses."
  value       = { for name, function in google_cloudfunctions2_function.main : name => function.service_config[0].uri }
}

output "missing_secrets" {
  description = "How the value of each secret is added. A secret that has a version already needs nothing."
  value       = { for name, secret in google_secret_manager_secret.main : name => "gcloud secrets versions add ${secret.secret_id} --project ${var.project_id} --data-file=-" }
}

output "service_accounts" {
  description = "Who each function is. For IAM login to Cloud SQL the probe functions are database users by these names."
  value       = { for name, account in google_service_account.function : name => account.email }
}

output "status_pages" {
  description = "Addresses of the status pages, by bucket, for those who may read them."
  value       = { for name, bucket in google_storage_bucket.status_page : name => "https://storage.googleapis.com/${bucket.name}/index.html" }
}

output "topics" {
  description = "The topics, by what they carry, for those who publish to them, such as heartbeats of jobs."
  value       = { for name, topic in google_pubsub_topic.main : name => topic.id }
}

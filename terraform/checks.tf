# Problems that stop no apply: every plan and apply warns of them. `npx --no pathkeeper doctor` examines the live state, such as paused jobs and
# addresses that await verification: a check of that would be unknown in every first plan.
locals {
  # The version of this module; a copy without its package.json has none.
  module_version = try(jsondecode(file("${path.module}/../package.json")).version, null)
}

check "alarms_have_recipients" {
  assert {
    condition     = length(local.alarm_channels) > 0
    error_message = "Nobody hears when the monitor itself fails: set alarms = { emails = [\"ops@example.com\"] }, or name existing notification channels in alarms.channel_ids."
  }
}

check "alarm_channels_are_of_this_project" {
  assert {
    condition     = alltrue([for id in var.alarms.channel_ids : contains([var.project_id, data.google_project.main.number], split("/", id)[1])])
    error_message = "alarms.channel_ids names a channel of another project, which alarms of ${var.project_id} cannot use: gcloud beta monitoring channels list --project ${var.project_id} shows those that they can."
  }
}

check "bundles_are_of_this_version" {
  assert {
    condition     = local.module_version == null || try(local.deployment.version, local.module_version) == local.module_version
    error_message = "The bundles were built by another version of Pathkeeper than this module: run npm ci and npm run build -- --config ${var.config_file}, then plan again."
  }
}

# What follows from the configuration was worked out by `npm run build`, with the code that the functions run: schedules, subscriptions,
# secrets, roles, indexes. This file reads it, and refuses bundles that were built from something else.
locals {
  bundles    = startswith(var.bundles, "/") ? var.bundles : "${path.module}/${var.bundles}"
  deployment = jsondecode(file("${local.bundles}/deployment.json"))

  labels = merge({ app = "pathkeeper", environment = local.deployment.environment }, var.labels)

  watched_project_id = coalesce(var.watched_project_id, var.project_id)
  has_inside         = contains(local.deployment.vantages, "inside")

  # One function for each vantage point, for only the one inside goes through the VPC.
  functions = {
    for name in concat([for vantage in local.deployment.vantages : "probe-${vantage}"], ["evaluate", "notify"]) :
    name => {
      target = split("-", name)[0]
      size   = var.functions[split("-", name)[0]]
      # As long as its subscriptions wait for an answer: longer would be billed for nothing, shorter would cut what is still awaited.
      timeout_seconds = min([for each in local.deployment.subscriptions : each.ackDeadlineSeconds if each.function == name]...)
    }
  }
}

resource "terraform_data" "configuration" {
  input = local.deployment.config_sha256

  lifecycle {
    precondition {
      condition     = local.deployment.config_sha256 == filesha256(var.config_file)
      error_message = "The bundles were built from another configuration than ${var.config_file}: run npm run build -- --config ${var.config_file}, then apply again."
    }
    precondition {
      condition     = !local.has_inside || var.inside.connector != null || var.inside.direct != null
      error_message = "monitor.yaml has probes with vantage: inside, and nothing says how they reach the VPC: set inside = { connector = { name = \"...\" } } or inside = { direct = { network = \"...\", subnetwork = \"...\" } }."
    }
  }
}

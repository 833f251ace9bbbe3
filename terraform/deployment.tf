# `npm run build` derives the deployment from the configuration, with the code of the functions: schedules, subscriptions, secrets, roles, indexes. This
# file reads the result, and rejects bundles that were built from another configuration.
locals {
  bundles    = coalesce(var.bundles, "${path.module}/../dist")
  deployment = jsondecode(file("${local.bundles}/deployment.json"))

  labels = merge({ app = "pathkeeper", environment = local.deployment.environment }, var.labels)

  watched_project_id = coalesce(var.watched_project_id, var.project_id)
  has_inside         = contains(local.deployment.vantages, "inside")

  journey     = one([for probe in local.deployment.probes : probe if probe.name == var.second_opinion.journey])
  has_journey = var.second_opinion.journey != null

  # One function for each vantage, because only the inside one uses the VPC; one that accepts answers; and one that is the synthetic monitor.
  pushed = concat([for vantage in local.deployment.vantages : "probe-${vantage}"], ["evaluate", "notify"])
  functions = merge(
    {
      for name in local.pushed : name => {
        target  = split("-", name)[0]
        size    = var.functions[split("-", name)[0]]
        vantage = split("-", name)[0] == "probe" ? trimprefix(name, "probe-") : null
        secrets = concat(local.deployment.secrets[name], name == "notify" ? local.answers_keys : [])
        # As long as its subscriptions wait for a response: longer would cost for nothing, shorter would cut off running requests. The probe function
        # limits each request itself, so the subscription with the longest deadline counts: that of a held WebSocket.
        timeout_seconds = (startswith(name, "probe-")
          ? max([for each in local.deployment.subscriptions : each.ackDeadlineSeconds if each.function == name]...)
          : min([for each in local.deployment.subscriptions : each.ackDeadlineSeconds if each.function == name]...)
        )
      }
    },
    var.answers.enabled ? {
      answers = {
        target  = "notify"
        size    = var.functions.answers
        vantage = null
        secrets = concat(local.answers_keys, local.deployment.answers.secrets)
        # A person waits for it, and Slack waits at most three seconds.
        timeout_seconds = 30
      }
    } : {},
    local.has_journey ? {
      synthetic = {
        target  = "probe"
        size    = var.functions.probe
        vantage = try(local.journey.vantage, null)
        secrets = try(local.journey.secrets, [])
        # Cloud Monitoring waits no longer.
        timeout_seconds = 60
      }
    } : {},
  )
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
    precondition {
      condition     = !local.has_journey || try(local.journey.vantage, "") == "outside"
      error_message = "second_opinion.journey is no probe of monitor.yaml with vantage: outside; write the name of a journey."
    }
  }
}

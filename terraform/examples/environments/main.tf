# A monitor for each environment, in projects of their own, with one apply. Every folder beside this file is an environment with its monitor.yaml.
terraform {
  required_version = ">= 1.11"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 7.33.0, < 9.0.0"
    }
  }
}

provider "google" {
  user_project_override = true
  billing_project       = "shop-monitoring"
}

locals {
  environments = {
    staging    = { project_id = "shop-staging-watch", region = "us-central1" }
    production = { project_id = "shop-production-watch", region = "europe-west1" }
  }
}

module "pathkeeper" {
  source   = "../.."
  for_each = local.environments

  project_id  = each.value.project_id
  region      = each.value.region
  name_prefix = "pathkeeper"
  config_file = "${path.root}/${each.key}/monitor.yaml"
  bundles     = "${path.root}/${each.key}/dist"
  labels      = { stage = each.key }
  alarms      = { emails = ["ops@example.com"] }
}

output "consoles" {
  description = "Where to read incidents, by environment."
  value       = { for name, monitor in module.pathkeeper : name => monitor.console }
}

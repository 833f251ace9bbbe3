# One monitor for one environment. Copy this folder, put your monitor.yaml beside it, and change the values.
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
  project = var.project_id
  region  = var.region

  # Some APIs charge their quota to the project of the request, and reject user credentials without one.
  user_project_override = true
  billing_project       = var.project_id
}

variable "project_id" {
  description = "The Google Cloud project in which the monitor runs."
  type        = string
}

variable "region" {
  description = "Where the functions run."
  type        = string
  default     = "us-central1"
}

module "pathkeeper" {
  source      = "../.."
  project_id  = var.project_id
  region      = var.region
  config_file = "${path.root}/monitor.yaml"
  bundles     = "${path.root}/dist"
  alarms      = { emails = ["ops@example.com"] }
}

output "pathkeeper" {
  description = "Where to read incidents, and the commands to use."
  value       = module.pathkeeper
}

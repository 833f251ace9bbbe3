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

  # Some APIs count their calls on the project that is asked about, and refuse credentials of a person without one.
  user_project_override = true
  billing_project       = var.project_id

  default_labels = local.labels
}

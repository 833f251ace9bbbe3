# The network path of the inside probe function. A new connector is created only on request, because the connector of the watched services is the one to
# measure.
locals {
  connector_project = try(coalesce(var.inside.connector.project_id, var.project_id), var.project_id)

  connector_path = var.inside.connector == null ? null : "projects/${local.connector_project}/locations/${var.region}/connectors/${var.inside.connector.name}"
}

resource "google_vpc_access_connector" "main" {
  count = try(var.inside.connector.create, null) == null ? 0 : 1

  project       = var.project_id
  region        = var.region
  name          = var.inside.connector.name
  network       = var.inside.connector.create.network
  ip_cidr_range = var.inside.connector.create.ip_cidr_range
  machine_type  = var.inside.connector.create.machine_type
  min_instances = var.inside.connector.create.min_instances
  max_instances = var.inside.connector.create.max_instances

  depends_on = [google_project_service.main]
}

# These two Google service agents use a connector of another project, and need permission there.
resource "google_project_iam_member" "connector" {
  for_each = toset(local.connector_project == var.project_id ? [] : ["serverless-robot-prod", "gcf-admin-robot"])

  project = local.connector_project
  role    = "roles/vpcaccess.user"
  member  = "serviceAccount:service-${data.google_project.main.number}@${each.value}.iam.gserviceaccount.com"

  # Enabling the APIs creates these accounts.
  depends_on = [google_project_service.main]
}

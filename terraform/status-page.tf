# Status pages: a bucket for each `status_page` channel. Only the notifier writes to it, and only status_page_readers can read it.
resource "google_storage_bucket" "status_page" {
  for_each = toset(local.deployment.status_pages)

  name                        = each.value
  project                     = var.project_id
  location                    = var.region
  labels                      = local.labels
  uniform_bucket_level_access = true
  public_access_prevention    = contains(var.status_page_readers, "allUsers") ? "inherited" : "enforced"

  # The bucket holds the only copy of pages of past incidents: it is not deleted while it has any.
  force_destroy = false

  # A page is replaced every few minutes: keeping old versions would cost more than the pages.
  soft_delete_policy {
    retention_duration_seconds = 0
  }

  dynamic "encryption" {
    for_each = var.organization.kms_key_name == null ? [] : [var.organization.kms_key_name]

    content {
      default_kms_key_name = encryption.value
    }
  }

  website {
    main_page_suffix = "index.html"
  }

  depends_on = [google_project_service.main]
}

resource "google_storage_bucket_iam_member" "status_page_writer" {
  for_each = toset(local.deployment.status_pages)

  bucket = google_storage_bucket.status_page[each.value].name
  role   = "roles/storage.objectUser"
  member = google_service_account.function["notify"].member
}

resource "google_storage_bucket_iam_member" "status_page_reader" {
  for_each = {
    for each in setproduct(local.deployment.status_pages, var.status_page_readers) :
    "${each[0]}/${each[1]}" => { bucket = each[0], member = each[1] }
  }

  bucket = google_storage_bucket.status_page[each.value.bucket].name
  role   = "roles/storage.objectViewer"
  member = each.value.member
}

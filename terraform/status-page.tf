# The bucket of the status page. The notifier writes it anew whenever something changes.
resource "google_storage_bucket" "status_page" {
  count = var.status_page == null ? 0 : 1

  name                        = "${var.project_id}-${var.name_prefix}-status"
  project                     = var.project_id
  location                    = coalesce(var.status_page.location, var.region)
  uniform_bucket_level_access = true
  public_access_prevention    = var.status_page.public ? "inherited" : "enforced"
  # Written anew with the next event; its history is in the database.
  force_destroy = true

  website {
    main_page_suffix = "index.html"
  }

  depends_on = [google_project_service.main]
}

resource "google_storage_bucket_iam_member" "status_page_writer" {
  count = var.status_page == null ? 0 : 1

  bucket = google_storage_bucket.status_page[0].name
  role   = "roles/storage.objectUser"
  member = google_service_account.function["notify"].member
}

resource "google_storage_bucket_iam_member" "status_page_readers" {
  count = try(var.status_page.public, false) ? 1 : 0

  bucket = google_storage_bucket.status_page[0].name
  role   = "roles/storage.objectViewer"
  member = "allUsers"
}

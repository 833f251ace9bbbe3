# What the variables refuse, each with its sentence. Runs without a network: `terraform test`, after `npm run build`.
mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
}

variables {
  project_id  = "watch-project"
  region      = "us-central1"
  config_file = "../examples/netra-staging/monitor.yaml"
  bundles     = "../dist"
  inside      = { connector = { name = "staging-connector" } }
  alarms      = { emails = ["ops@example.com"] }
}

run "warns_when_nobody_hears_of_a_broken_monitor" {
  command = plan
  variables {
    alarms = {}
  }
  expect_failures = [check.alarms_have_recipients]
}

run "warns_of_notification_channels_of_another_project" {
  command = plan
  variables {
    alarms = { channel_ids = ["projects/elsewhere/notificationChannels/1"] }
  }
  expect_failures = [check.alarm_channels_are_of_this_project]
}

run "takes_notification_channels_by_the_number_of_the_project" {
  command = plan
  variables {
    alarms = { channel_ids = ["projects/123456789012/notificationChannels/1"] }
  }
}

run "refuses_bundles_that_are_not_there" {
  command = plan
  variables {
    bundles = "../nowhere"
  }
  expect_failures = [var.bundles]
}

run "refuses_a_key_of_another_form" {
  command = plan
  variables {
    organization = { kms_key_name = "my-key" }
  }
  expect_failures = [var.organization]
}

run "takes_workloads_of_other_clouds_that_report_heartbeats" {
  command = plan
  variables {
    heartbeat_publishers = ["principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/ci/subject/backup"]
  }
  assert {
    condition     = length(google_pubsub_topic_iam_member.heartbeats) == 1
    error_message = "The workload may not publish."
  }
}

run "keeps_everything_under_the_key_of_the_organization" {
  command = plan
  variables {
    organization = { kms_key_name = "projects/keys/locations/us-central1/keyRings/ring/cryptoKeys/key" }
  }
  assert {
    condition = alltrue(concat(
      [for topic in google_pubsub_topic.main : topic.kms_key_name == var.organization.kms_key_name],
      [for function in google_cloudfunctions2_function.main : function.kms_key_name == var.organization.kms_key_name],
      [for secret in google_secret_manager_secret.main : secret.replication[0].user_managed[0].replicas[0].customer_managed_encryption[0].kms_key_name == var.organization.kms_key_name],
      [google_artifact_registry_repository.images.kms_key_name == var.organization.kms_key_name],
      [google_storage_bucket.code.encryption[0].default_kms_key_name == var.organization.kms_key_name],
      [google_firestore_database.main[0].cmek_config[0].kms_key_name == var.organization.kms_key_name],
    ))
    error_message = "Something is kept under a key of Google's."
  }
}

run "refuses_a_project_number" {
  command = plan
  variables {
    project_id = "123456789012"
  }
  expect_failures = [var.project_id]
}

run "refuses_a_zone_for_a_region" {
  command = plan
  variables {
    region = "us-central1-a"
  }
  expect_failures = [var.region]
}

run "refuses_a_prefix_that_leaves_no_room" {
  command = plan
  variables {
    name_prefix = "the-monitor-of-our-staging"
  }
  expect_failures = [var.name_prefix]
}

run "refuses_a_configuration_that_is_not_there" {
  command = plan
  variables {
    config_file = "../examples/nowhere/monitor.yaml"
  }
  expect_failures = [var.config_file]
}

run "refuses_bundles_of_another_configuration" {
  command = plan
  variables {
    config_file = "./versions.tf"
  }
  expect_failures = [terraform_data.configuration]
}

run "refuses_a_connector_and_direct_egress_together" {
  command = plan
  variables {
    inside = {
      connector = { name = "staging-connector" }
      direct    = { network = "default", subnetwork = "default" }
    }
  }
  expect_failures = [var.inside]
}

run "refuses_probes_inside_without_a_way_in" {
  command = plan
  variables {
    inside = {}
  }
  expect_failures = [terraform_data.configuration]
}

run "refuses_a_connector_that_cannot_grow" {
  command = plan
  variables {
    inside = { connector = { name = "own", create = { network = "default", ip_cidr_range = "10.8.0.0/28", min_instances = 3, max_instances = 3 } } }
  }
  expect_failures = [var.inside]
}

run "refuses_a_database_without_a_name" {
  command = plan
  variables {
    database = { create = false }
  }
  expect_failures = [var.database]
}

run "refuses_half_a_billing_account" {
  command = plan
  variables {
    budget = { billing_account = "012345", monthly_amount = 5 }
  }
  expect_failures = [var.budget]
}

run "refuses_an_address_without_a_host" {
  command = plan
  variables {
    alarms = { emails = ["ops"] }
  }
  expect_failures = [var.alarms]
}

run "refuses_a_second_opinion_without_tls" {
  command = plan
  variables {
    second_opinion = { uptime_url = "http://shop.example.com/health" }
  }
  expect_failures = [var.second_opinion]
}

run "refuses_memory_in_words" {
  command = plan
  variables {
    functions = { probe = { memory = "half a gigabyte" } }
  }
  expect_failures = [var.functions]
}

run "refuses_labels_in_capitals" {
  command = plan
  variables {
    labels = { Team = "Infra" }
  }
  expect_failures = [var.labels]
}

run "takes_direct_egress" {
  command = plan
  variables {
    inside = { direct = { network = "default", subnetwork = "default" } }
  }
  assert {
    condition     = google_cloudfunctions2_function.main["probe-inside"].service_config[0].direct_vpc_egress == "VPC_EGRESS_PRIVATE_RANGES_ONLY"
    error_message = "The probe function inside does not go into the VPC."
  }
  assert {
    condition     = google_cloudfunctions2_function.main["probe-outside"].service_config[0].direct_vpc_egress == null
    error_message = "The probe function outside goes into the VPC."
  }
}

run "makes_a_connector_of_its_own_only_when_asked" {
  command = plan
  assert {
    condition     = length(google_vpc_access_connector.main) == 0
    error_message = "A connector would be made although only its name was given."
  }
}

run "takes_a_database_that_is_there" {
  command = plan
  variables {
    database = { create = false, name = "(default)" }
  }
  assert {
    condition     = length(google_firestore_database.main) == 0 && google_firestore_field.expiry["state"].database == "(default)"
    error_message = "The existing database is not used."
  }
}

run "lets_nobody_in_by_default" {
  command = plan
  assert {
    condition     = !contains(keys(google_cloudfunctions2_function.main), "answers") && output.answers == null
    error_message = "There is a function that can be reached from outside although answers are off."
  }
  assert {
    condition     = alltrue([for function in google_cloudfunctions2_function.main : function.service_config[0].ingress_settings == "ALLOW_INTERNAL_ONLY"])
    error_message = "A function can be reached from outside although answers are off."
  }
}

run "takes_answers" {
  command = plan
  variables {
    answers = { enabled = true }
  }
  assert {
    condition     = [for name, function in google_cloudfunctions2_function.main : name if function.service_config[0].ingress_settings != "ALLOW_INTERNAL_ONLY"] == ["answers"]
    error_message = "Another function than that of answers can be reached from outside."
  }
  assert {
    condition     = google_cloud_run_v2_service_iam_member.answers[0].member == "allUsers"
    error_message = "People cannot reach the function that takes answers."
  }
  assert {
    condition     = output.answers.url == "https://pathkeeper-answers-123456789012.us-central1.run.app"
    error_message = "Links lead somewhere else."
  }
  assert {
    condition     = google_cloudfunctions2_function.main["notify"].service_config[0].environment_variables["PATHKEEPER_ANSWERS_URL"] == output.answers.url
    error_message = "The notifier does not know where links lead."
  }
}

run "takes_answers_behind_iap" {
  command = plan
  variables {
    answers = { enabled = true, url = "https://answers.example.com", iap = true }
  }
  assert {
    condition     = google_cloud_run_v2_service_iam_member.answers[0].member == "serviceAccount:service-123456789012@gcp-sa-iap.iam.gserviceaccount.com"
    error_message = "Others than Identity-Aware Proxy may call the function that takes answers."
  }
  assert {
    condition     = google_cloudfunctions2_function.main["answers"].service_config[0].ingress_settings == "ALLOW_INTERNAL_AND_GCLB"
    error_message = "The function that takes answers can be reached around Identity-Aware Proxy."
  }
}

run "refuses_iap_without_an_address" {
  command = plan
  variables {
    answers = { enabled = true, iap = true }
  }
  expect_failures = [var.answers]
}

run "refuses_an_address_with_a_slash_at_its_end" {
  command = plan
  variables {
    answers = { enabled = true, url = "https://answers.example.com/" }
  }
  expect_failures = [var.answers]
}

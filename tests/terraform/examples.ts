/** Variables with which the examples are planned, including all optional ones. */
export const moduleVariables: string = `
  project_id     = "watch-project"
  region         = "us-central1"
  bundles        = "dist"
  config_file    = "./monitor.yaml"
  inside         = { connector = { name = "staging-connector" } }
  alarms         = { emails = ["ops@example.com"] }
  answers        = { enabled = true }
  budget         = { billing_account = "012345-6789AB-CDEF01", monthly_amount = 5 }
  second_opinion = { uptime_url = "https://staging.netrasystems.ai/health", journey = "golden-path" }
  status_page_readers  = ["group:support@example.com"]
  heartbeat_publishers = ["serviceAccount:backup@watch-project.iam.gserviceaccount.com"]
  change_publishers    = ["serviceAccount:deploy@watch-project.iam.gserviceaccount.com"]
`;

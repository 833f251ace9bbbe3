variable "alarms" {
  description = "Who hears that the monitor itself is not well, by a way that does not depend on it: addresses of mail, and ids of notification channels that exist already."
  type = object({
    emails      = optional(list(string), [])
    channel_ids = optional(list(string), [])
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for email in var.alarms.emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", email))])
    error_message = "Every entry of alarms.emails must be an address such as ops@example.com."
  }
  validation {
    condition     = alltrue([for id in var.alarms.channel_ids : can(regex("^projects/[^/]+/notificationChannels/[^/]+$", id))])
    error_message = "Every entry of alarms.channel_ids must be the full id of a channel, such as projects/my-project/notificationChannels/123; gcloud beta monitoring channels list shows them."
  }
}

variable "answers" {
  description = "Whether people act on incidents from notices, Slack, PagerDuty and Opsgenie, which needs a function with a public URL; by default nothing can be reached. With `iap` only Identity-Aware Proxy may call it, behind a load balancer of yours at `url`."
  type = object({
    enabled = optional(bool, false)
    url     = optional(string)
    iap     = optional(bool, false)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.answers.url == null || can(regex("^https://[^/\\s?#@]+(/[^\\s?#]*[^/\\s?#])?$", var.answers.url))
    error_message = "answers.url must be an address such as https://answers.example.com, without a slash at its end."
  }
  validation {
    condition     = !var.answers.iap || var.answers.url != null
    error_message = "answers.iap needs answers.url, the address of the load balancer with Identity-Aware Proxy, such as https://answers.example.com."
  }
}

variable "budget" {
  description = "A budget alert for the project: the billing account, and the amount of a month, in whole units of the account's currency. Without it there is none."
  type = object({
    billing_account = string
    monthly_amount  = number
    thresholds      = optional(list(number), [0.5, 0.9, 1])
  })
  default = null

  validation {
    condition     = var.budget == null || can(regex("^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", var.budget.billing_account))
    error_message = "budget.billing_account must be an id such as 012345-6789AB-CDEF01; gcloud billing accounts list shows it."
  }
  validation {
    condition     = var.budget == null || try(var.budget.monthly_amount >= 1 && floor(var.budget.monthly_amount) == var.budget.monthly_amount, false)
    error_message = "budget.monthly_amount must be a whole number of 1 or more."
  }
}

variable "bundles" {
  description = "The folder that `npm run build` wrote. A relative path counts from where Terraform runs, as in config_file; by default the folder dist beside this module."
  type        = string
  default     = null

  validation {
    condition     = var.bundles == null || try(fileexists("${var.bundles}/deployment.json"), false)
    error_message = "There is no deployment.json in the folder bundles: run npm run build -- --config MONITOR.yaml --out FOLDER, and name FOLDER here with a path that begins at / or with $${path.root}."
  }
}

variable "config_file" {
  description = "The monitor.yaml that the bundles were built from."
  type        = string

  validation {
    condition     = fileexists(var.config_file)
    error_message = "There is no file at config_file: name the monitor.yaml that the bundles were built from, with a path that begins at / or with $${path.root}."
  }
}

variable "create_log_metrics" {
  description = "Whether the metrics from the log that probes of the kind cloud_run read are made. Set it to false where metrics of these names exist already."
  type        = bool
  default     = true
  nullable    = false
}

variable "create_metrics_scope" {
  description = "Whether the metrics scope of the monitor's project takes in the watched project, for the dashboards. Set it to false where it has it already: for a second monitor in the project, or a scope that somebody else manages."
  type        = bool
  default     = true
  nullable    = false
}

variable "database" {
  description = "The Firestore database of state and incidents. Its own by default, called like name_prefix; with create = false an existing database of that name is used, which must be in native mode."
  type = object({
    create                 = optional(bool, true)
    name                   = optional(string)
    location               = optional(string)
    point_in_time_recovery = optional(bool, false)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.database.create || var.database.name != null
    error_message = "database.name must say which existing database is used when database.create is false; for the project's default one write \"(default)\"."
  }
  validation {
    condition     = var.database.name == null || can(regex("^(\\(default\\)|[a-z][a-z0-9-]{2,61}[a-z0-9])$", var.database.name))
    error_message = "database.name must be (default), or 4 to 63 lowercase letters, digits and dashes that begin with a letter."
  }
}

variable "deletion_protection" {
  description = "Whether `terraform destroy` keeps the database, with all incidents, and refuses to delete it. Set it to false and apply before destroying everything."
  type        = bool
  default     = true
  nullable    = false
}

variable "drift_check" {
  description = "Whether the evaluator checks once a day that the deployment still is as it was made, for which it may read settings and policies of the project. What is missing becomes an incident of the monitor."
  type = object({
    enabled = optional(bool, false)
  })
  default  = {}
  nullable = false
}

variable "functions" {
  description = "Size of the functions. The defaults fit the examples; docs/deployment.md says why each is what it is."
  type = object({
    probe    = optional(object({ memory = optional(string, "512Mi"), max_instances = optional(number, 5), concurrency = optional(number, 8) }), {})
    evaluate = optional(object({ memory = optional(string, "512Mi"), max_instances = optional(number, 3), concurrency = optional(number, 16) }), {})
    notify   = optional(object({ memory = optional(string, "512Mi"), max_instances = optional(number, 3), concurrency = optional(number, 8) }), {})
    answers  = optional(object({ memory = optional(string, "512Mi"), max_instances = optional(number, 2), concurrency = optional(number, 4) }), {})
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for size in values(var.functions) : can(regex("^[0-9]+(Mi|Gi)$", size.memory))])
    error_message = "memory must be written as 512Mi or 1Gi."
  }
  validation {
    condition     = alltrue([for size in values(var.functions) : size.max_instances >= 1 && size.max_instances <= 100])
    error_message = "max_instances must be from 1 to 100: each of them can hold connections to what is watched."
  }
  validation {
    condition     = alltrue([for size in values(var.functions) : size.concurrency >= 1 && size.concurrency <= 80])
    error_message = "concurrency must be from 1 to 80 requests at a time on one instance."
  }
}

variable "heartbeat_publishers" {
  description = "Who may report heartbeats, which the probes of the kind heartbeat wait for: members such as serviceAccount:backup@my-project.iam.gserviceaccount.com."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for member in var.heartbeat_publishers : can(regex("^((serviceAccount|user|group):[^@\\s]+@[^@\\s]+|principal(Set)?://iam\\.googleapis\\.com/[^\\s]+)$", member))])
    error_message = "Every entry of heartbeat_publishers must say what it is and who: serviceAccount:NAME@PROJECT.iam.gserviceaccount.com, user:EMAIL, group:EMAIL, or a workload such as principal://iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/subject/SUBJECT."
  }
}

variable "change_publishers" {
  description = "Who may report changes of the environment, such as releases by a deploy pipeline: members such as serviceAccount:deploy@my-project.iam.gserviceaccount.com."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for member in var.change_publishers : can(regex("^((serviceAccount|user|group):[^@\\s]+@[^@\\s]+|principal(Set)?://iam\\.googleapis\\.com/[^\\s]+)$", member))])
    error_message = "Every entry of change_publishers must say what it is and who: serviceAccount:NAME@PROJECT.iam.gserviceaccount.com, user:EMAIL, group:EMAIL, or a workload such as principal://iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/subject/SUBJECT."
  }
}

variable "inside" {
  description = "How the probe function of the vantage point inside reaches the VPC: through a VPC connector, which it then measures as well, or by direct egress. Exactly one of them, where monitor.yaml has probes with vantage: inside. With all_traffic everything leaves through the VPC, which then needs Cloud NAT for public addresses and Private Google Access for Google APIs."
  type = object({
    connector = optional(object({
      name       = string
      project_id = optional(string)
      create = optional(object({
        network       = string
        ip_cidr_range = string
        machine_type  = optional(string, "e2-micro")
        min_instances = optional(number, 2)
        max_instances = optional(number, 3)
      }))
    }))
    direct = optional(object({
      network    = string
      subnetwork = string
      tags       = optional(list(string), [])
    }))
    all_traffic = optional(bool, false)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.inside.connector == null || var.inside.direct == null
    error_message = "inside has a connector and direct egress: keep one of them. Through the connector its own trouble is seen; by direct egress only what lies behind it."
  }
  validation {
    condition     = var.inside.connector == null || can(regex("^[a-z][a-z0-9-]{1,24}$", var.inside.connector.name))
    error_message = "inside.connector.name must be at most 25 lowercase letters, digits and dashes; it is the short name, not the path."
  }
  validation {
    condition     = try(var.inside.connector.create.min_instances >= 2 && var.inside.connector.create.max_instances <= 10 && var.inside.connector.create.min_instances < var.inside.connector.create.max_instances, true)
    error_message = "inside.connector.create needs min_instances of 2 or more, and max_instances above it and at most 10."
  }
}

variable "labels" {
  description = "Labels of everything that can have them, besides `app` and `environment`."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for key, value in var.labels : can(regex("^[a-z][a-z0-9_-]{0,62}$", key)) && can(regex("^[a-z0-9_-]{0,63}$", value))])
    error_message = "Labels are lowercase letters, digits, _ and -, at most 63 of them; keys begin with a letter."
  }
}

variable "name_prefix" {
  description = "Before the name of everything, so that several environments fit into one project."
  type        = string
  default     = "pathkeeper"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,14}[a-z0-9]$", var.name_prefix))
    error_message = "name_prefix must be 4 to 16 lowercase letters, digits and dashes that begin with a letter: the ids of service accounts leave no room for more."
  }
}

variable "organization" {
  description = "What policies of the organisation ask for: `kms_key_name` encrypts with a key of one's own, `secret_locations` keeps secrets in regions instead of everywhere, `build_worker_pool` builds in a private pool, `binary_authorization` names the policy that images must pass. docs/deployment.md has the policies and their grants."
  type = object({
    kms_key_name         = optional(string)
    secret_locations     = optional(list(string), [])
    build_worker_pool    = optional(string)
    binary_authorization = optional(string)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.organization.kms_key_name == null || can(regex("^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$", var.organization.kms_key_name))
    error_message = "organization.kms_key_name must be the full name of a key in the region of the functions, such as projects/my-keys/locations/us-central1/keyRings/ring/cryptoKeys/key."
  }
  validation {
    condition     = alltrue([for location in var.organization.secret_locations : can(regex("^[a-z]+-[a-z]+[0-9]+$", location))])
    error_message = "Every entry of organization.secret_locations must be a region such as europe-west1."
  }
  validation {
    condition     = var.organization.build_worker_pool == null || can(regex("^projects/[^/]+/locations/[^/]+/workerPools/[^/]+$", var.organization.build_worker_pool))
    error_message = "organization.build_worker_pool must be the full name of a pool, such as projects/my-builds/locations/us-central1/workerPools/pool."
  }
  validation {
    condition     = var.organization.kms_key_name == null || try(length(var.organization.secret_locations) == 0 || var.organization.secret_locations == tolist([regex("locations/([^/]+)/", var.organization.kms_key_name)[0]]), false)
    error_message = "A key encrypts only secrets of its own region: leave organization.secret_locations out, or name that region alone."
  }
}

variable "project_id" {
  description = "The Google Cloud project in which the monitor runs. What it watches may be in another."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "project_id must be the id of the project, such as my-project, not its number or its title."
  }
}

variable "region" {
  description = "Where the functions run: the region of what is watched for the vantage point inside."
  type        = string

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "region must be a region such as us-central1, not a zone."
  }
}

variable "runbook_url" {
  description = "Address at which your people read docs/alarms.md of Pathkeeper, such as that of your copy of the repository. Every alarm then links to its own section, besides the page of the console."
  type        = string
  default     = null

  validation {
    condition     = var.runbook_url == null || can(regex("^https://[^\\s#]+$", var.runbook_url))
    error_message = "runbook_url must be a whole URL without #, such as https://git.example.com/pathkeeper/docs/alarms.md."
  }
}

variable "second_opinion" {
  description = "Checks by Google's own means, which do not depend on the monitor: the URL of an uptime check, and the name of a journey that Cloud Monitoring runs as a synthetic monitor. Both are optional; docs/deployment.md has what they cost."
  type = object({
    uptime_url     = optional(string)
    uptime_period  = optional(string, "300s")
    journey        = optional(string)
    journey_period = optional(string, "900s")
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.second_opinion.uptime_url == null || can(regex("^https://[^/\\s?#@]+(/[^\\s]*)?$", var.second_opinion.uptime_url))
    error_message = "second_opinion.uptime_url must be a whole URL that begins with https://, such as https://shop.example.com/health."
  }
  validation {
    condition     = contains(["60s", "300s", "600s", "900s"], var.second_opinion.uptime_period) && contains(["60s", "300s", "600s", "900s"], var.second_opinion.journey_period)
    error_message = "Cloud Monitoring knows the periods 60s, 300s, 600s and 900s."
  }
}

variable "status_page_readers" {
  description = "Who may read the status pages of monitor.yaml: members such as group:support@example.com or domain:example.com, and allUsers for everybody. By default nobody but the project."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for member in var.status_page_readers : can(regex("^(allUsers|allAuthenticatedUsers|domain:[^@\\s]+|(serviceAccount|user|group):[^@\\s]+@[^@\\s]+)$", member))])
    error_message = "Every entry of status_page_readers must be allUsers, or say what it is and who: user:EMAIL, group:EMAIL, serviceAccount:EMAIL or domain:DOMAIN."
  }
}

variable "watched_project_id" {
  description = "The project of what is watched, where that is not the project of the monitor: the functions get their reading roles there, and the dashboards see its metrics."
  type        = string
  default     = null

  validation {
    condition     = var.watched_project_id == null || can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.watched_project_id))
    error_message = "watched_project_id must be the id of a project, such as my-project, not its number or its title."
  }
}

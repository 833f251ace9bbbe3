/** Mistakes that are made in our own files, to see that they are found. */
import { houseMutations } from "./house-mutations.ts";

/** One mistake each, made in our own files: all of them must be found. `found` is what the checks without terraform say; without it only terraform finds it. */
export interface Mutation {
  readonly what: string;
  readonly file: string;
  /** A text that the file has exactly once. */
  readonly from: string;
  readonly to: string;
  readonly found?: RegExp;
}

export const mutations: readonly Mutation[] = [
  ...houseMutations,
  {
    what: "an argument that does not exist",
    file: "messaging.tf",
    from: "  ack_deadline_seconds = each.value.ackDeadlineSeconds",
    to: "  ack_deadline = each.value.ackDeadlineSeconds",
    found: /has no argument ack_deadline/,
  },
  {
    what: "an argument of a block that does not exist",
    file: "functions.tf",
    from: "    available_memory                 =",
    to: "    memory =",
    found: /has no argument memory/,
  },
  {
    what: "a missing argument of a block",
    file: "messaging.tf",
    from: '    push_endpoint = "${google_cloudfunctions2_function.main[each.value.function].service_config[0].uri}${each.value.path}"\n',
    to: "",
    found: /lacks push_endpoint/,
  },
  {
    what: "a missing topic",
    file: "messaging.tf",
    from: "  topic                = google_pubsub_topic.main[each.value.topic].id\n",
    to: "",
    found: /lacks topic/,
  },
  {
    what: "a text for a number",
    file: "messaging.tf",
    from: "  ack_deadline_seconds       = 60",
    to: '  ack_deadline_seconds       = "a minute"',
    found: /it must be a number/,
  },
  {
    what: "a number for a list",
    file: "messaging.tf",
    from: "    allowed_persistence_regions = [var.region]",
    to: "    allowed_persistence_regions = 1",
    found: /it must be a/,
  },
  {
    what: "a text for a truth",
    file: "functions.tf",
    from: "  uniform_bucket_level_access = true",
    to: '  uniform_bucket_level_access = "sometimes"',
    found: /it must be a bool/,
  },
  {
    what: "a value that the provider does not know",
    file: "functions.tf",
    from: '"ALLOW_INTERNAL_ONLY"',
    to: '"INTERNAL_ONLY"',
    found: /must be one of/,
  },
  {
    what: "a connection of another name",
    file: "database.tf",
    from: '"FIRESTORE_NATIVE"',
    to: '"NATIVE"',
    found: /must be one of/,
  },
  {
    what: "a block written as an argument",
    file: "messaging.tf",
    from: "  retry_policy {",
    to: "  retry_policy = {",
    found: /is a block/,
  },
  {
    what: "two blocks where one is allowed",
    file: "messaging.tf",
    from: '  expiration_policy {\n    ttl = ""\n  }\n\n  # Without these',
    to: '  expiration_policy {\n    ttl = ""\n  }\n  expiration_policy {\n    ttl = ""\n  }\n\n  # Without these',
    found: /at most 1/,
  },
  {
    what: "a variable that is not declared",
    file: "schedules.tf",
    from: "  region      = var.region",
    to: "  region      = var.location",
    found: /var.location, which is not declared/,
  },
  {
    what: "a local that is not declared",
    file: "database.tf",
    from: "  name                              = local.database_name",
    to: "  name                              = local.database_id",
    found: /local.database_id, which is not declared/,
  },
  {
    what: "a resource that is not declared",
    file: "outputs.tf",
    from: "google_service_account.function",
    to: "google_service_account.functions",
    found: /google_service_account.functions, which is not declared/,
  },
  {
    what: "a data source that is not declared",
    file: "messaging.tf",
    from: "data.google_project.main.number",
    to: "data.google_project.this.number",
    found: /data.google_project.this, which is not declared/,
  },
  {
    what: "an attribute that a resource does not have",
    file: "functions.tf",
    from: "google_service_account.build.id",
    to: "google_service_account.build.path",
    found: /takes path of/,
  },
  {
    what: "an attribute of a data source that it does not have",
    file: "messaging.tf",
    from: "data.google_project.main.number",
    to: "data.google_project.main.project_number",
    found: /takes project_number of/,
  },
  {
    what: "each outside of for_each",
    file: "messaging.tf",
    from: '  account_id   = "${var.name_prefix}-push"',
    to: '  account_id   = "${var.name_prefix}-${each.value}"',
    found: /each without for_each/,
  },
  {
    what: "an iterator of another block",
    file: "functions.tf",
    from: "direct_vpc_network_interface.value.network",
    to: "network_interface.value.network",
    found: /outside of a dynamic block/,
  },
  {
    what: "a dynamic block that does not exist",
    file: "messaging.tf",
    from: '  dynamic "dead_letter_policy" {',
    to: '  dynamic "dead_letters" {',
    found: /has no block dead_letters/,
  },
  {
    what: "a resource type that does not exist",
    file: "network.tf",
    from: 'resource "google_vpc_access_connector" "main"',
    to: 'resource "google_vpc_connector" "main"',
    found: /there is no google_vpc_connector/,
  },
  {
    what: "something declared twice",
    file: "secrets.tf",
    from: 'resource "google_secret_manager_secret_iam_member" "reader"',
    to: 'resource "google_secret_manager_secret" "main"',
    found: /declared twice/,
  },
  {
    what: "something that is set and can only be read",
    file: "messaging.tf",
    from: '  account_id   = "${var.name_prefix}-push"',
    to: '  account_id   = "${var.name_prefix}-push"\n  unique_id = "1"',
    found: /can only be read/,
  },
  {
    what: "a bracket that is not closed",
    file: "schedules.tf",
    from: "  pubsub_target {",
    to: "  pubsub_target {{",
    found: /cannot be parsed/,
  },
  {
    what: "a function that terraform does not have",
    file: "schedules.tf",
    from: "base64encode(jsonencode(",
    to: "base64encode(toJson(",
  },
  {
    what: "a function with an argument too few",
    file: "deployment.tf",
    from: 'startswith(var.bundles, "/")',
    to: "startswith(var.bundles)",
  },
  {
    what: "a field that an object variable does not have",
    file: "functions.tf",
    from: 'each.key == "probe-inside" && var.inside.direct != null ? [var.inside.direct] : []',
    to: 'each.key == "probe-inside" && var.inside.direct_egress != null ? [var.inside.direct] : []',
  },
  {
    what: "a setting of the life cycle that does not exist",
    file: "alarms.tf",
    from: "    create_before_destroy = true",
    to: "    create_before_destruction = true",
  },
  {
    what: "a default of another type",
    file: "variables.tf",
    from: "  type        = list(string)\n  default     = []",
    to: "  type        = list(string)\n  default     = 5",
  },
];

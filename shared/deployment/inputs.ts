/** Inputs of a deployment, named like the variables of the module. */

/** Inputs of one monitor. */
export interface Inputs {
  readonly alarms: { readonly emails: readonly string[]; readonly channel_ids: readonly string[] };
  readonly answers: { readonly enabled: boolean; readonly url: string | null; readonly iap: boolean };
  /** MD5 of each archive. */
  readonly archives: Readonly<Record<string, string>>;
  readonly budget: {
    readonly billing_account: string;
    readonly monthly_amount: number;
    readonly thresholds: readonly number[];
  } | null;
  readonly create_log_metrics: boolean;
  readonly create_metrics_scope: boolean;
  readonly database: {
    readonly create: boolean;
    readonly name: string | null;
    readonly location: string | null;
    readonly point_in_time_recovery: boolean;
  };
  /** Absent in plans of versions that had no such check. */
  readonly drift_check?: { readonly enabled: boolean };
  readonly functions: Readonly<
    Record<string, { readonly memory: string; readonly max_instances: number; readonly concurrency: number }>
  >;
  readonly heartbeat_publishers: readonly string[];
  /** Absent in plans of versions that had no such topic. */
  readonly change_publishers?: readonly string[];
  readonly inside: {
    readonly connector: {
      readonly name: string;
      readonly project_id: string | null;
      readonly create: {
        readonly network: string;
        readonly ip_cidr_range: string;
        readonly machine_type: string;
        readonly min_instances: number;
        readonly max_instances: number;
      } | null;
    } | null;
    readonly direct: { readonly network: string; readonly subnetwork: string; readonly tags: readonly string[] } | null;
    readonly all_traffic: boolean;
  };
  readonly labels: Readonly<Record<string, string>>;
  readonly name_prefix: string;
  readonly organization: {
    readonly kms_key_name: string | null;
    readonly secret_locations: readonly string[];
    readonly build_worker_pool: string | null;
    readonly binary_authorization: string | null;
  };
  readonly project_id: string;
  readonly project_number: string;
  readonly region: string;
  /** Address of docs/alarms.md. */
  readonly runbook_url: string | null;
  readonly second_opinion: {
    readonly uptime_url: string | null;
    readonly uptime_period: string;
    readonly journey: string | null;
    readonly journey_period: string;
  };
  readonly status_page_readers: readonly string[];
  readonly watched_project_id: string;
}

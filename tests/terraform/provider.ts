/**
 * A provider that knows the schema and nothing else, so that the real `terraform` can validate, plan and test the module without a
 * network: it speaks Terraform's plugin protocol, version 5, and `TF_REATTACH_PROVIDERS` makes Terraform talk to it instead of
 * downloading one. Besides types, which Terraform checks itself, it refuses values that the schema's enumerations do not have. It plans what
 * Terraform proposes, with the values that Google would give each resource, and applies nothing.
 * Source of the protocol: hashicorp/terraform, docs/plugin-protocol/tfplugin5.proto.
 */
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { decode, ExtData, ExtensionCodec, encode } from "@msgpack/msgpack";
import protobuf from "protobufjs";
import type { Block, NestedBlock, ProviderSchema } from "./schema.ts";

/** The running provider. */
export interface SchemaProvider {
  /** Environment variables that make Terraform use it. */
  readonly environment: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** Computed values that a plan knows: those that the real provider knows in a first plan, or all, as after an apply. */
export type Computed = "before the first apply" | "as applied";

/** Starts a provider with that schema for `hashicorp/google`. */
export async function startSchemaProvider(
  schema: ProviderSchema,
  known: Computed = "as applied",
): Promise<SchemaProvider> {
  const directory = await mkdtemp(join(tmpdir(), "pathkeeper-provider-"));
  const socket = join(directory, "p.sock");
  const server = new Server({ "grpc.max_send_message_length": -1, "grpc.max_receive_message_length": -1 });
  server.addService(serviceDefinition(), implementation(schema, known));
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) =>
      error ? reject(error) : resolve(),
    ),
  );
  const reattach = {
    "hashicorp/google": {
      Protocol: "grpc",
      ProtocolVersion: 5,
      Pid: process.pid,
      Test: true,
      Addr: { Network: "unix", String: socket },
    },
  };
  return {
    environment: { TF_REATTACH_PROVIDERS: JSON.stringify(reattach), CHECKPOINT_DISABLE: "1" },
    async stop() {
      server.forceShutdown();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The part of the provider protocol that Terraform needs for mocked resources. */
const protocol = protobuf.parse(
  `syntax = "proto3";
  package tfplugin5;
  message DynamicValue { bytes msgpack = 1; bytes json = 2; }
  message Diagnostic { int32 severity = 1; string summary = 2; string detail = 3; }
  message Attribute { string name = 1; bytes type = 2; string description = 3; bool required = 4; bool optional = 5; bool computed = 6; bool sensitive = 7; bool write_only = 10; }
  message NestedBlock { string type_name = 1; Block block = 2; int32 nesting = 3; int64 min_items = 4; int64 max_items = 5; }
  message Block { int64 version = 1; repeated Attribute attributes = 2; repeated NestedBlock block_types = 3; }
  message Schema { int64 version = 1; Block block = 2; }
  message GetSchemaRequest {}
  message GetSchemaResponse { Schema provider = 1; map<string, Schema> resource_schemas = 2; map<string, Schema> data_source_schemas = 3; repeated Diagnostic diagnostics = 4; }
  message PrepareRequest { DynamicValue config = 1; }
  message PrepareResponse { DynamicValue prepared_config = 1; repeated Diagnostic diagnostics = 2; }
  message ValidateRequest { string type_name = 1; DynamicValue config = 2; }
  message Diagnostics { repeated Diagnostic diagnostics = 1; }
  message PlanRequest { string type_name = 1; DynamicValue prior_state = 2; DynamicValue proposed_new_state = 3; DynamicValue config = 4; }
  message PlanResponse { DynamicValue planned_state = 1; repeated Diagnostic diagnostics = 4; }
  message ReadRequest { string type_name = 1; DynamicValue config = 2; }
  message ReadResponse { DynamicValue state = 1; repeated Diagnostic diagnostics = 2; }
  message ConfigureRequest { string terraform_version = 1; DynamicValue config = 2; }
  message StopRequest {}
  message StopResponse { string error = 1; }
  service Provider {
    rpc GetSchema(GetSchemaRequest) returns (GetSchemaResponse);
    rpc PrepareProviderConfig(PrepareRequest) returns (PrepareResponse);
    rpc ValidateResourceTypeConfig(ValidateRequest) returns (Diagnostics);
    rpc ValidateDataSourceConfig(ValidateRequest) returns (Diagnostics);
    rpc PlanResourceChange(PlanRequest) returns (PlanResponse);
    rpc ReadDataSource(ReadRequest) returns (ReadResponse);
    rpc Configure(ConfigureRequest) returns (Diagnostics);
    rpc Stop(StopRequest) returns (StopResponse);
  }`,
  { keepCase: true },
).root;

function serviceDefinition(): ServiceDefinition {
  const { methods } = protocol.lookupService("tfplugin5.Provider");
  const wire = (type: protobuf.Type) => ({
    serialize: (value: object) => Buffer.from(type.encode(type.fromObject(value)).finish()),
    deserialize: (bytes: Buffer) => type.toObject(type.decode(bytes), { defaults: true }),
  });
  return Object.fromEntries(
    Object.values(methods).map((method) => {
      method.resolve();
      const request = wire(method.resolvedRequestType as protobuf.Type);
      const response = wire(method.resolvedResponseType as protobuf.Type);
      return [
        method.name,
        {
          path: `/tfplugin5.Provider/${method.name}`,
          requestStream: false,
          responseStream: false,
          requestSerialize: request.serialize,
          requestDeserialize: request.deserialize,
          responseSerialize: response.serialize,
          responseDeserialize: response.deserialize,
        },
      ];
    }),
  );
}

interface ConfigRequest {
  readonly type_name: string;
  readonly config: { readonly msgpack: Uint8Array };
}

interface PlanRequest {
  readonly type_name: string;
  readonly proposed_new_state: { readonly msgpack: Uint8Array };
}

function implementation(schema: ProviderSchema, known: Computed): UntypedServiceImplementation {
  const validating = (blocks: Readonly<Record<string, Block>>) =>
    unary<ConfigRequest>(({ type_name, config }) => ({
      diagnostics: objections(blocks[type_name], decode(config.msgpack, { extensionCodec: unknownValues }), []).map(
        (detail) => ({
          severity: 1,
          summary: "Value not allowed",
          detail: `${type_name}: ${detail}`,
        }),
      ),
    }));
  const provider: Block = {
    attributes: {
      project: { type: "string", optional: true },
      region: { type: "string", optional: true },
      billing_project: { type: "string", optional: true },
      user_project_override: { type: "bool", optional: true },
      default_labels: { type: ["map", "string"], optional: true },
    },
  };
  return {
    GetSchema: unary(() => ({
      provider: schemaOf(provider),
      resource_schemas: mapped(schema.resources),
      data_source_schemas: mapped(schema.data),
    })),
    PrepareProviderConfig: unary<ConfigRequest>(({ config }) => ({ prepared_config: config })),
    ValidateResourceTypeConfig: validating(schema.resources),
    ValidateDataSourceConfig: validating(schema.data),
    PlanResourceChange: unary<PlanRequest>(({ type_name, proposed_new_state }) => ({
      planned_state: filled(proposed_new_state, (values) => plannedValues(type_name, values, known)),
    })),
    ReadDataSource: unary<ConfigRequest>(({ type_name, config }) => ({
      state: filled(config, (values) => ({ ...values, ...(type_name === "google_project" ? project(values) : {}) })),
    })),
    Configure: unary(() => ({})),
    Stop: unary(() => ({})),
  };
}

function unary<Request>(answer: (request: Request) => object): handleUnaryCall<Request, object> {
  return ({ request }, callback) => callback(null, answer(request));
}

function mapped(blocks: Readonly<Record<string, Block>>): Record<string, object> {
  return Object.fromEntries(Object.entries(blocks).map(([name, block]) => [name, schemaOf(block)]));
}

function schemaOf(block: Block): object {
  return { version: 0, block: wireBlock(block) };
}

const nestings = { single: 1, list: 2, set: 3 } as const;

function wireBlock({ attributes, blocks = {} }: Block): object {
  return {
    attributes: Object.entries(attributes).map(([name, { type, required, optional, computed, write_only }]) => ({
      name,
      type: Buffer.from(JSON.stringify(type)),
      required,
      optional,
      computed,
      write_only,
    })),
    block_types: Object.entries(blocks).map(([type_name, { nesting, min, max, block }]) => ({
      type_name,
      block: wireBlock(block),
      nesting: nestings[nesting],
      min_items: min,
      max_items: max,
    })),
  };
}

/** Unknown values are an extension of MessagePack, of any type. */
const unknownValues = new ExtensionCodec();
for (let type = 0; type < 128; type++) {
  unknownValues.register({ type, encode: () => null, decode: () => undefined });
}

/** For returned values: unknown ones stay as received, as `ExtData`. */
const passedOn = new ExtensionCodec();

type Values = Readonly<Record<string, unknown>>;

function filled({ msgpack }: { readonly msgpack: Uint8Array }, fill: (values: Values) => Values): object {
  const values = decode(msgpack, { extensionCodec: passedOn }) as Values | null;
  return { msgpack: encode(values === null ? null : fill(values), { extensionCodec: passedOn, sortKeys: true }) };
}

const projectNumber = "123456789012";

function project(values: Values): Values {
  return { number: projectNumber, id: `projects/${String(values["project_id"])}` };
}

/** Fills in the values that the provider computes: in Google's formats, or as unknown. The address of an account is known in a first plan. */
function plannedValues(type: string, values: Values, known: Computed): Values {
  const of = (value: unknown): unknown => (known === "as applied" ? value : new ExtData(0, new Uint8Array(1)));
  const at = (attribute: string): string => String(values[attribute]);
  if (type === "google_service_account") {
    const email = `${at("account_id")}@${at("project")}.iam.gserviceaccount.com`;
    const name = of(`projects/${at("project")}/serviceAccounts/${email}`);
    return { ...values, email, member: `serviceAccount:${email}`, id: name, name };
  }
  const id = of(identities[type]?.(at) ?? null);
  const given: Record<string, unknown> = { ...values, ...(Object.hasOwn(values, "id") ? { id } : {}) };
  if (type === "google_monitoring_notification_channel" || type === "google_project_iam_custom_role")
    given["name"] = id;
  if (type === "google_monitoring_uptime_check_config") given["uptime_check_id"] = of(slug(at("display_name")));
  if (type === "google_cloudfunctions2_function") {
    const uri = of(`https://${at("name")}-${projectNumber}.${at("location")}.run.app`);
    given["service_config"] = (values["service_config"] as Values[]).map((config) => ({ ...config, uri }));
  }
  return given;
}

function slug(text: string): string {
  return text.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
}

/** IDs of resources that others refer to. */
const identities: Readonly<Record<string, (at: (attribute: string) => string) => string>> = {
  google_pubsub_topic: (at) => `projects/${at("project")}/topics/${at("name")}`,
  google_pubsub_subscription: (at) => `projects/${at("project")}/subscriptions/${at("name")}`,
  google_cloudfunctions2_function: (at) =>
    `projects/${at("project")}/locations/${at("location")}/functions/${at("name")}`,
  google_vpc_access_connector: (at) => `projects/${at("project")}/locations/${at("region")}/connectors/${at("name")}`,
  google_project_iam_custom_role: (at) => `projects/${at("project")}/roles/${at("role_id")}`,
  google_monitoring_notification_channel: (at) =>
    `projects/${at("project")}/notificationChannels/${slug(at("display_name"))}`,
  google_firestore_database: (at) => `projects/${at("project")}/databases/${at("name")}`,
  google_secret_manager_secret: (at) => `projects/${at("project")}/secrets/${at("secret_id")}`,
  google_artifact_registry_repository: (at) =>
    `projects/${at("project")}/locations/${at("location")}/repositories/${at("repository_id")}`,
};

/** Returns the violations of enumerations in a configuration, in sentences. */
function objections(block: Block | undefined, config: unknown, path: readonly string[]): string[] {
  if (block === undefined || typeof config !== "object" || config === null) return [];
  const values = config as Readonly<Record<string, unknown>>;
  const own = Object.entries(block.attributes).flatMap(([name, { values: allowed }]) => {
    const value = values[name];
    if (allowed === undefined || typeof value !== "string" || allowed.includes(value)) return [];
    return [`${[...path, name].join(".")} is "${value}", it must be one of ${allowed.join(", ")}`];
  });
  const nested = Object.entries(block.blocks ?? {}).flatMap(([name, { block: inner }]: [string, NestedBlock]) =>
    [values[name]].flat().flatMap((each) => objections(inner, each, [...path, name])),
  );
  return [...own, ...nested];
}

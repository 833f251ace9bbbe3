/** The provider's schema for tests: names, types and flags, in the form of `terraform providers schema -json`, without descriptions. */
import { readFileSync } from "node:fs";

/** A Terraform type, as its JSON: `"string"`, `["list", "string"]`, or `"dynamic"` if it is unknown. */
export type CtyType = "string" | "number" | "bool" | "dynamic" | readonly ["list" | "set" | "map", CtyType];

/** An argument, or a computed attribute of a resource. */
export interface Attribute {
  readonly type: CtyType;
  readonly required?: true;
  readonly optional?: true;
  readonly computed?: true;
  /** Whether it is write-only: Terraform sends its value and never stores it. */
  readonly write_only?: true;
  /** The allowed values, if the provider lists them. */
  readonly values?: readonly string[];
}

/** A nested block. */
export interface NestedBlock {
  readonly nesting: "single" | "list" | "set";
  readonly min?: number;
  readonly max?: number;
  readonly block: Block;
}

/** Contents of a block. */
export interface Block {
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly blocks?: Readonly<Record<string, NestedBlock>>;
}

/** The part of the provider that is used. */
export interface ProviderSchema {
  readonly resources: Readonly<Record<string, Block>>;
  readonly data: Readonly<Record<string, Block>>;
}

/** Additions of the provider since the release of the extract, by resource: `path.to.attribute`, or a block. */
type Overlay = Readonly<Record<string, Readonly<Record<string, Attribute | NestedBlock>>>>;

const text: CtyType = "string";
const texts: CtyType = ["list", "string"];

/** Additions of releases 7 and 8 that are used, each with its release. */
const overlay: Overlay = {
  google_cloudfunctions2_function: {
    // 7.21.0
    "service_config.direct_vpc_egress": {
      type: text,
      optional: true,
      values: ["VPC_EGRESS_ALL_TRAFFIC", "VPC_EGRESS_PRIVATE_RANGES_ONLY"],
    },
    // 7.21.0
    "service_config.direct_vpc_network_interface": {
      nesting: "list",
      block: {
        attributes: {
          network: { type: text, optional: true },
          subnetwork: { type: text, optional: true },
          tags: { type: texts, optional: true },
        },
      },
    },
  },
  google_secret_manager_secret_version: {
    // 6.23.0; the extract does not show that it is never stored.
    secret_data_wo: { type: text, optional: true, write_only: true },
    // A number before 8.0.0.
    secret_data_wo_version: { type: text, optional: true },
  },
};

/** Since 7.33.0, nearly every resource has it. */
const deletionPolicy: Attribute = { type: text, optional: true, computed: true };

/** Reads the extract and applies later additions. */
export function providerSchema(): ProviderSchema {
  const file = new URL("schema.json", import.meta.url);
  const { resources, data } = JSON.parse(readFileSync(file, "utf8")) as ProviderSchema;
  const laid = Object.entries(resources).map(([name, block]) => {
    const whole = { ...block, attributes: { deletion_policy: deletionPolicy, ...block.attributes } };
    return [name, Object.entries(overlay[name] ?? {}).reduce(withAddition, whole)] as const;
  });
  return { resources: Object.fromEntries(laid), data };
}

function withAddition(block: Block, [path, addition]: readonly [string, Attribute | NestedBlock]): Block {
  const [head = "", ...rest] = path.split(".");
  const blocks = block.blocks ?? {};
  if (rest.length === 0) {
    return "type" in addition
      ? { ...block, attributes: { ...block.attributes, [head]: addition } }
      : { ...block, blocks: { ...blocks, [head]: addition } };
  }
  const inner = blocks[head];
  if (inner === undefined) throw new Error(`the overlay speaks of the block ${head}, which the schema does not have`);
  return {
    ...block,
    blocks: { ...blocks, [head]: { ...inner, block: withAddition(inner.block, [rest.join("."), addition]) } },
  };
}

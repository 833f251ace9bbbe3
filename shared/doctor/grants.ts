/** The grants of a live deployment, by the same needs that a rehearsal compares a plan with. */

import { identityNeeds } from "../deployment/identities.ts";
import type { Names } from "../deployment/names.ts";
import type { Need } from "../deployment/need.ts";
import { at } from "../runtime/entries.ts";
import { type Examination, type Gap, listAt, quoted, textAt } from "./examination.ts";
import { urlOf } from "./permissions.ts";

/** Location of a grant: the policy to read, and the command that adds to it. */
interface Place {
  readonly what: string;
  readonly request: Examination["request"];
  readonly add: string;
  readonly remove: string;
}

/** Questions about who may do what. */
export function grantExaminations(names: Names): Examination[] {
  const needs = identityNeeds(names);
  const grants = needs.flatMap((need) => {
    const place = placeOf(need, names);
    return place === undefined ? [] : [{ need, place }];
  });
  const byPlace = Map.groupBy(grants, ({ place }) => `${place.request.method ?? "GET"} ${place.request.url}`);
  const ours = new Set(names.functions.map(names.member));
  return [
    ...[...byPlace.values()].flatMap((own): Examination[] => {
      const [first] = own;
      if (first === undefined) return [];
      const { place } = first;
      return [
        {
          what: place.what,
          request: place.request,
          missing: { says: "does not exist", fix: "terraform apply" },
          gaps: (answer) => [
            ...own.flatMap(({ need, place: at }) => missingGrant(answer, need, at)),
            ...surplus(
              answer,
              own.map(({ need }) => need),
              ours,
              place,
            ),
          ],
        },
      ];
    }),
    ...needs.filter(({ type }) => type === "google_project_iam_custom_role").map(roleExamination),
  ];
}

function placeOf({ type, key, values }: Need, { project, region }: Names): Place | undefined {
  const binding = (what: string, url: string, command: string, more: string = "", post = false): Place => {
    const options = `--member=${quoted(key["member"] ?? "")} --role=${quoted(key["role"] ?? "")}${more}`;
    return {
      what,
      request: post ? { method: "POST", url, body: {} } : { url },
      add: `gcloud ${command.replace("VERB", "add")} ${options}`,
      remove: `gcloud ${command.replace("VERB", "remove")}`,
    };
  };
  const condition = values["condition.0.expression"]?.is;
  switch (type) {
    case "google_project_iam_member": {
      const where = key["project"] ?? project;
      const bound =
        typeof condition === "string" ? ` --condition=${quoted(`expression=${condition},title=pathkeeper`)}` : "";
      // Version 3 has the conditions.
      const request = {
        method: "POST" as const,
        url: urlOf("cloudresourcemanager", `v3/projects/${where}:getIamPolicy`),
        body: { options: { requestedPolicyVersion: 3 } },
      };
      return { ...binding(`project ${where}`, "", `projects VERB-iam-policy-binding ${where}`, bound), request };
    }
    case "google_pubsub_topic_iam_member":
      return binding(
        `topic ${key["topic"]}`,
        urlOf("pubsub", `v1/projects/${project}/topics/${key["topic"]}:getIamPolicy`),
        `pubsub topics VERB-iam-policy-binding ${key["topic"]} --project=${project}`,
      );
    case "google_pubsub_subscription_iam_member":
      return binding(
        `subscription ${key["subscription"]}`,
        urlOf("pubsub", `v1/projects/${project}/subscriptions/${key["subscription"]}:getIamPolicy`),
        `pubsub subscriptions VERB-iam-policy-binding ${key["subscription"]} --project=${project}`,
      );
    case "google_cloud_run_v2_service_iam_member":
      return binding(
        `service ${key["name"]}`,
        urlOf("run", `v2/projects/${project}/locations/${region}/services/${key["name"]}:getIamPolicy`),
        `run services VERB-iam-policy-binding ${key["name"]} --region=${region} --project=${project}`,
      );
    case "google_secret_manager_secret_iam_member":
      return binding(
        `secret ${key["secret_id"]}`,
        urlOf("secretmanager", `v1/projects/${project}/secrets/${key["secret_id"]}:getIamPolicy`),
        `secrets VERB-iam-policy-binding ${key["secret_id"]} --project=${project}`,
      );
    case "google_storage_bucket_iam_member":
      return binding(
        `bucket ${key["bucket"]}`,
        urlOf("storage", `storage/v1/b/${key["bucket"]}/iam`),
        `storage buckets VERB-iam-policy-binding gs://${key["bucket"]}`,
      );
    case "google_service_account_iam_member": {
      const email =
        String(values["service_account_id"]?.is ?? "")
          .split("/")
          .at(-1) ?? "";
      return binding(
        `account ${email}`,
        urlOf("iam", `v1/projects/${project}/serviceAccounts/${email}:getIamPolicy`),
        `iam service-accounts VERB-iam-policy-binding ${email} --project=${project}`,
        "",
        true,
      );
    }
    default:
      return undefined;
  }
}

function missingGrant(answer: unknown, { key, values, why }: Need, { what, add }: Place): Gap[] {
  const { role = "", member = "" } = key;
  const condition = values["condition.0.expression"]?.is;
  const bindings = listAt(answer, "bindings").filter(
    (each) => textAt(each, "role") === role && listAt(each, "members").includes(member),
  );
  const isHeld = bindings.some(
    (each) =>
      condition === undefined ||
      at(each, "condition") === undefined ||
      textAt(each, "condition.expression") === condition,
  );
  return isHeld ? [] : [{ what, says: `does not grant ${role} to ${member}, which is needed ${why}`, fix: add }];
}

/** Roles that the functions hold here and do not need. */
function surplus(answer: unknown, needs: readonly Need[], ours: ReadonlySet<string>, { what, remove }: Place): Gap[] {
  return listAt(answer, "bindings").flatMap((each) => {
    const role = textAt(each, "role");
    return listAt(each, "members").flatMap((member): Gap[] => {
      if (typeof member !== "string" || !ours.has(member)) return [];
      if (needs.some(({ key }) => key["role"] === role && key["member"] === member)) return [];
      const condition = textAt(each, "condition.expression");
      const bound = condition === "" ? "" : " --all";
      return [
        {
          what,
          says: `grants ${role} to ${member}, which its code does not need`,
          fix: `${remove} --member=${quoted(member)} --role=${quoted(role)}${bound}`,
        },
      ];
    });
  });
}

function roleExamination({ key, values }: Need): Examination {
  const { project = "", role_id = "" } = key;
  const needed = values["permissions"]?.is as readonly string[];
  const what = `role ${role_id}`;
  const update = `gcloud iam roles update ${role_id} --project=${project} --permissions=${needed.join(",")}`;
  return {
    what,
    request: { url: urlOf("iam", `v1/projects/${project}/roles/${role_id}`) },
    missing: { says: "does not exist", fix: update.replace("update", "create") },
    gaps: (answer) => {
      const held = listAt(answer, "includedPermissions").map(String);
      const lacks = needed.filter((one) => !held.includes(one));
      const more = held.filter((one) => !needed.includes(one));
      return [
        ...(at(answer, "deleted") === true
          ? [{ what, says: "is deleted", fix: `gcloud iam roles undelete ${role_id} --project=${project}` }]
          : []),
        ...(lacks.length === 0 ? [] : [{ what, says: `lacks ${lacks.join(", ")}`, fix: update }]),
        ...(more.length === 0 ? [] : [{ what, says: `allows ${more.join(", ")}, which no probe needs`, fix: update }]),
      ];
    },
  };
}

/** The resources of a live deployment: subscriptions, jobs, functions, secrets, the database and alarms. */
import type { FunctionName, Names } from "../deployment/names.ts";
import { at } from "../runtime/entries.ts";
import { type Examination, type Gap, listAt, noAnswer, textAt } from "./examination.ts";
import { job, subscription } from "./messaging.ts";
import { urlOf } from "./permissions.ts";

const apply = "terraform apply";

/** Questions about resources. */
export function resourceExaminations(names: Names): Examination[] {
  const { deployment, functions } = names;
  return [
    ...deployment.subscriptions.map((each) => subscription(each, names)),
    ...deployment.schedules.map((each) => job(each, names)),
    ...functions.map((each) => deployed(each, names)),
    ...[...new Set(functions.flatMap(names.secretsOf))].map((secret) => secretVersion(secret, names)),
    database(names),
    ...Object.entries(deployment.expiring).map(([collection, field]) => expiry(collection, field, names)),
    indexes(names),
    alarms(names),
    channels(names),
  ];
}

function deployed(each: FunctionName, { project, region, name, email }: Names): Examination {
  const called = name(each);
  const what = `function ${called}`;
  const logs = `gcloud functions logs read ${called} --gen2 --region=${region} --project=${project}`;
  const gap = (isRight: boolean, says: string, fix: string): Gap[] => (isRight ? [] : [{ what, says, fix }]);
  return {
    what,
    request: {
      url: urlOf("cloudfunctions", `v2/projects/${project}/locations/${region}/functions/${called}`),
    },
    missing: { says: "does not exist", fix: apply },
    gaps: (answer) => [
      ...gap(
        textAt(answer, "state") === "ACTIVE",
        `is ${textAt(answer, "state") || "in no state"}${messages(answer)}`,
        logs,
      ),
      ...gap(textAt(answer, "serviceConfig.revision") !== "", "has no revision that runs", logs),
      ...gap(
        textAt(answer, "serviceConfig.serviceAccountEmail") === email(each),
        `runs as ${textAt(answer, "serviceConfig.serviceAccountEmail") || "nobody"}`,
        `gcloud run services update ${called} --region=${region} --project=${project} --service-account=${email(each)}`,
      ),
      ...gap(
        textAt(answer, "serviceConfig.ingressSettings") === "ALLOW_INTERNAL_ONLY",
        "can be reached from the internet",
        `gcloud run services update ${called} --region=${region} --project=${project} --ingress=internal`,
      ),
    ],
  };
}

function messages(answer: unknown): string {
  const all = listAt(answer, "stateMessages").map((each) => textAt(each, "message"));
  return all.length === 0 ? "" : `: ${all.join(" ")}`;
}

function secretVersion(secret: string, { project, name }: Names): Examination {
  const called = name(secret);
  const what = `secret ${called}`;
  const fix = `gcloud secrets versions add ${called} --project=${project} --data-file=-`;
  return {
    what,
    request: { url: urlOf("secretmanager", `v1/projects/${project}/secrets/${called}/versions/latest`) },
    missing: { says: "has no value", fix },
    gaps: (answer) => {
      const state = textAt(answer, "state");
      if (state === "ENABLED") return [];
      const version = textAt(answer, "name").split("/").at(-1);
      return [
        {
          what,
          says: `has a newest version that is ${state || "in no state"}`,
          fix:
            state === "DISABLED"
              ? `gcloud secrets versions enable ${version} --secret=${called} --project=${project}`
              : fix,
        },
      ];
    },
  };
}

function database({ project, database: name }: Names): Examination {
  const what = `database ${name}`;
  return {
    what,
    request: { url: urlOf("firestore", `v1/projects/${project}/databases/${name}`) },
    missing: { says: "does not exist", fix: apply },
    gaps: (answer) => [
      ...(textAt(answer, "type") === "FIRESTORE_NATIVE"
        ? []
        : [
            {
              what,
              says: `is ${textAt(answer, "type") || "of no type"}, and must be in native mode`,
              fix: 'set database = { name = "another" } and apply',
            },
          ]),
      ...(textAt(answer, "deleteProtectionState") === "DELETE_PROTECTION_ENABLED"
        ? []
        : [
            {
              what,
              says: "can be deleted with all incidents",
              fix: `gcloud firestore databases update --database=${name} --project=${project} --delete-protection`,
            },
          ]),
    ],
  };
}

function expiry(collection: string, field: string, { project, database: name }: Names): Examination {
  const what = `collection ${collection}`;
  const fix = `gcloud firestore fields ttls update ${field} --collection-group=${collection} --database=${name} --project=${project} --enable-ttl`;
  return {
    what,
    request: {
      url: urlOf(
        "firestore",
        `v1/projects/${project}/databases/${name}/collectionGroups/${collection}/fields/${field}`,
      ),
    },
    missing: { says: "does not expire", fix },
    gaps: (answer) => {
      const state = textAt(answer, "ttlConfig.state");
      if (state === "ACTIVE") return [];
      return [
        {
          what,
          says: state === "" ? "does not expire" : `expires from when its time to live is ready: it is ${state}`,
          fix,
        },
      ];
    },
  };
}

function indexes({ deployment, project, database: name }: Names): Examination {
  return {
    what: "indexes",
    request: {
      url: urlOf("firestore", `v1/projects/${project}/databases/${name}/collectionGroups/-/indexes`),
    },
    missing: { says: "could not be listed: no such database", fix: apply },
    gaps: (answer) =>
      deployment.indexes.flatMap(({ collection, fields }): Gap[] => {
        const found = listAt(answer, "indexes").find((each) => {
          const own = listAt(each, "fields").filter((field) => textAt(field, "fieldPath") !== "__name__");
          const isOf = textAt(each, "name").includes(`/collectionGroups/${collection}/`);
          return (
            isOf &&
            own.length === fields.length &&
            fields.every(
              ({ field, direction }, at) =>
                textAt(own[at], "fieldPath") === field &&
                textAt(own[at], "order") === (direction === "desc" ? "DESCENDING" : "ASCENDING"),
            )
          );
        });
        const state = found === undefined ? "missing" : textAt(found, "state");
        const configs = fields
          .map(
            ({ field, direction }) =>
              `--field-config=field-path=${field},order=${direction === "desc" ? "descending" : "ascending"}`,
          )
          .join(" ");
        return state === "READY"
          ? []
          : [
              {
                what: `index of ${collection} by ${fields.map(({ field }) => field).join(", ")}`,
                says: `is ${state}`,
                fix: `gcloud firestore indexes composite create --database=${name} --project=${project} --collection-group=${collection} ${configs}`,
              },
            ];
      }),
  };
}

/** Alarms by the end of their names, as the module calls them. */
function alarms({ deployment, project, prefix }: Names): Examination {
  const wanted = [
    ...(deployment.alarms.no_measurements === null ? [] : ["no measurements"]),
    "messages wait",
    "dead letters",
    "a function fails",
    "a schedule fails",
    ...(deployment.exports === null ? [] : ["the evaluator is silent"]),
  ];
  return {
    what: "alarms",
    request: { url: urlOf("monitoring", `v3/projects/${project}/alertPolicies?pageSize=1000`) },
    missing: noAnswer,
    gaps: (answer) =>
      wanted.flatMap((title): Gap[] => {
        const what = `alarm "${prefix}: ${title}"`;
        const found = listAt(answer, "alertPolicies").find(
          (each) => textAt(each, "displayName") === `${prefix}: ${title}`,
        );
        if (found === undefined) return [{ what, says: "does not exist", fix: apply }];
        const update = `gcloud alpha monitoring policies update ${textAt(found, "name")}`;
        return [
          ...(at(found, "enabled") === false ? [{ what, says: "is off", fix: `${update} --enabled` }] : []),
          ...(listAt(found, "notificationChannels").length > 0
            ? []
            : [{ what, says: "notifies nobody", fix: `${update} --add-notification-channels=CHANNEL` }]),
        ];
      }),
  };
}

function channels({ project }: Names): Examination {
  return {
    what: "notification channels",
    request: { url: urlOf("monitoring", `v3/projects/${project}/notificationChannels?pageSize=1000`) },
    missing: noAnswer,
    gaps: (answer) =>
      listAt(answer, "notificationChannels")
        .filter((each) => textAt(each, "userLabels.app") === "pathkeeper")
        .flatMap((each): Gap[] => {
          const what = `notification channel ${textAt(each, "displayName")}`;
          const name = textAt(each, "name");
          return [
            ...(at(each, "enabled") === false
              ? [{ what, says: "is off", fix: `gcloud beta monitoring channels update ${name} --enabled` }]
              : []),
            ...(textAt(each, "verificationStatus") === "UNVERIFIED"
              ? [
                  {
                    what,
                    says: "is not verified: Cloud Monitoring does not use it",
                    fix: `gcloud beta monitoring channels describe ${name}  # then verify it in the console, under Alerting, Edit notification channels`,
                  },
                ]
              : []),
          ];
        }),
  };
}

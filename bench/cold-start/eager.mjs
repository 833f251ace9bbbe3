// A function as it is usually written: its libraries are imported at the top, as they were installed.
import { Firestore } from "@google-cloud/firestore";
import { MetricServiceClient } from "@google-cloud/monitoring";
import { PubSub } from "@google-cloud/pubsub";
import pg from "pg";

const projectId = process.env.PATHKEEPER_PROJECT;
const firestore = new Firestore({ projectId });
const pubsub = new PubSub({ projectId });
export const unused = [MetricServiceClient, pg];

export const eager = async (request, response) => {
  if (request.path === "/publish") await pubsub.topic("dead-letters").publishMessage({ json: {} });
  if (request.path === "/commit") await firestore.doc("bench/eager").set({ at: new Date() });
  response.send("ready\n");
};

/** Google resource names and locations of the demo's parts. */

/** The names that the demo's parts have at Google. */
export const controlPlaneNames = {
  project: "pathkeeper-demo",
  region: "us-central1",
  connector: "demo-connector",
  instance: "demo-postgres",
  urlMap: "demo-lb",
  zone: "demo-zone",
  router: "demo-router",
  nat: "demo-nat",
  armor: "demo-edge",
} as const;

/** The address of the load balancer, as the records of its hosts have it: the demo's website stands there. */
export const address = "127.0.0.1";
/** The demo's services. */
export const services = ["backend", "auth"] as const;

/** The hosts behind the load balancer: the services, and the website, which is a bucket. */
export const demoHosts = {
  backend: "api.demo.localhost",
  auth: "auth.demo.localhost",
  website: "www.demo.localhost",
} as const;

/** Places of the demo at which nothing has to listen. */
import type { DemoPlaces } from "./configuration.ts";

/** As they are filled into the configuration of the demo. */
export const places: DemoPlaces = {
  backend: 8001,
  auth: 8002,
  connector: 8003,
  cache: 8009,
  database: 8004,
  website: 8008,
  elsewhere: 8007,
  databaseName: "netra",
  databaseUser: "netra",
  email: "someone@demo.localhost",
  smtp: 8005,
  webhook: 8006,
  googleApi: "http://127.0.0.1:8007",
  data: "/tmp/demo",
};

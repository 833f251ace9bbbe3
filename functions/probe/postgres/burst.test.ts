import { expect, it } from "vitest";
import { burstPlan } from "./burst.ts";

it.each([
  [10, { free: 60, max: 100 }, 0, { connections: 10, logins: 10 }],
  [40, { free: 60, max: 100 }, 0, { connections: 40, logins: 30 }],
  [40, { free: 60, max: 100 }, 45, { connections: 40, logins: 15 }],
  [40, { free: 60, max: 100 }, -5, { connections: 40, logins: 30 }],
  [5, { free: 7, max: 25 }, 0, { connections: 5, logins: 3 }],
  [5, { free: 4, max: 25 }, 0, { connections: 5, logins: 1 }],
  [5, { free: 3, max: 25 }, 0, { connections: 5, logins: 0 }],
  [5, { free: -2, max: 25 }, 0, { connections: 5, logins: 0 }],
  [5, { free: 10, max: 25 }, 25, { connections: 5, logins: 0 }],
  [100, { free: 20, max: 25 }, 0, { connections: 25, logins: 10 }],
  [5, undefined, 0, { connections: 5, logins: 0 }],
  [100, undefined, 0, { connections: 10, logins: 0 }],
])(
  "asked for %d connections of a server with %j and %d unopened by the pool, opens %j",
  (asked, room, unopened, plan) => {
    expect(burstPlan(asked, { room, unopened })).toEqual(plan);
  },
);

it.each([
  [50, 10, 20, { connections: 20, logins: 20 }],
  [50, 40, 20, { connections: 8, logins: 8 }],
  [50, 48, 20, { connections: 0, logins: 0 }],
  [50, 70, 20, { connections: 0, logins: 0 }],
  [50, undefined, 20, { connections: 0, logins: 0 }],
])("stays below a ceiling of %d with %s in use, asked for %d: %j", (ceiling, used, asked, plan) => {
  expect(burstPlan(asked, { room: { free: 60, max: 100 }, unopened: 0, ceiling, used })).toEqual(plan);
});

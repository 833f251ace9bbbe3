import { describe } from "vitest";
import { certificateChecks } from "./certificates.ts";
import { all, checkTable, of, settingOf } from "./checks.fixtures.ts";

describe("configuration checks: certificates", () => {
  checkTable(certificateChecks, [
    [
      "certificate_status",
      "a failed renewal",
      of("certificate", "managed.status", "RENEWAL_FAILED"),
      /^RENEWAL_FAILED$/,
    ],
    [
      "certificate_status",
      "not issued",
      of("managed", "managed", { state: "FAILED", provisioningIssue: { reason: "AUTHORIZATION_ISSUE" } }),
      /^FAILED \(AUTHORIZATION_ISSUE\)$/,
      "shop-managed",
    ],
    ["certificate_status", "one of its owner's", of("certificate", "managed", undefined), "unchecked"],
    [
      "certificate_status",
      "one of its owner's, which is said",
      all(of("certificate", "managed", undefined), of("certificate", "type", "SELF_MANAGED")),
      "none",
      "shop-cert",
    ],
    [
      "certificate_domains",
      "one not pointing here",
      of("certificate", "managed.domainStatus", { "api.shop.example": "FAILED_NOT_VISIBLE" }),
      /^api\.shop\.example FAILED_NOT_VISIBLE$/,
    ],
    [
      "certificate_domains",
      "one refused",
      of("managed", "managed.authorizationAttemptInfo", [
        { domain: "shop.example", state: "FAILED", failureReason: "CAA" },
      ]),
      /^shop\.example FAILED \(CAA\)$/,
      "shop-managed",
    ],
    ["certificate_expiry", "soon", of("certificate", "expireTime", "2025-09-18T12:00:00Z"), /^expires in 2 d$/],
    ["certificate_expiry", "already", of("certificate", "expireTime", "2025-09-15T12:00:00Z"), /^expired$/],
    ["certificate_expiry", "no date", of("certificate", "expireTime", "next year"), "unchecked"],
    [
      "certificate_names",
      "one not covered",
      settingOf("certificates.domains", ["a.b.shop.example"]),
      /^a\.b\.shop\.example not covered$/,
    ],
  ]);
});

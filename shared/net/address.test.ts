import type { LookupAddress } from "node:dns";
import { describe, expect, it } from "vitest";
import { isPrivateAddress, PrivateAddress, publicLookup, refusePrivateHost } from "./address.ts";

describe("isPrivateAddress", () => {
  it.each([
    ["127.0.0.1", true],
    ["10.1.2.3", true],
    ["172.16.0.1", true],
    ["172.32.0.1", false],
    ["192.168.1.1", true],
    ["169.254.169.254", true],
    ["100.64.0.1", true],
    ["0.0.0.0", true],
    ["224.0.0.1", true],
    ["255.255.255.255", true],
    ["8.8.8.8", false],
    ["::1", true],
    ["::", true],
    ["::ffff:127.0.0.1", true],
    ["::ffff:8.8.8.8", false],
    ["::ffff:0:127.0.0.1", true],
    ["fe80::1%eth0", true],
    ["fd00::1", true],
    ["fe80::1", true],
    ["64:ff9b::7f00:1", true],
    ["2002:7f00:1::", true],
    ["2607:f8b0:4005:805::200e", false],
    ["2a00:1450:4001:82a::200e", false],
    ["192.0.0.170", true],
    ["192.88.99.1", true],
    ["192.88.98.255", false],
    ["192.88.100.0", false],
    ["198.19.255.255", true],
    ["203.0.113.7", true],
    ["240.0.0.1", true],
    ["223.255.255.255", false],
    ["::ffff:0:7f00:1", true],
    ["::ffff:0:8.8.8.8", true],
    ["::ffff:192.88.99.1", true],
    ["::ffff:7f00:1", true],
    ["::127.0.0.1", true],
    ["::8.8.8.8", true],
    ["64:ff9b::8.8.8.8", true],
    ["64:ff9b:1::1", true],
    ["100::1", true],
    ["100:0:0:1::1", true],
    ["1fff:ffff::", true],
    ["2000::1", false],
    ["2001::1", true],
    ["2001:0:4136:e378:8000:63bf:3fff:fdd2", true],
    ["2001:20::1", true],
    ["2001:1ff:ffff::", true],
    ["2001:200::1", false],
    ["2001:4860:4860::8888", false],
    ["2001:db8::1", true],
    ["2002:808:808::", true],
    ["2003::1", false],
    ["3ffe::1", false],
    ["3fff::1", true],
    ["3fff:fff:ffff::", true],
    ["3fff:1000::", false],
    ["4000::1", true],
    ["5f00::1", true],
    ["5f01::1", true],
    ["fec0::1", true],
    ["ff02::1", true],
    ["FD00::1", true],
    ["no address", true],
    ["", true],
  ])("%s: %s", (address, expected) => {
    expect(isPrivateAddress(address)).toBe(expected);
  });
});

describe("refusePrivateHost", () => {
  it.each([
    "http://127.0.0.1/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://[::1]/",
    "http://[::ffff:10.0.0.1]/",
    "http://[::ffff:0:127.0.0.1]/",
    "http://[64:ff9b::127.0.0.1]/",
    "http://[2002:7f00:1::]/",
    "http://[5f00::1]/",
    "http://127.1/",
    "http://127.0.0.1./",
    "http://169.254.169.254/computeMetadata/v1/",
  ])("refuses %s", (url) => {
    expect(() => refusePrivateHost(new URL(url).hostname)).toThrow(PrivateAddress);
  });

  it("leaves names to the lookup, and allows public addresses", () => {
    for (const host of ["localhost", "8.8.8.8", "example.com"]) expect(() => refusePrivateHost(host)).not.toThrow();
  });
});

describe("publicLookup", () => {
  it.each([true, false])("rejects a name that resolves to this machine (all: %s)", async (all) => {
    const error = await new Promise<unknown>((resolve) =>
      publicLookup("localhost", { all }, (refusal: unknown, _found: string | LookupAddress[]) => resolve(refusal)),
    );
    expect(error).toMatchObject({ code: "EPRIVATE" });
  });
});

import { expect, test, vi } from "vitest";
import { inboundKind, inboundKindOf } from "../../../shared/inbound/registry.ts";

test("a kind is found by its name and no other word", () => {
  expect(["mime", "resend"].map((kind) => inboundKind(kind)?.kind)).toEqual(["mime", "resend"]);
  for (const kind of ["smtp", "", "constructor", "__proto__", "MIME"]) expect(inboundKind(kind)).toBeNull();
});

test("an SMTP account receives through kind mime, the others through their own", () => {
  expect([inboundKindOf("smtp"), inboundKindOf("resend")]).toEqual(["mime", "resend"]);
});

test("receiving loads neither nodemailer nor an HTTP client nor the parser", async () => {
  for (const heavy of ["nodemailer", "undici", "postal-mime"]) {
    vi.doMock(heavy, () => {
      throw new Error(`${heavy} was loaded`);
    });
  }
  vi.resetModules();
  const { inboundKind: fresh } = await import("../../../shared/inbound/registry.ts");
  expect(
    fresh("resend")?.verify({ headers: {}, body: new Uint8Array() }, {
      credentials: {},
      inbound_secret: null,
    }, new Date()),
  ).toBeNull();
});

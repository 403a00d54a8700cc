import { afterEach, expect, test, vi } from "vitest";
import { inboundUrl } from "../../shared/inbound-url.ts";

afterEach(() => vi.unstubAllEnvs());

test("a provider posts to receive-webhook under its kind and token; an SMTP account receives through kind mime", () => {
  vi.stubEnv("SUPABASE_URL", "https://abc.supabase.co/");
  expect(inboundUrl("resend", "t0ken")).toBe(
    "https://abc.supabase.co/functions/v1/receive-webhook/resend/t0ken",
  );
  expect(inboundUrl("smtp", "t0ken")).toBe("https://abc.supabase.co/functions/v1/receive-webhook/mime/t0ken");
});
